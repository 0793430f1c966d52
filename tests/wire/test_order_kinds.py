"""Every kind of order, with every option, on both local exchanges: what was asked is what arrived, or it was refused before
anything was sent."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from safety_kit import SYMBOL, local_of

import planar
from planar.adapters.kinds import ORDER_KINDS
from planar.errors import BadRequest, InvalidOrder, NotSupported, OrderImmediatelyFillable, Outcome, PlanarError
from planar.exchange import Exchange
from planar.models import Amount, OrderState
from planar.testing.local_venue import LocalVenue, start_local_venue
from planar.venue.steering.clockwork import Freeze
from planar.venue.wire import LedgerQuery

VENUES = ("binance", "kraken")
AMOUNT = Amount("0.002")
END_MS = (int(time.time()) + 3_600) * 1_000

FORMS = {
    "limit": "limit",
    "market": "market",
    "stop": "stop_loss",
    "stop_limit": "stop_loss_limit",
    "take_profit": "take_profit",
    "take_profit_limit": "take_profit_limit",
    "trailing": "stop_loss",
    "trailing_limit": "stop_loss_limit",
    "trailing_amount": "stop_loss",
}
"""Form -> the kind that the exchange must have taken it for."""

OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "gtc": {"time_in_force": "GTC"},
    "ioc": {"time_in_force": "IOC"},
    "fok": {"time_in_force": "FOK"},
    "gtd": {"time_in_force": "GTD", "expire_at_ms": END_MS},
    "gtd, no end": {"time_in_force": "GTD"},
    "an end, no gtd": {"expire_at_ms": END_MS},
    "gtd, over": {"time_in_force": "GTD", "expire_at_ms": 1_000},
    "gtx": {"time_in_force": "GTX"},
    "post only": {"post_only": True},
    "post only, ioc": {"post_only": True, "time_in_force": "IOC"},
    "post only, gtd": {"post_only": True, "time_in_force": "GTD", "expire_at_ms": END_MS},
    "cost": {"cost": "50"},
}

LACKS = {
    "binance": {"gtd", "trailing_amount"},
    "kraken": {"fok", "trailing_limit"},
}
"""By the exchanges' documentation."""


@pytest.fixture(scope="module")
def running() -> Iterator[LocalVenue]:
    with start_local_venue(VENUES, seed=17) as venue:
        for name in VENUES:
            venue.command(Freeze(), venue=name)
        yield venue


