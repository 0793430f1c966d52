"""Seeded makers and takers that keep the books alive, shaped as somebody asks.

Each symbol's middle price follows the common reference of its two assets (`reference`), so that exchanges of one seed
stay near one another; an exchange adds noise of its own and what was shaped (`price_path`). The model trades through
one internal account, which the ledger keeps funded. While a recording is played, its symbols do what the recording
says and the model leaves them alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from planar.venue.engine.bars import D1
from planar.venue.engine.core import Core
from planar.venue.engine.enums import MarketStatus
from planar.venue.engine.events import MarketStatusChange
from planar.venue.engine.history import MarketProfile
from planar.venue.engine.latency import Latency
from planar.venue.engine.noise import Stream
from planar.venue.engine.player import Player
from planar.venue.engine.price_path import BPS, PricePath
from planar.venue.engine.quoter import Quoter
from planar.venue.engine.reference import AssetWalk
from planar.venue.engine.shape import USUAL, QuietHours, Shape

_LONGEST_PAUSE_MS = 60_000
"""A longer pause between two steps, of a sleeping machine for instance, counts as this."""
_SLICE_MS = 1_000
_CATCHING_UP = 9
"""How much faster than time the reference goes for an exchange that stood still, until it is where the others are."""
_DAY_S = 86_400.0
_NOISE = 1.0e-4
"""How far an exchange's own idea of an asset's value is from the reference: the deviation, as a logarithm."""
_NOISE_S = 30.0
"""How long it keeps to such an idea."""


class Recording(Protocol):
    """A file that is being written; see `planar.venue.recording.Recorder`."""

    @property
    def path(self) -> Path:
        """The file."""
        ...

    @property
    def written(self) -> int:
        """Entries so far."""
        ...

    def close(self) -> None:
        """Complete the file."""
        ...


class MarketModel:
    """Quotes, trades and moves prices on every symbol of one exchange.

    Args:
        core: the exchange's; its symbols have a last price.
        profiles: how each symbol behaves.
        walks: the reference of each asset.
        seed: of what is the exchange's own.
        activity: factor on the rate of quotes and trades.

    Attributes:
        frozen: when True `step` lets no time pass.
        latency: how late answers and frames leave the exchange.
        player: plays a recording; None while the model makes all markets itself.
        recorder: writes a recording of what happens; None if nobody asked for one.
    """

    def __init__(
        self,
        core: Core,
        profiles: Mapping[str, MarketProfile],
        walks: Mapping[str, AssetWalk],
        *,
        seed: str,
        activity: float = 1.0,
    ) -> None:
        if not 0 < activity <= 1000:
            raise ValueError(f"activity = {activity} is not within 0 and 1000")
        self.frozen = False
        self.latency = Latency(seed)
        self.player: Player | None = None
        self.recorder: Recording | None = None
        self._core = core
        self._profiles = profiles
        self._walks = walks
        self._draws = Stream(seed, "model")
        self._last_step_ms = self._market_ms = core.now()
        self._behind_ms = 0
        self._noise = dict.fromkeys((asset for asset, walk in walks.items() if walk.daily_volatility), 0.0)
        self._anchors: dict[str, float] = {}
        self._paths: dict[str, PricePath] = {}
        self._quoters: dict[str, Quoter] = {}
        self._shapes = dict.fromkeys(core.markets, USUAL)
        self._quiet = dict.fromkeys(core.markets, QuietHours(()))
        self._planted_until: dict[str, int] = {}
        self._listings: dict[str, int] = {}
        day = core.now() // D1
        for symbol, market in core.markets.items():
            if market.last is None:
                raise ValueError(f"{symbol} has no last price to start from")
            draws = Stream(seed, "quotes", symbol)
            self._quoters[symbol] = Quoter(
                market, core.accounts.market, core.matcher, profiles[symbol], draws, activity
            )
            away = walks[market.base].at(day) - walks[market.quote].at(day)
            self._anchors[symbol] = math.log(profiles[symbol].reference_price) - away
            # from the reference at once, so that exchanges of one seed begin where the others are
            self._rejoin(symbol, self.reference(symbol))

    def open(self) -> None:
        """Fills the empty books."""
        now = self._core.now()
        for symbol, quoter in self._quoters.items():
            quoter.open(self._middle(symbol), now)
        self._core.outbox.flush(now)

    # -- time ---------------------------------------------------------------------------------------------------

    def step(self, now_ms: int) -> None:
        """Advances the market from the last step to `now_ms`, a pause like a minute at most.

        No effect if time did not advance, or when frozen.
        """
        duration = now_ms - self._last_step_ms
        self._last_step_ms = max(now_ms, self._last_step_ms)
        if duration <= 0:
            return
        if self.frozen:
            self._behind_ms += min(duration, _LONGEST_PAUSE_MS)
            return
        caught_up = min(self._behind_ms, _CATCHING_UP * duration)
        self._behind_ms -= caught_up
        self._market_ms += caught_up
        self._pass(min(duration, _LONGEST_PAUSE_MS))

    def advance(self, duration_ms: int) -> None:
        """Lets so much time pass in the market at once, frozen or not. Events bear the time of the clock."""
        self._behind_ms = max(0, self._behind_ms - duration_ms)
        while duration_ms > 0:
            self._pass(min(duration_ms, _SLICE_MS))
            duration_ms -= _SLICE_MS

    def _pass(self, duration_ms: int) -> None:
        self._market_ms += duration_ms
        seconds = duration_ms / 1000
        kept = math.exp(-seconds / _NOISE_S)
        fresh = _NOISE * math.sqrt(1 - kept * kept)
        for asset in self._noise:
            self._noise[asset] = kept * self._noise[asset] + fresh * self._draws.gauss()
        now = self._core.now()
        self._end_what_is_due(now)
        if self.player is not None:
            self.player.advance(duration_ms, now)
        for symbol, quoter in self._quoters.items():
            if not self._is_played(symbol):
                quoter.step(self._middle(symbol), seconds, now)
        self._core.outbox.flush(now)

    def end_planted(self) -> None:
        """Takes out what was planted and has stood for its time: to the millisecond; a step does it as well."""
        now = self._core.now()
        self._end_planted(now)
        self._core.outbox.flush(now)

    def _end_planted(self, now: int) -> None:
        market_ms = self._market_now_ms()
        for symbol in [symbol for symbol, until_ms in self._planted_until.items() if until_ms <= market_ms]:
            del self._planted_until[symbol]
            self._quoters[symbol].unplant(now)

    def _market_now_ms(self) -> int:
        """The market's time, which goes on between two steps."""
        return self._market_ms + (0 if self.frozen else max(0, self._core.now() - self._last_step_ms))

    def _end_what_is_due(self, now: int) -> None:
        """Planted orders, quiet hours, waiting for a listing."""
        self._end_planted(now)
        for symbol in [symbol for symbol, listed_ms in self._listings.items() if listed_ms <= now]:
            del self._listings[symbol]
            self._set_status(symbol, MarketStatus.TRADING, now)
            self._requote(symbol, now)
        for symbol, quiet in self._quiet.items():
            if quiet.hold(now) is not self._quoters[symbol].quiet:
                self._quoters[symbol].quiet = not self._quoters[symbol].quiet
                self._requote(symbol, now)

    def _requote(self, symbol: str, now: int) -> None:
        """Puts fresh quotes into the book of a symbol that trades."""
        quoter = self._quoters[symbol]
        quoter.clear(now)
        self._planted_until.pop(symbol, None)
        if self._core.markets[symbol].status is MarketStatus.TRADING and not self._is_played(symbol):
            quoter.open(self._middle(symbol), now)

    # -- prices -------------------------------------------------------------------------------------------------

    def reference(self, symbol: str) -> float:
        """The common reference price, which knows of no exchange and no shape."""
        return math.exp(self._reference(symbol))

    def _reference(self, symbol: str) -> float:
        market = self._core.markets[symbol]
        base, quote = self._walks[market.base], self._walks[market.quote]
        return self._anchors[symbol] + base.at_ms(self._market_ms) - quote.at_ms(self._market_ms)

    def _middle(self, symbol: str) -> float:
        market = self._core.markets[symbol]
        noise = self._noise.get(market.base, 0.0) - self._noise.get(market.quote, 0.0)
        return math.exp(self._paths[symbol].log(self._reference(symbol), self._market_ms) + noise)

    def _rejoin(self, symbol: str, price: float) -> None:
        """Lets a symbol's price go from where it is to the reference, in minutes."""
        self._paths[symbol] = PricePath(self._reference(symbol), price, self._market_ms)

    def volatility(self, symbol: str) -> float:
        """Usual deviation of a symbol's daily change, as a fraction."""
        market = self._core.markets[symbol]
        return math.hypot(*(self._walks[asset].daily_volatility for asset in (market.base, market.quote)))

    # -- shapes -------------------------------------------------------------------------------------------------

    def shape_of(self, symbol: str) -> Shape:
        """What is shaped in a symbol."""
        return self._shapes[symbol]

    def profile_of(self, symbol: str) -> MarketProfile:
        """How a symbol behaves now."""
        return self._quoters[symbol].profile

    def shape(self, symbol: str, shape: Shape) -> None:
        """Shapes a symbol from now on; its books show it at once. `USUAL` leads the price back to the reference.

        Raises:
            ValueError: a window of `quiet` is none.
        """
        quiet = QuietHours(shape.quiet)
        before, self._shapes[symbol] = self._shapes[symbol], shape
        self._quiet[symbol] = quiet
        reference, usual = self._reference(symbol), self._profiles[symbol]
        if shape == USUAL:
            self._rejoin(symbol, self._middle(symbol))
        elif (shape.volatility, shape.drift) != (before.volatility, before.drift):
            factor = 1.0 if shape.volatility is None else shape.volatility / self.volatility(symbol)
            self._paths[symbol].follow(factor, math.log1p(shape.drift), reference, self._market_ms)
        self._paths[symbol].basis_bps = shape.basis_bps
        quoter = self._quoters[symbol]
        changes: dict[str, float] = {}
        if shape.spread_bps is not None:
            width = shape.spread_bps * BPS * usual.reference_price / quoter.tick
            changes["spread_ticks"] = max(1, round(width))
        if shape.depth is not None:
            changes["level_notional"] = shape.depth
        if shape.trade_rate is not None:
            changes["trades_per_day"] = round(shape.trade_rate * _DAY_S)
        quoter.profile = msgspec.structs.replace(usual, **changes)
        now = self._core.now()
        quoter.quiet = quiet.hold(now)
        self._requote(symbol, now)
        self._core.outbox.flush(now)

    def shock(self, symbol: str, fraction: float, return_ms: int) -> None:
        """Lets the price jump by a fraction above -1; it comes back evenly in `return_ms`, or not if that is 0."""
        self._paths[symbol].shock(math.log1p(fraction), return_ms, self._market_ms)
        now = self._core.now()
        self._requote(symbol, now)
        self._core.outbox.flush(now)

    def plant(self, symbol: str, *, is_buy: bool, bps: float, lots: int, for_ms: int) -> int:
        """Puts up an order that is better than the reference by so much, for users alone; its price in ticks."""
        quoter, now = self._quoters[symbol], self._core.now()
        ticks = self.reference(symbol) * (1 + bps * BPS * (1 if is_buy else -1)) / quoter.tick
        price = max(1, math.ceil(ticks) if is_buy else math.floor(ticks))
        quoter.plant(is_buy=is_buy, price=price, lots=lots, now=now)
        self._planted_until[symbol] = self._market_now_ms() + for_ms
        self._core.outbox.flush(now)
        return price

    def planted_lots(self, symbol: str) -> int:
        """What is left of a planted order; 0 if there is none."""
        planted = self._quoters[symbol].planted
        return planted.remaining if planted is not None and planted.is_open else 0

    def list_from(self, symbol: str, listed_ms: int) -> None:
        """A symbol was listed at a time (the start of a day), or will be: before, it has no past and takes no orders."""
        now = self._core.now()
        market = self._core.markets[symbol]
        market.data.list_from(listed_ms)
        self._listings.pop(symbol, None)
        if listed_ms > now:
            self._listings[symbol] = listed_ms
            market.last = None
            self._set_status(symbol, MarketStatus.HALTED, now)
        elif market.status is not MarketStatus.TRADING:
            self._set_status(symbol, MarketStatus.TRADING, now)
        self._requote(symbol, now)
        self._core.outbox.flush(now)

    def _set_status(self, symbol: str, status: MarketStatus, now: int) -> None:
        market = self._core.markets[symbol]
        if market.status is not status:
            market.status = status
            self._core.outbox.add(MarketStatusChange(symbol, status, now))

    # -- recordings ---------------------------------------------------------------------------------------------

    def play(self, player: Player) -> None:
        """Lets a recording make the markets of its symbols, from empty books."""
        self.stop_playing()
        self.player = player
        now = self._core.now()
        for symbol in player.symbols:
            self._requote(symbol, now)
        self._core.outbox.flush(now)

    def stop_playing(self) -> None:
        """The model takes the recording's symbols back, from their last prices."""
        player, self.player = self.player, None
        if player is None:
            return
        now = self._core.now()
        player.clear(now)
        for symbol in player.symbols:
            last = self._core.markets[symbol].last
            self._rejoin(symbol, self._middle(symbol) if last is None else last * self._quoters[symbol].tick)
            self._requote(symbol, now)
        self._core.outbox.flush(now)

    def end_recording(self) -> None:
        """Completes the file that is being written, if one is."""
        recorder, self.recorder = self.recorder, None
        if recorder is not None:
            recorder.close()

    def _is_played(self, symbol: str) -> bool:
        return self.player is not None and symbol in self.player.symbols
