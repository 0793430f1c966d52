"""Every option of every kind of order on any id, with the request recorded: what was asked for is in it, or it was refused.

What is looked for in a request is the value itself: numbers that stand nowhere else, and the words in which exchanges say
what CCXT calls IOC, FOK and post-only.
"""

from __future__ import annotations

import base64
import itertools
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_plus

import msgspec
from tests.matrix.kit import ANSWERS, SPOT, SWAP, TIMEOUT_MS, Bench, Recorder, open_bench

import planar.runtime as runtime
from planar.adapters.base import OrderRequest
from planar.errors import Outcome, PlanarError
from planar.models import Amount
from planar.orders.rules import check_order

STARTS_MS = 1_790_000_000_000
AMOUNT, PRICE, TRIGGER, COST, ICEBERG = (Amount(text) for text in ("13", "20011", "19007", "57.5", "7"))

FORMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "limit": {"type": "limit", "price": PRICE},
    "market": {"type": "market"},
    "cost": {"type": "market", "amount": None, "cost": COST},
    "stop": {"type": "market", "stop_price": TRIGGER},
    "stop limit": {"type": "limit", "price": PRICE, "stop_price": TRIGGER},
    "take profit": {"type": "market", "stop_price": TRIGGER, "trigger": "take_profit"},
    "take profit limit": {"type": "limit", "price": PRICE, "stop_price": TRIGGER, "trigger": "take_profit"},
    "trailing": {"type": "market", "trailing_percent": Amount("1.5")},
}
OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "plain": {},
    "gtc": {"time_in_force": "GTC"},
    "ioc": {"time_in_force": "IOC"},
    "fok": {"time_in_force": "FOK"},
    "post only": {"post_only": True},
    "gtd": {"time_in_force": "GTD", "expire_at_ms": STARTS_MS + 3_600_000},
    "reduceOnly": {"params": {"reduceOnly": True}},
    "hedged": {"params": {"hedged": True}},
    "selfTradePrevention": {"params": {"selfTradePrevention": "EXPIRE_TAKER"}},
    "icebergAmount": {"params": {"icebergAmount": str(ICEBERG)}},
    "marginMode": {"params": {"marginMode": "isolated"}},
    "leverage": {"params": {"leverage": 3}},
    "triggerPriceType": {"params": {"triggerPriceType": "mark"}},
    "raw": {"params": {"flavour": "mint"}},
}
SAID: Final[Mapping[str, str]] = {
    "ioc": r"ioc|immediate|fak|\"order_type\": 4|timeinforce=2\b",
    "fok": r"fok|fill.?or.?kill|\"order_type\": 9|timeinforce=3\b",
    "post only": r"post|maker|\bpo\b|gtx|\bpoc\b|\balo\b",
    "icebergAmount": r"\b7\b",
    "raw": r"flavour\W+mint",
}
"""Option -> how exchanges say it."""
READY: Final[Mapping[str, Mapping[str, Any]]] = {
    "bitvavo": {"operatorId": 1},
    "bybit": {"enableUnifiedMargin": False, "enableUnifiedAccount": True},
    "kucoin": {"uta": False},
}
"""What CCXT would ask the exchange first, as if it had."""


class Try(msgspec.Struct, frozen=True):
    """One order.

    Attributes:
        sent: the requests, as text; "" if none left.
        error: that came out, if one did.
    """

    symbol: str
    form: str
    side: str
    option: str
    sent: str = ""
    error: BaseException | None = None

    def lost(self) -> list[str]:
        """What was asked for, was sent without a word of it."""
        if "BTC" not in self.sent.upper():
            return []  # nothing of the order: CCXT asks something first, and did not like the answer
        wanted = {"cost": str(COST)} if self.form == "cost" else {"amount": str(AMOUNT)}
        if "limit" in self.form:
            wanted["price"] = str(PRICE)
        if self.form.startswith(("stop", "take")):
            wanted["trigger"] = str(TRIGGER)
        found = [name for name, text in wanted.items() if text not in self.sent]
        said = SAID.get(self.option)
        return [*found, self.option] if said and not re.search(said, self.sent, re.IGNORECASE) else found


def wishes() -> Iterator[tuple[str, str, str, str, OrderRequest]]:
    """(symbol, form, side, option, order) of all combinations."""
    for symbol, form, option in itertools.product((SPOT, SWAP), FORMS, OPTIONS):
        side = "sell" if form in ("take profit", "stop") else "buy"
        words = {"amount": AMOUNT, **FORMS[form], **OPTIONS[option]}
        yield symbol, form, side, option, OrderRequest("plmatrix000001", symbol, side, **words)


async def _tried(bench: Bench, recorder: Recorder, request: OrderRequest) -> BaseException | None:
    try:
        table = bench.adapter.order_kinds(request.symbol)
        check_order(request, bench.exchange.market(request.symbol), bench.id, table, band=None, last_price=None)
        await bench.adapter.submit(request, timeout_ms=TIMEOUT_MS, on_send=lambda: None)
    except Exception as error:
        return error
    return None


async def _play(exchange_id: str) -> list[Try]:
    recorder, tries = Recorder(), list[Try]()
    with tempfile.TemporaryDirectory() as directory:
        bench, dialer = open_bench(exchange_id, recorder, Path(directory))
        bench.adapter.exchange.options.update(READY.get(exchange_id, {}))
        try:
            for symbol, form, side, option, request in wishes():
                recorder.begin(ANSWERS["{}"]())
                error = await _tried(bench, recorder, request)
                sent = " ".join(f"{one.name}?{_readable(one.fields)}" for one in recorder.requests)
                tries.append(Try(symbol, form, side, option, sent, error))
        finally:
            await bench.close()
            await dialer.close()
    return tries


def _readable(fields: str) -> str:
    """Fields as text; some exchanges take theirs as JSON in Base64."""
    if re.fullmatch(r"eyJ[A-Za-z0-9+/]+=*", fields):
        return base64.b64decode(fields).decode()
    return unquote_plus(fields)


def play_options(exchange_id: str) -> list[Try]:
    """All orders of one id, in virtual time."""
    return runtime.simulate(lambda: _play(exchange_id), seed=7, start_wall_ms=STARTS_MS, limit_s=10_000_000)


def wrong(tries: list[Try]) -> list[str]:
    """What broke the promise: sent or refused, and refused before anything was sent."""
    found: list[str] = []
    for one in tries:
        what = f"{one.symbol} {one.form} {one.option}"
        if one.lost():
            found.append(f"{what}: without {', '.join(one.lost())}: {one.sent[:200]}")
        if one.error is not None and not isinstance(one.error, PlanarError):
            found.append(f"{what}: {one.error!r}")
        if not one.sent and (one.error is None or getattr(one.error, "outcome", None) is not Outcome.NOT_SENT):
            found.append(f"{what}: nothing was sent, and {one.error!r} came out")
    return found
