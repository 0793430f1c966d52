"""Several fees of one execution, fees in the currency that was bought, and orders that are filled beyond their amount."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from planar.models import Amount, Fill, Order, OrderState
from planar.models.orders import Fee
from planar.orders.balances import effect_of
from planar.orders.events import FeeSeen, FillSeen, Intent, Sending
from planar.orders.journal import Journal
from planar.orders.journal_schema import decode_events, encode_event
from planar.orders.overfills import watch_overfills
from planar.orders.store import OrderStore
from planar.orders.view import fill_event, order_of
from planar.transport.alarms import Alarm, Alarms

CID = "plaaaaaaaa000001bbbb"
BOUGHT = Fill(
    id="1",
    order_id="17",
    symbol="BTC/USDT",
    side="buy",
    price=Amount(100),
    amount=Amount("0.4"),
    fees=(Fee(cost=Amount("0.0004"), currency="BTC"), Fee(cost=Amount("0.01"), currency="KFEE")),
)


class Sink:
    def __init__(self) -> None:
        self.told: list[Alarm] = []

    async def send(self, alarm: Alarm) -> None:
        self.told.append(alarm)

    async def close(self) -> None: ...


@pytest.fixture
def store(tmp_path: Path) -> OrderStore:
    journal = Journal(tmp_path / "j.db", "process")
    journal.open()
    store = OrderStore(journal)
    store.replay()
    store.record(
        Intent(CID, 1, symbol="BTC/USDT", side="buy", type="limit", amount=Amount(1), price=Amount(100)),
        Sending(CID, 2, expiry_ms=9),
    )
    return store


def test_every_fee_of_an_execution_counts(store: OrderStore) -> None:
    event = fill_event(BOUGHT, CID)
    assert (event.fee, event.fees) == (None, (FeeSeen(Amount("0.0004"), "BTC"), FeeSeen(Amount("0.01"), "KFEE")))
    (again,) = decode_events([1], [encode_event(event)], Path("j.db"))
    assert again == event
    store.keep(event)
    order = store.order(CID)
    assert order.fees == BOUGHT.fees
    assert effect_of(store.facts(CID)) == {
        "BTC": Amount("0.3996"),
        "USDT": Amount(-40),
        "KFEE": Amount("-0.01"),
    }


def test_filled_is_before_fees_and_received_after(store: OrderStore) -> None:
    store.keep(fill_event(BOUGHT, CID))
    order = store.order(CID)
    assert (order.filled, order.received) == (Amount("0.4"), Amount("0.3996"))
    store.keep(fill_event(Fill(id="2", symbol="BTC/USDT", side="buy", price=Amount(100), amount=Amount("0.1")), CID))
    assert (store.order(CID).filled, store.order(CID).received) == (Amount("0.5"), None)


def test_what_a_sale_brings() -> None:
    sold = Order(
        symbol="BTC/USDT",
        side="sell",
        state=OrderState.FILLED,
        filled=Amount(2),
        cost=Amount(200),
        fees=(Fee(cost=Amount("0.2"), currency="USDT"), Fee(cost=Amount(1), currency="BNB")),
    )
    assert sold.received == Amount("199.8")
    assert Order(symbol="BTC/USDT", side="buy", state=OrderState.OPEN, filled=Amount(0)).received == 0


def test_one_fee_stays_where_older_journals_have_it() -> None:
    one = fill_event(Fill(**{**_fields(BOUGHT), "fees": BOUGHT.fees[:1]}), CID)
    assert (one.fee, one.fee_currency, one.fees) == (Amount("0.0004"), "BTC", ())
    assert one.all_fees == (FeeSeen(Amount("0.0004"), "BTC"),)
    assert FillSeen(CID, 1, trade_id="2").all_fees == ()


def _fields(fill: Fill) -> dict[str, object]:
    return {name: getattr(fill, name) for name in fill.__struct_fields__}


async def test_more_than_was_wished_is_an_alarm_each_time_it_grows(store: OrderStore) -> None:
    alarms, sink = Alarms(), Sink()
    alarms.add(sink)
    told = sink.told
    watch_overfills(store, alarms, "kraken", "main")

    def fill(number: int, amount: str) -> None:
        store.keep(FillSeen(CID, number, trade_id=str(number), order_id="17", price=Amount(100), amount=Amount(amount)))

    fill(1, "0.9")
    assert told == []
    fill(2, "0.2")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [(alarm.kind, alarm.severity, alarm.data["overfilled"]) for alarm in told] == [
        ("order_overfilled", "error", "0.1")
    ]
    fill(2, "0.2")
    await asyncio.sleep(0)
    assert len(told) == 1
    assert order_of(store.facts(CID), None).state is OrderState.FILLED
