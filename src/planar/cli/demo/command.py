"""The command `planar demo`."""

from __future__ import annotations

from planar.cli.options import Json


def demo(*, seconds: float = 20.0, seed: int = 1, json: Json = False) -> int:
    """Show."""
    return 0
