"""The parts of an exchange, wired together: for `VirtualExchange`, the market model and the seeding of accounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from planar.venue.engine.accounts import Accounts
from planar.venue.engine.history import History
from planar.venue.engine.intake import Intake
from planar.venue.engine.ledger import Ledger
from planar.venue.engine.linked import LinkedMatcher
from planar.venue.engine.lists import Lists
from planar.venue.engine.market import Market
from planar.venue.engine.market_data import MarketData
from planar.venue.engine.outbox import Outbox
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.scale import Scale
from planar.venue.engine.specs import SymbolSpec


class Core:
    """The state of an exchange. Times are given to each operation; `now` reads the clock."""

    def __init__(
        self,
        symbols: Sequence[SymbolSpec],
        *,
        seed: int,
        clock: Callable[[], int],
        histories: Mapping[str, History],
    ) -> None:
        self._clock = clock
        self._newest = clock()
        self.ledger = Ledger()
        self.accounts = Accounts(self.ledger)
        self.outbox = Outbox()
        self.matcher = LinkedMatcher(self.ledger, self.outbox)
        self.lists = Lists()
        self.intake = Intake(seed)
        self.markets: dict[str, Market] = {}
        for spec in symbols:
            data = MarketData(Scale.of(spec), histories.get(spec.symbol), self._newest)
            self.markets[spec.symbol] = Market(spec, data)

    def now(self) -> int:
        """The time in ms; never before an earlier answer."""
        self._newest = max(self._newest, self._clock())
        return self._newest

    def market(self, symbol: str) -> Market:
        """A market. Raises EngineReject UNKNOWN_SYMBOL."""
        market = self.markets.get(symbol)
        if market is None:
            raise EngineReject(RejectReason.UNKNOWN_SYMBOL, f"symbol {symbol!r} is not listed")
        return market

    def audit(self) -> list[str]:
        """Everything that should agree and does not: ledger, locks, books. Empty when all is well."""
        faults = self.ledger.audit()
        for account in self.accounts.users():
            held: dict[str, int] = {}
            for log in account.logs.values():
                for order in log.open.values():
                    held[order.pays] = held.get(order.pays, 0) + order.held
                    if order.held != order.expected_hold():
                        faults.append(f"{account.name} {order.market.symbol} order {order.id} holds {order.held}")
            for asset in {**account.locked, **held}:
                if account.locked.get(asset, 0) != held.get(asset, 0):
                    faults.append(f"{account.name} {asset}: locked is not the sum of what open orders hold")
                if account.free(asset) < 0:
                    faults.append(f"{account.name} {asset}: more is locked than there is")
        for market in self.markets.values():
            faults += market.audit()
        return faults
