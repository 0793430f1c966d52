"""The commands that shape the markets of an exchange: how prices, books and trades behave, and how late answers come."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from planar.errors import BadRequest
from planar.venue.engine.latency import LatencyShape
from planar.venue.engine.price_path import BPS
from planar.venue.engine.recorded import lots
from planar.venue.engine.shape import USUAL, Shape, midnight_ms
from planar.venue.steering.bench import Bench, SteeringCommand, amount

_SHAPED = tuple(Shape.__struct_fields__)


class ShapeMarket(SteeringCommand, frozen=True, kw_only=True):
    """Shape one market of an exchange, or all of them, from now on. What is not named stays as it is.

    Exchanges that get the same volatility and drift stay near one another; given to one alone, they lead it away.

    Attributes:
        symbol: unified symbol; None for all.
        reset: first forget all that was shaped: the price goes back to the common reference within minutes.
        volatility: deviation of the daily change, as a fraction: 0.03 is 3 %.
        drift: gain in a day, as a fraction, on top of what the common reference does.
        spread_bps: mean distance between best bid and best ask.
        depth: mean amount of a level near the top, in quote.
        trade_rate: trades in a second.
        basis_bps: lasting distance from the common reference.
        quiet: windows of the day, UTC, without trades and with thin books: "22:00-06:30"; an empty list ends them.
        listed: day of the listing, UTC: "2025-03-01". Before it there are no trades and candles; one in the future
            lets the symbol take no orders until then.
    """

    everywhere = True

    symbol: str | None = None
    reset: bool = False
    volatility: Annotated[float, Meta(ge=0, le=10)] | None = None
    drift: Annotated[float, Meta(gt=-1, le=10)] | None = None
    spread_bps: Annotated[float, Meta(gt=0, le=5_000)] | None = None
    depth: Annotated[float, Meta(gt=0, le=1e9)] | None = None
    trade_rate: Annotated[float, Meta(ge=0, le=100)] | None = None
    basis_bps: Annotated[float, Meta(ge=-5_000, le=5_000)] | None = None
    quiet: tuple[str, ...] | None = None
    listed: str | None = None

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Shape; how the markets are now, as `ShowMarket` says it."""
        model, symbols = bench.model, _symbols(bench, self.symbol)
        given = {name: value for name in _SHAPED if (value := getattr(self, name)) is not None}
        listed_ms = None if self.listed is None else _listed_ms(self.listed)
        for symbol in symbols:
            if listed_ms is not None and _users_were_there(bench, symbol, listed_ms):
                raise BadRequest(
                    f"listed = '{self.listed}', but accounts have orders in {symbol} from before", hint="an earlier day"
                )
            if self.volatility is not None and not model.volatility(symbol):
                raise BadRequest(f"the price of {symbol} never moves", hint="shape the volatility of another symbol")
        for symbol in symbols:
            try:
                shape = msgspec.structs.replace(USUAL if self.reset else model.shape_of(symbol), **given)
                if given or self.reset:
                    model.shape(symbol, shape)
            except ValueError as error:
                raise BadRequest(f"quiet: {error}", hint='write windows as "22:00-06:30", UTC') from error
            if listed_ms is not None:
                model.list_from(symbol, listed_ms)
        return {"symbols": {symbol: state_of(bench, symbol) for symbol in symbols}}


class SetLatency(SteeringCommand, frozen=True, kw_only=True):
    """Let every answer and every WebSocket frame of an exchange leave it so late; the order of frames stays.

    Requests reach the exchange at once, so that an order can be filled before its acknowledgement is there.

    Attributes:
        latency_ms: mean delay; 0 for none.
        jitter_ms: how much more or less it may be, evenly; at most `latency_ms`.
    """

    everywhere = True

    latency_ms: Annotated[float, Meta(ge=0, le=60_000)]
    jitter_ms: Annotated[float, Meta(ge=0, le=60_000)] = 0.0

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Set it."""
        if self.jitter_ms > self.latency_ms:
            raise BadRequest(
                f"jitter_ms = {self.jitter_ms:g} is more than latency_ms = {self.latency_ms:g}",
                hint="an answer cannot leave before it exists; give a jitter of at most the latency",
            )
        bench.model.latency.shape = LatencyShape(self.latency_ms, self.jitter_ms)
        return {"latency_ms": self.latency_ms, "jitter_ms": self.jitter_ms}


class ShockMarket(SteeringCommand, frozen=True, kw_only=True):
    """Let the price of a market jump, for good or as a crash that comes back.

    Attributes:
        symbol: unified symbol; None for all.
        percent: size of the jump: -10 is a fall by a tenth.
        return_ms: in what time the price comes back, evenly; 0 if it stays.
    """

    everywhere = True

    symbol: str | None = None
    percent: Annotated[float, Meta(ge=-99, le=1_000)]
    return_ms: Annotated[int, Meta(ge=0)] = 0

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Jump; how the markets are now."""
        symbols = _symbols(bench, self.symbol)
        for symbol in symbols:
            _refuse_played(bench, symbol)
            bench.model.shock(symbol, self.percent / 100, self.return_ms)
        return {"symbols": {symbol: state_of(bench, symbol) for symbol in symbols}}


