"""The wires: one package per exchange, each speaking that exchange's real protocol.

A wire gets parsed HTTP requests (WebSocket upgrades among them) from `planar.venue.server`, whichever door they came
through, and answers them from its own engine, ledger and market model. It never opens a socket itself.

A package `planar.venue.wire.<id>` is found by its name and offers
`create(seed: int, activity: bool) -> Wire`. Wires outside Planar are named `module:function`.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, cast

import msgspec
from aiohttp import web

from planar.errors import ConfigError
from planar.venue.witness import Verdict, Witness

if TYPE_CHECKING:
    from planar.venue.steering.bench import Bench

LedgerKind = Literal["orders", "fills", "postings", "balances", "check", "requests", "violations", "meters", "commands"]
"""What can be asked of a ledger. `check` proves conservation: every posting balanced, no balance negative. The last
four ask the witness (`planar.venue.witness`), not the wire."""


class LedgerQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question to an exchange's ledger. A field that is None does not restrict the answer.

    Attributes:
        kind: what is asked for.
        account: name of the account (as in `VenueAccount.account`).
        symbol: unified symbol, such as `BTC/USDT`; of requests, as the client wrote it.
        asset: asset code; restricts balances and postings.
        order_id: the venue's order id.
        client_id: the client's order id.
        path: shell pattern for the path of a request.
        verdict: what became of a request (`planar.venue.witness.Verdict`).
        since_id: only the requests, violations or commands after the one of this id.
        since_ms: only what happened at or after this time (UTC epoch, ms).
        limit: at most this many rows, the newest ones; with `since_id` the first ones after it.
    """

    kind: LedgerKind
    account: str | None = None
    symbol: str | None = None
    asset: str | None = None
    order_id: str | None = None
    client_id: str | None = None
    path: str | None = None
    verdict: Verdict | None = None
    since_id: int | None = None
    since_ms: int | None = None
    limit: Annotated[int, msgspec.Meta(ge=1)] | None = None


class VenueAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Credentials of an account of a local venue. They open nothing anywhere else.

    Attributes:
        exchange: the venue's id.
        account: name of the account.
        apiKey: key, under CCXT's name for it.
        secret: secret, under CCXT's name for it.
        more: further credentials, keyed by CCXT's names (`password`, `uid`, ...), and what else names the account.
    """

    exchange: str
    account: str
    apiKey: str
    secret: str
    more: dict[str, str] = {}


class Wire(Protocol):
    """One exchange's real protocol over a virtual exchange."""

    id: str
    """Id of the exchange, as CCXT names it."""

    hosts: tuple[str, ...]
    """The real host names that this wire serves, lower case, without a port. No two wires share one."""

    witness: Witness
    """What happened here. The server begins and ends its rows; the wire says in between what a request was."""

    def default_host(self, path: str) -> str | None:
        """The real host meant by an unprefixed path on the loopback entrance; None if it is none of this wire's."""
        ...

    async def start(self) -> None:
        """Start the market model's tasks. Called once, before any door opens."""
        ...

    async def stop(self) -> None:
        """Close the WebSockets and end the tasks, also after a `start` that failed. No connection is taken any more."""
        ...

    async def handle(self, host: str, path: str, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request.

        Args:
            host: the real host meant, lower case, without a port; one of `hosts`.
            path: raw path, still percent-encoded, without an entrance's prefix and without the query string.
            request: raw query string in `request.rel_url.raw_query_string`, raw body in `await request.read()`, which
                has come in whole before (at most 1 MiB) and is given without waiting.
                A WebSocket upgrade is answered with `VenueWebSocket(...).prepare(request)` and returned when
                the connection is over. `request.remote` is empty or None on the Unix socket.
        """
        ...

    def account_of(self, request: web.BaseRequest) -> str | None:
        """Name of the account whose key the request carries, verified or not. For fault rules and the witness."""
        ...

    def accounts(self) -> list[VenueAccount]:
        """The accounts by their first keys: the seeded ones in a fixed order, then those made since."""
        ...

    def ledger(self, query: LedgerQuery) -> dict[str, Any]:
        """Answer from the ledger, as JSON values: `{"orders": [...]}`, `{"fills": [...]}`, `{"postings": [...]}`,
        `{"balances": {account: {asset: {"free": str, "locked": str}}}}`, or `{"ok": bool, "problems": [str]}`.

        Amounts and prices are decimal strings, times integers in ms. Every order, fill and posting has an `id` that
        stays; an order's is the exchange's own, which may be another order's of another symbol.

        Raises:
            BadRequest: an unknown account, symbol or asset.
        """
        ...

    def bench(self) -> Bench:
        """What the commands of the control API (`planar.venue.steering`) work on."""
        ...


class WireFactory(Protocol):
    """What `planar.venue.wire.<id>:create` is. The same seed gives the same exchange."""

    def __call__(self, *, seed: int, activity: bool) -> Wire:
        """Make a wire. With `activity`, seeded accounts trade on their own."""
        ...


def known_wires() -> dict[str, str]:
    """The wires that come with Planar: id -> `module:function` of the factory, sorted by id."""
    return {
        name: f"{__name__}.{name}:create"
        for name in sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)
    }


def load_wire(name: str, *, seed: int, activity: bool) -> Wire:
    """Make the wire that `name` says: an id of `known_wires()`, or `module:function` of a factory.

    Raises:
        ConfigError: no such wire, or no such factory.
    """
    known = known_wires()
    target = name if ":" in name else known.get(name)
    if target is None:
        raise ConfigError(f"no local venue for '{name}'", hint=f"known local venues: {', '.join(known)}")
    module_name, _, function = target.partition(":")
    try:
        factory = cast("WireFactory", getattr(importlib.import_module(module_name), function))
    except (ModuleNotFoundError, AttributeError) as error:
        raise ConfigError(
            f"the local venue '{name}' cannot be loaded: {error}", hint="name a factory as module:function"
        ) from error
    return factory(seed=seed, activity=activity)
