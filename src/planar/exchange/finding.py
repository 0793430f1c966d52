"""Finding markets to trade: by currency, type and volume, without those that are about to end."""

from __future__ import annotations

import planar.runtime as runtime
from planar.errors import BadRequest, Outcome
from planar.exchange.composed_account import ComposedMethods
from planar.exchange.core import number
from planar.exchange.listing import Standing, Tokens, bases_of, is_leveraged_token, standing, tradable
from planar.models import AmountLike, Ticker


class FindingMethods(ComposedMethods):
    """See the module's docstring."""

    async def tradable_symbols(
        self,
        *,
        base: str | None = None,
        quote: str | None = None,
        type: str | None = "spot",
        min_quote_volume: AmountLike | None = None,
        leveraged_tokens: Tokens = "no",
        delisting: bool = False,
        timeout_ms: int | None = None,
    ) -> list[str]:
        """Symbols of markets that can be traded now, in alphabetical order. Costs no request without `min_quote_volume`.

        Args:
            base, quote: of these currencies only.
            type: "spot", "swap", "future" or "option"; None: any.
            min_quote_volume: of the last 24 hours, in quote currency; markets whose volume nobody tells are left out.
            leveraged_tokens: BTC3L, ETHDOWN and the like: "no", "yes", or "only" them.
            delisting: those too that the exchange says will end.
        """
        self._check_loop()
        if leveraged_tokens not in ("no", "yes", "only"):
            raise BadRequest(
                f"leveraged_tokens is {leveraged_tokens!r}",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint='"no", "yes" or "only"',
            )
        found = tradable(
            self._markets.values(),
            runtime.wall_ms(),
            base=base,
            quote=quote,
            type=type,
            leveraged_tokens=leveraged_tokens,
            delisting=delisting,
        )
        symbols, least = [market.symbol for market in found], number(min_quote_volume)
        if least is None or not symbols:
            return symbols
        tickers = await self.fetch_tickers(symbols, timeout_ms=timeout_ms)
        volumes = {name: _quote_volume(tickers[name]) for name in symbols if name in tickers}
        return [name for name in symbols if (volume := volumes.get(name)) is not None and volume >= least]

    def market_standing(self, symbol: str) -> Standing:
        """Whether a market trades, is about to end, or does not trade: see `planar.exchange.listing.Standing`."""
        return standing(self.market(symbol), runtime.wall_ms())

    def is_leveraged_token(self, symbol: str) -> bool:
        """Whether a market trades a leveraged token: a share in a fund that holds a multiple of another listed base."""
        return is_leveraged_token(self.market(symbol), bases_of(self._markets.values()))


def _quote_volume(ticker: Ticker) -> float | None:
    """As the exchange tells it, else by its own average price; else None."""
    if ticker.quote_volume is not None or ticker.base_volume is None or ticker.vwap is None:
        return ticker.quote_volume
    return ticker.base_volume * ticker.vwap
