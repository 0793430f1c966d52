"""What is said to who asks for an exchange that is open already, with other settings."""

from __future__ import annotations

from planar.config.schema import ExchangeSettings
from planar.errors import ConfigError


def differing(wanted: ExchangeSettings, opened: ExchangeSettings) -> ConfigError:
    """The error that names what differs."""
    names = [
        f"{name} = {getattr(wanted, name)!r} (open with {getattr(opened, name)!r})"
        for name in ExchangeSettings.__struct_fields__
        if getattr(wanted, name) != getattr(opened, name)
    ]
    return ConfigError(
        f"{wanted.id} is open already with other options: {', '.join(names)}",
        hint="ask without options, or with reset=True to build it again",
    )
