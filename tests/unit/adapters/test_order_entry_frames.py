"""What is said over the sockets for orders means what REST would have said, and is signed by it; else it goes by REST."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import ccxt.async_support as ccxt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from planar.adapters.binance.entry import ENTRY as BINANCE
from planar.adapters.binance.entry import METHODS
from planar.adapters.kraken.entry import ENTRY as KRAKEN
from planar.adapters.socket_entry import Asked
from planar.venue.wire import kraken
from planar.venue.wire.binance.routes import WEBSOCKET

PAIR = {"pair": "XBTUSDT", "type": "buy"}
EXCHANGE = SimpleNamespace(markets_by_id={"XBTUSDT": [{"symbol": "BTC/USDT"}]})
READER = kraken.create(1, False).desk.reader("alice")


def said(method: str, params: dict[str, Any]) -> dict[str, Any] | None:
    text = KRAKEN.frame(EXCHANGE, Asked(7, method, params, "the token"))
    if text is None:
        return None
    frame = json.loads(text, parse_float=Decimal)
    assert frame["method"] == method
    assert frame["req_id"] == 7
    assert frame["params"].pop("token") == "the token"
    return frame["params"]


numbers = st.integers(1, 9_000_000_000).map(lambda lots: f"{Decimal(lots) / 100_000:.5f}000")
prices = st.integers(1, 999_999).map(lambda tenths: f"{tenths / 10:.1f}")
kinds = st.one_of(
    st.fixed_dictionaries({"ordertype": st.just("limit"), "price": prices}),
    st.fixed_dictionaries({"ordertype": st.sampled_from(("stop-loss", "take-profit")), "price": prices}),
    st.fixed_dictionaries(
        {"ordertype": st.sampled_from(("stop-loss-limit", "take-profit-limit")), "price": prices, "price2": prices}
    ),
    st.just({"ordertype": "market"}),
)
extras = st.fixed_dictionaries(
    {},
    optional={
        "cl_ord_id": st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=18),
        "timeinforce": st.sampled_from(("GTC", "IOC")),
        "stptype": st.sampled_from(("cancel-newest", "cancel-oldest", "cancel-both")),
        "userref": st.integers(0, 2**31 - 1),
        "oflags": st.sampled_from(("fciq", "fcib")),
        "trigger": st.sampled_from(("last", "index")),
    },
)


@settings(max_examples=300)
@given(kind=kinds, side=st.sampled_from(("buy", "sell")), volume=numbers, extra=extras)
def test_the_venue_reads_the_same_order_from_both_doors(
    kind: dict[str, Any], side: str, volume: str, extra: dict[str, Any]
) -> None:
    if "trigger" in extra and "-" not in kind["ordertype"]:
        extra.pop("trigger")
    rest = {**PAIR, "type": side, "volume": volume, **kind, **extra}
    params = said("add_order", rest)
    assert params is not None
    assert READER.socket(params) == READER.rest(rest)


@pytest.mark.parametrize(
    "more",
    [
        {"ordertype": "market", "volume": "50", "oflags": "viqc"},
        {"ordertype": "limit", "price": "50000", "volume": "1", "oflags": "post"},
        {"ordertype": "iceberg", "price": "50000", "volume": "15", "displayvol": "1"},
        {"ordertype": "limit", "price": "50000", "volume": "1", "timeinforce": "GTD", "expiretm": "4102444800"},
    ],
    ids=["by cost", "post-only", "iceberg", "till a date"],
)
def test_special_orders_are_the_same_order(more: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    if "expiretm" in more:
        monkeypatch.setattr("planar.venue.clock.wall_ms", lambda: 4_102_444_800_000 - 86_400_000)
    params = said("add_order", {**PAIR, **more})
    assert params is not None
    assert READER.socket(params) == READER.rest({**PAIR, **more})


@pytest.mark.parametrize(
    "more",
    [
        {"ordertype": "trailing-stop", "price": "+5%", "volume": "1"},
        {"ordertype": "stop-loss", "price": "#5", "volume": "1"},
        {"ordertype": "limit", "price": "+1", "volume": "1"},
        {"ordertype": "limit", "price": "1e5", "volume": "1"},
        {"ordertype": "limit", "price": "1", "volume": "1", "leverage": "2"},
        {"ordertype": "limit", "price": "1", "volume": "1", "oflags": "nompp"},
        {"ordertype": "limit", "price": "1", "volume": "1", "close": {"ordertype": "limit", "price": "2"}},
        {"ordertype": "limit", "price": "1", "volume": "1", "validate": True},
        {"ordertype": "limit", "price": "1", "volume": "1", "expiretm": "+60", "timeinforce": "GTD"},
        {"ordertype": "limit", "price": "1", "volume": "1", "starttm": "+60"},
        {"ordertype": "limit", "price": "1", "volume": "1", "oflags": "viqc"},
        {"ordertype": "limit", "price": "1", "volume": "1", "something_new": "x"},
        {"ordertype": "limit", "price": "1", "volume": "1", "pair": "NOBODY"},
    ],
)
def test_what_the_socket_has_no_word_for_goes_by_rest(more: dict[str, Any]) -> None:
    assert said("add_order", {**PAIR, **more}) is None


def test_numbers_keep_their_digits() -> None:
    text = KRAKEN.frame(EXCHANGE, Asked(1, "add_order", {**PAIR, "ordertype": "market", "volume": "0.10000000"}, "t"))
    assert text is not None
    assert '"order_qty":0.10000000' in text


def test_cancels_and_changes() -> None:
    assert said("cancel_order", {"txid": "OAVY7T-MV5VK-KHDF5X"}) == {"order_id": ["OAVY7T-MV5VK-KHDF5X"]}
    assert said("cancel_order", {"cl_ord_id": "pl1"}) == {"cl_ord_id": ["pl1"]}
    assert said("cancel_order", {"txid": "17"}) is None  # a userref
    change = {"txid": "OAVY7T-MV5VK-KHDF5X", "order_qty": "1.5", "limit_price": "9.0", "post_only": "true"}
    assert said("amend_order", change) == {
        "order_id": "OAVY7T-MV5VK-KHDF5X",
        "order_qty": Decimal("1.5"),
        "limit_price": Decimal("9.0"),
        "post_only": True,
    }
    assert said("amend_order", {"txid": "O", "trigger_price": "+5%"}) is None


def signed(secret: str, params: dict[str, Any]) -> dict[str, Any]:
    exchange = ccxt.binance({"apiKey": "key", "secret": secret})
    exchange.nonce = lambda: 1_700_000_000_000
    text = BINANCE.frame(exchange, Asked(9, "order.place", params))
    assert text is not None
    frame = json.loads(text)
    assert (frame["id"], frame["method"]) == ("9", "order.place")
    return frame["params"]


ORDER = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.10", "orderId": "17", "recvWindow": 5_000}
PAYLOAD = b"apiKey=key&orderId=17&quantity=0.10&recvWindow=5000&side=BUY&symbol=BTCUSDT&timestamp=1700000000000"


def test_binance_signs_the_parameters_by_name_with_every_kind_of_key() -> None:
    params = signed("the secret", ORDER)
    assert params.pop("signature") == hmac.new(b"the secret", PAYLOAD, hashlib.sha256).hexdigest()
    assert params == {**ORDER, "orderId": 17, "apiKey": "key", "timestamp": 1_700_000_000_000}

    own = ed25519.Ed25519PrivateKey.generate()
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    pem = own.private_bytes(encoding, form, serialization.NoEncryption()).decode()
    own.public_key().verify(base64.b64decode(signed(pem, ORDER)["signature"]), PAYLOAD)

    large = rsa.generate_private_key(65_537, 2_048)
    pem = large.private_bytes(encoding, form, serialization.NoEncryption()).decode()
    signature = base64.b64decode(signed(pem, ORDER)["signature"])
    large.public_key().verify(signature, PAYLOAD, padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("value", [True, None, 0.5, ["a"], {"a": 1}])
def test_binance_parameters_that_are_no_plain_value_go_by_rest(value: object) -> None:
    exchange = ccxt.binance({"apiKey": "key", "secret": "secret"})
    assert BINANCE.frame(exchange, Asked(9, "order.place", {**ORDER, "odd": value})) is None


def test_every_method_of_binance_is_one_of_its_socket() -> None:
    assert set(METHODS.values()) <= set(WEBSOCKET)


def test_counters_and_waits_of_binance_become_the_headers_of_rest() -> None:
    counted = [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000, "count": 70},
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 50, "count": 3},
        {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 160_000, "count": 4},
        {"rateLimitType": "NEW_ONE", "interval": "DAY", "intervalNum": 1, "limit": 1, "count": 1},
    ]
    answer = BINANCE.answer({"id": "1", "status": 200, "result": {"a": 1}, "rateLimits": counted})
    assert answer.headers == {"X-MBX-USED-WEIGHT-1M": "70", "X-MBX-ORDER-COUNT-10S": "3", "X-MBX-ORDER-COUNT-1D": "4"}
    stop = {"code": -1003, "msg": "Too many", "data": {"serverTime": 1_000, "retryAfter": 3_500}}
    answer = BINANCE.answer({"id": "1", "status": 429, "error": stop})
    assert (answer.status, answer.headers) == (429, {"Retry-After": "3"})


@pytest.mark.parametrize(
    ("entry", "frame"),
    [
        (BINANCE, {"id": None, "status": 400, "error": {}}),
        (BINANCE, {"status": 200, "result": {}}),
        (KRAKEN, {"error": "Malformed request", "success": False}),
        (KRAKEN, {"success": True, "req_id": True, "result": {}}),
    ],
)
def test_an_answer_that_names_no_request_is_told_from_other_frames(entry: Any, frame: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="without id"):
        entry.whose(frame)


def test_other_frames_are_nobodys() -> None:
    assert BINANCE.whose({"event": {"e": "serverShutdown", "E": 1}}) is None
    assert BINANCE.leaving({"event": {"e": "serverShutdown", "E": 1}})
    assert KRAKEN.whose({"channel": "status", "type": "update", "data": []}) is None
    assert KRAKEN.whose({"method": "pong", "time_in": "", "time_out": ""}) is None


@pytest.mark.parametrize(
    ("entry", "frame"),
    [
        (BINANCE, {"id": "1", "status": "200", "result": {}}),
        (BINANCE, {"id": "1", "status": 200}),
        (BINANCE, {"id": "1", "status": 400, "result": {}}),
        (KRAKEN, {"success": "true", "req_id": 1, "method": "add_order", "result": {"order_id": "O"}}),
        (KRAKEN, {"success": True, "req_id": 1, "method": "add_order", "result": {}}),
        (KRAKEN, {"success": True, "req_id": 1, "method": "add_order", "result": []}),
        (KRAKEN, {"success": True, "req_id": 1, "method": "amend_order", "result": {"order_id": "O"}}),
        (KRAKEN, {"success": True, "req_id": 1, "method": "cancel_order", "result": {}}),
        (KRAKEN, {"success": True, "req_id": 1, "method": "of others", "result": {}}),
        (KRAKEN, {"success": False, "req_id": 1, "method": "add_order", "error": None}),
        (KRAKEN, {"success": 0, "req_id": 1, "method": "add_order", "error": "EOrder:x"}),
    ],
)
def test_an_answer_that_lacks_what_it_must_have_is_none(entry: Any, frame: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        entry.answer(frame)


def test_kraken_answers_in_the_form_of_rest() -> None:
    good = {"success": True, "req_id": 1, "method": "add_order", "result": {"order_id": "OA", "cl_ord_id": "pl1"}}
    assert json.loads(KRAKEN.answer(good).body) == {"error": [], "result": {"txid": ["OA"]}}
    bad = {"success": False, "req_id": 1, "method": "add_order", "error": "EOrder:Insufficient funds"}
    assert json.loads(KRAKEN.answer(bad).body) == {"error": ["EOrder:Insufficient funds"]}