@pytest.fixture(autouse=True)
def state(running: LocalVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    running.faults.clear()


@pytest.fixture(params=VENUES)
async def exchange(request: pytest.FixtureRequest, running: LocalVenue) -> AsyncIterator[Exchange]:
    async with planar.open(local_venue=local_of(running)) as opened:
        yield await opened.exchange(request.param, environment="local")


class Asked:
    """One order as it is asked for, and what must become of it."""

    def __init__(self, form: str, side: str, option: str, last: float) -> None:
        self.form, self.side, self.options = form, side, OPTIONS[option]
        below, above = round(last * 0.9, 1), round(last * 1.1, 1)
        worse, better = (below, above) if side == "sell" else (above, below)
        self.limit = form == "limit" or form.endswith("_limit")
        self.price = better if self.limit else None
        self.words: dict[str, Any] = dict(self.options)
        if form.startswith("stop"):
            self.words["trigger_price"] = worse
        if form.startswith("take_profit"):
            self.words["take_profit"] = better
        if form in ("trailing", "trailing_limit"):
            self.words["trailing_percent"] = "1.5"
        if form == "trailing_amount":
            self.words["trailing_amount"] = "100"
        self.amount = None if "cost" in self.options else AMOUNT

    def __repr__(self) -> str:
        return f"{self.form} {self.side} {self.options}"

    def fits(self, exchange: str) -> bool:
        """Whether the words go together and the exchange has it."""
        lived, post_only = self.options.get("time_in_force"), self.options.get("post_only", False)
        if self.form in LACKS[exchange] or str(lived).lower() in LACKS[exchange] or lived == "GTX":
            return False
        if (lived == "GTD") != (self.options.get("expire_at_ms") == END_MS) or (lived and not self.limit):
            return False
        if self.options.get("expire_at_ms", END_MS) != END_MS:
            return False
        if post_only and (self.form != "limit" or lived == "IOC"):
            return False
        if "cost" in self.options:
            return self.form == "market" and (exchange == "binance" or self.side == "buy")
        return True

    def row(self) -> dict[str, Any]:
        """What the exchange's ledger must say of it."""
        found: dict[str, Any] = {
            "kind": FORMS[self.form],
            "side": self.side,
            "post_only": self.options.get("post_only", False),
            "price": self.price,
            "stop_price": self.words.get("trigger_price", self.words.get("take_profit")),
        }
        if self.amount is not None:
            found["amount"] = self.amount
        found["quote_amount"] = self.options.get("cost")
        if self.limit:
            lived = self.options.get("time_in_force", "GTC").lower()
            found["tif"] = "gtc" if lived == "gtd" else lived
        return found


def same(asked: Any, arrived: Any) -> bool:
    if isinstance(asked, int | float | Amount) and not isinstance(asked, bool):
        return arrived is not None and Amount(asked) == Amount(arrived)
    return asked == arrived


async def test_what_was_asked_is_what_arrived_or_was_refused_before(exchange: Exchange, running: LocalVenue) -> None:
    last = (await exchange.fetch_ticker(SYMBOL)).last
    assert last is not None
    mine = LedgerQuery(kind="orders", account="alice")
    before = {row["id"] for row in running.control.ledger(mine, venue=exchange.id)["orders"]}
    sent = refused = 0
    for form in FORMS:
        for side in ("buy", "sell"):
            for option in OPTIONS:
                asked = Asked(form, side, option, last)
                kind = "limit" if asked.limit else "market"
                call = exchange.create_order(SYMBOL, kind, side, asked.amount, asked.price, **asked.words)
                if not asked.fits(exchange.id):
                    with pytest.raises((InvalidOrder, NotSupported)) as caught:
                        await call
                    assert caught.value.outcome is Outcome.NOT_SENT, asked
                    assert caught.value.hint, asked
                    refused += 1
                    continue
                order = await call
                sent += 1
                query = LedgerQuery(kind="orders", client_id=order.client_order_id)
                (row,) = running.control.ledger(query, venue=exchange.id)["orders"]
                wrong = {name: row[name] for name, value in asked.row().items() if not same(value, row[name])}
                assert not wrong, (asked, wrong)
                trails = row.get("trailing") or {}
                assert same(Amount("0.015") if "trailing_percent" in asked.words else None, trails.get("fraction"))
                assert same(Amount(100) if "trailing_amount" in asked.words else None, trails.get("offset"))
                if asked.options.get("time_in_force") == "GTD":
                    shown = await exchange.fetch_order(order.id, SYMBOL)
                    assert float(shown.raw["expiretm"]) * 1_000 == END_MS
                if order.is_open and exchange.id == "binance":  # which limits how many stops are open
                    await exchange.cancel_order(order.id, SYMBOL)
    after = {row["id"] for row in running.control.ledger(mine, venue=exchange.id)["orders"]}
    assert len(after - before) == sent
    assert sent + refused == len(FORMS) * 2 * len(OPTIONS)
    assert sent >= 25


async def test_the_table_names_every_kind_and_gives_a_reason_for_what_is_refused(exchange: Exchange) -> None:
    table = exchange.order_kinds(SYMBOL)
    assert list(table) == list(ORDER_KINDS)
    for kind, row in table.items():
        assert row.source, kind
        assert row.how == "native" or row.why, kind


async def test_words_that_contradict_or_attach_are_refused(exchange: Exchange) -> None:
    async def refused(error: type[PlanarError], *args: Any, **words: Any) -> PlanarError:
        with pytest.raises(error) as caught:
            await exchange.create_order(SYMBOL, *args, **words)
        assert caught.value.outcome is Outcome.NOT_SENT
        return caught.value

    sell = ("market", "sell", "0.002")
    both = await refused(BadRequest, *sell, None, {"takeProfitPrice": 1}, stop_loss=2)
    assert "create_oco" in str(both.hint)
    await refused(BadRequest, *sell, None, {"triggerPrice": 1}, trigger_price=1)
    attached = await refused(NotSupported, *sell, None, {"stopLoss": {"triggerPrice": 1}})
    assert "create_bracket" in str(attached.hint)
    await refused(InvalidOrder, *sell, trigger_price=1, trailing_percent=1)
    for percent in (0, 100, "1.555"):
        await refused(InvalidOrder, *sell, trailing_percent=percent)
    if exchange.id == "kraken":
        ends = await refused(
            InvalidOrder, "limit", "buy", "0.002", 30_000, time_in_force="GTD", expire_at_ms=END_MS + 1
        )
        assert str(END_MS) in str(ends.hint)
    with pytest.raises(TypeError, match="postonly"):
        await exchange.create_order(SYMBOL, *sell, postonly=True)  # type: ignore[call-arg]


@pytest.mark.parametrize("name", ["kraken"])
async def test_a_trigger_that_the_market_has_passed_does_not_execute_at_once(name: str, running: LocalVenue) -> None:
    async with planar.open(local_venue=local_of(running)) as opened:
        exchange = await opened.exchange(name, environment="local")
        last = (await exchange.fetch_ticker(SYMBOL)).last or 0.0
        above, below = round(last * 1.05, 1), round(last * 0.95, 1)
        wrong = (("sell", {"stop_loss": above}), ("buy", {"stop_loss": below}))
        wrong += (("sell", {"take_profit": below}), ("buy", {"take_profit": above}))
        for side, words in wrong:
            with pytest.raises(OrderImmediatelyFillable) as caught:
                await exchange.create_order(SYMBOL, "market", side, "0.002", **words)
            assert caught.value.outcome is Outcome.NOT_SENT


async def test_an_order_sized_by_cost_ends_filled(exchange: Exchange) -> None:
    """Its volume is told in quote currency by one of the exchanges; taken for base it would never be filled."""
    order = await exchange.create_order(SYMBOL, "market", "buy", cost="50")
    done = await order.settled(5)
    assert done.state is OrderState.FILLED
    assert done.cost is not None
    assert 45 < done.cost <= 50
    again = await exchange.fetch_order(order.id, SYMBOL)
    assert again.state is OrderState.FILLED
    assert again.amount is None or again.amount < 1
