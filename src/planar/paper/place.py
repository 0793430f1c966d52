"""Where paper accounts lie: one file for each (source of data, exchange, account), below the state directory."""

from __future__ import annotations

from pathlib import Path

import msgspec

from planar.config import ExchangeSettings
from planar.config.schema import Environment

DIRECTORY = "paper"
SUFFIX = ".db"


def reached(settings: ExchangeSettings) -> Environment:
    """The environment that requests go to: where orders are simulated, that of the market data."""
    environment = settings.environment or "live"
    return settings.paper.data if environment == "paper" else environment


def journal_scope(environment: str, data: str, instance: str | None) -> Path:
    """The directory of an environment's journals, below that of all.

    Args:
        instance: of a local venue, each run of which has its own orders, and so its own journals; paper accounts
            outlive it.
    """
    if environment == DIRECTORY:
        return Path(environment, data)
    return Path(environment) if instance is None else Path(environment, instance)


def journal_name(account: str) -> str:
    """What stands for the key in the name of an account's journal."""
    return f"paper-{account}" if account else "paper"


def file_of(state: Path, data: str, exchange: str, account: str) -> Path:
    """The file of one account.

    Args:
        state: the state directory.
        data: the environment that its market data comes from.
        account: "" is the one without a name.
    """
    name = f"{exchange}-{account}" if account else exchange
    return state / DIRECTORY / data / f"{name}{SUFFIX}"


def journal_of(state: Path, data: str, exchange: str, account: str) -> Path:
    """The order journal of one account."""
    return state / "journal" / journal_scope(DIRECTORY, data, None) / f"{exchange}-{journal_name(account)}{SUFFIX}"


class Place(msgspec.Struct, frozen=True):
    """A paper account on this machine."""

    data: str
    exchange: str
    account: str
    file: Path
    journal: Path


def places(state: Path) -> list[Place]:
    """All of this machine, by name."""
    found: list[Place] = []
    for path in sorted((state / DIRECTORY).glob(f"*/*{SUFFIX}")):
        exchange, _, account = path.stem.partition("-")
        data = path.parent.name
        found.append(Place(data, exchange, account, path, journal_of(state, data, exchange, account)))
    return found