class PlantOpportunity(SteeringCommand, frozen=True, kw_only=True):
    """Put up one order at a price that crosses the other exchanges, which only users take.

    The exchange's own quotes of the other side step back from it until it is taken or its time is over.

    Attributes:
        symbol: unified symbol.
        side: `ask`: a cheap offer, below the common reference; `bid`: a dear demand, above it.
        bps: how far from the common reference.
        amount: its size in base, a decimal string.
        for_ms: how long it stands.
    """

    symbol: str
    side: Literal["bid", "ask"]
    bps: Annotated[float, Meta(gt=0, le=5_000)]
    amount: str
    for_ms: Annotated[int, Meta(ge=1)]

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Plant it; its price and size."""
        symbol = bench.symbol(self.symbol)
        _refuse_played(bench, symbol)
        market = bench.exchange.core.markets[symbol]
        size = lots(market.data.scale, amount("amount", self.amount))
        if not size:
            raise BadRequest("amount = 0 is nothing to take", hint="at least one lot")
        ticks = bench.model.plant(symbol, is_buy=self.side == "bid", bps=self.bps, lots=size, for_ms=self.for_ms)
        asyncio.get_running_loop().call_later(self.for_ms / 1000, bench.model.end_planted)
        price = market.data.scale.price(ticks)
        return {"symbol": symbol, "side": self.side, "price": _plain(price), "amount": self.amount}


class ShowMarket(SteeringCommand, frozen=True, kw_only=True):
    """Tell how the markets of an exchange behave, and what is recorded and played.

    Attributes:
        symbol: unified symbol; None for all.
    """

    everywhere = True

    symbol: str | None = None

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Nothing changes."""
        model = bench.model
        symbols = _symbols(bench, self.symbol)
        player, recorder = model.player, model.recorder
        return {
            "frozen": model.frozen,
            "latency_ms": model.latency.shape.latency_ms,
            "jitter_ms": model.latency.shape.jitter_ms,
            "symbols": {symbol: state_of(bench, symbol) for symbol in symbols},
            "replay": None if player is None else player.state(),
            "recording": None if recorder is None else {"path": str(recorder.path), "entries": recorder.written},
        }


def state_of(bench: Bench, symbol: str) -> dict[str, Any]:
    """One market: what is shaped, what is usual otherwise, and where it stands."""
    model, exchange = bench.model, bench.exchange
    shape, profile = model.shape_of(symbol), model.profile_of(symbol)
    market = exchange.core.markets[symbol]
    depth, reference = exchange.depth(symbol, 1), model.reference(symbol)
    bid, ask = (levels[0].price if levels else None for levels in (depth.bids, depth.asks))
    usual_bps = profile.spread_ticks * market.tick_units / 1e8 / profile.reference_price / BPS
    return {
        "status": str(market.status),
        "volatility": model.volatility(symbol) if shape.volatility is None else shape.volatility,
        "drift": shape.drift,
        "spread_bps": round(usual_bps, 4),
        "depth": profile.level_notional,
        "trade_rate": round(profile.trades_per_day / 86_400, 6),
        "basis_bps": shape.basis_bps,
        "quiet": list(shape.quiet),
        "begin_ms": market.data.begin_ms,
        "reference": round(reference, 8),
        "bid": None if bid is None else _plain(bid),
        "ask": None if ask is None else _plain(ask),
        "planted": _plain(market.data.scale.amount(model.planted_lots(symbol))),
    }


def _symbols(bench: Bench, symbol: str | None) -> list[str]:
    return list(bench.exchange.symbols) if symbol is None else [bench.symbol(symbol)]


def _refuse_played(bench: Bench, symbol: str) -> None:
    player = bench.model.player
    if player is not None and symbol in player.symbols:
        raise BadRequest(f"a recording makes the market of {symbol}", hint="end it first: planar venue replay --stop")


def _listed_ms(date: str) -> int:
    try:
        return midnight_ms(date)
    except ValueError as error:
        raise BadRequest(f"listed = '{date}' is no date", hint="write it as 2025-03-01") from error


def _users_were_there(bench: Bench, symbol: str, listed_ms: int) -> bool:
    logs = [account.logs.get(symbol) for account in bench.exchange.core.accounts.users()]
    return any(log is not None and log.orders and log.orders[0].created_ms < listed_ms for log in logs)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
