"""Which accounts are configured: their names and places, never what they sign with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from planar.config.credentials import Credentials
from planar.config.schema import Environment


class ConfiguredAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One account in one environment.

    Attributes:
        exchange: CCXT's id.
        account: its name; "" is the one without a name.
        environment: where its credentials are valid.
        fields: the names of what was given for it (CCXT's: apiKey, secret, ...).
        places: where that is written: files with lines, variables.
        open: it is open in this workspace.
    """

    exchange: str
    account: str
    environment: Environment
    fields: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    open: bool = False


def configured(credentials: Credentials) -> ConfiguredAccount:
    """What may be told of credentials."""
    places = dict.fromkeys(place for _, place in credentials.origins)
    return ConfiguredAccount(
        exchange=credentials.exchange,
        account=credentials.account,
        environment=credentials.environment,
        fields=tuple(name for name, _ in credentials.origins),
        places=tuple(places),
    )


def with_open(
    accounts: Iterable[ConfiguredAccount], opened: Sequence[tuple[str, str, Environment]]
) -> tuple[ConfiguredAccount, ...]:
    """Configured accounts and open ones: an account can be open that nobody configured, as those of the local exchange.

    Args:
        opened: (exchange, account, environment) of each.
    """
    known = {(one.exchange, one.account, one.environment): one for one in accounts}
    for exchange, account, environment in opened:
        key = (exchange, account, environment)
        known.setdefault(key, ConfiguredAccount(exchange=exchange, account=account, environment=environment))
    return tuple(msgspec.structs.replace(one, open=key in opened) for key, one in known.items())
