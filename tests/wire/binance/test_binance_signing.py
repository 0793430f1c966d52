"""Keys, signatures and clocks."""

from __future__ import annotations

import base64
from urllib.parse import quote, urlencode

import pytest
from binance_kit import REST, LocalBinance, local_binance, now_ms, sign
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from planar.venue.wire.binance import Settings
from planar.venue.wire.binance.errors import ApiError
from planar.venue.wire.binance.keys import ApiKey, Right, signed_payload

DOCUMENTED_SECRET = b"NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
ACCOUNT = "/api/v3/account"


@pytest.mark.parametrize(
    ("query", "body", "signature"),
    [
        (
            "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559",
            "",
            "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71",
        ),
        (
            "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC",
            "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559",
            "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77",
        ),
    ],
)
def test_documented_signatures(query: str, body: str, signature: str) -> None:
    key = ApiKey("k", "alice", DOCUMENTED_SECRET)
    payload = signed_payload(query.encode(), f"{body}&signature={signature}".encode())
    key.verify(payload, signature.upper())
    with pytest.raises(ApiError, match="Signature for this request is not valid"):
        key.verify(payload + b"1", signature)


def test_websocket_api_documented_signature() -> None:
    payload = (
        "apiKey=vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A&newOrderRespType=ACK&price=52000.00"
        "&quantity=0.01000000&recvWindow=100&side=SELL&symbol=BTCUSDT&timeInForce=GTC&timestamp=1645423376532&type=LIMIT"
    )
    ApiKey("k", "alice", DOCUMENTED_SECRET).verify(
        payload.encode(), "cc15477742bd704c29492d96c7ead9414dfd8e0ec4a00f947bb5bb454ddbd08a"
    )


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("place", ["query", "body", "mixed", "signature first"])
async def test_parameters_in_query_and_body(shared: LocalBinance, place: str) -> None:
    who = shared.account()
    first, second = (
        "symbol=BTCUSDT&side=BUY&type=LIMIT",
        f"timeInForce=GTC&quantity=0.001&price=50000&timestamp={now_ms()}",
    )
    whole = f"{first}&{second}"
    query, body = {
        "query": (f"{whole}&signature={sign(whole, who.secret)}", ""),
        "body": ("", f"{whole}&signature={sign(whole, who.secret)}"),
        "mixed": (first, f"{second}&signature={sign(first + second, who.secret)}"),
        "signature first": (f"signature={sign(whole, who.secret)}&{whole}", ""),
    }[place]
    answer = await shared.send("POST", f"{REST}/api/v3/order?{query}", body=body, key=who.apiKey)
    assert answer.status == 200, answer.text
    assert answer.json["status"] == "NEW"


@pytest.mark.asyncio(loop_scope="module")
async def test_query_wins_over_body(shared: LocalBinance) -> None:
    who = shared.account()
    query = f"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=50000&timestamp={now_ms()}"
    body = "price=40000"
    url = f"{REST}/api/v3/order?{query}&signature={sign(query + body, who.secret)}"
    answer = await shared.send("POST", url, body=body, key=who.apiKey)
    assert answer.json["price"] == "50000.00000000"


@pytest.mark.asyncio(loop_scope="module")
async def test_raw_bytes_are_signed_however_they_are_escaped(shared: LocalBinance) -> None:
    who = shared.account()
    query = f"symbol=%42TCUSDT&timestamp={now_ms()}"
    answer = await shared.send(
        "GET", f"{REST}/api/v3/openOrders?{query}&signature={sign(query, who.secret)}", key=who.apiKey
    )
    assert answer.status == 200, answer.text


@pytest.mark.asyncio(loop_scope="module")
async def test_ed25519(shared: LocalBinance) -> None:
    who = shared.account()
    private = serialization.load_pem_private_key(who.more["ed25519.secret"].encode(), None)
    query = f"timestamp={now_ms()}"
    signature = quote(base64.b64encode(private.sign(query.encode())), safe="")  # type: ignore[union-attr, call-arg]
    url = f"{REST}{ACCOUNT}?{query}&signature={signature}"
    answer = await shared.send("GET", url, key=who.more["ed25519.apiKey"])
    assert answer.status == 200
    assert answer.json["uid"] == (await shared.signed("GET", ACCOUNT)).json["uid"]
    wrong = await shared.send(
        "GET", url.replace("timestamp=", "recvWindow=9&timestamp="), key=who.more["ed25519.apiKey"]
    )
    assert wrong.error == (400, -1022, "Signature for this request is not valid.")


async def test_rsa_and_rights(binance: LocalBinance) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    key = binance.wire.desk.keys.add("bob", pem, frozenset({Right.USER_DATA}))

    async def send(method: str, path: str, **params: object) -> tuple[int, str]:
        query = urlencode({**params, "timestamp": now_ms()})
        raw = private.sign(query.encode(), padding.PKCS1v15(), hashes.SHA256())
        url = f"{REST}{path}?{query}&signature={quote(base64.b64encode(raw), safe='')}"
        answer = await binance.send(method, url, key=key)
        return answer.status, answer.text

    status, text = await send("GET", ACCOUNT)
    assert status == 200, text
    status, text = await send("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
    assert (status, '"code":-2015' in text) == (401, True)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("params", "error"),
    [
        (
            {"timestamp": None},
            (400, -1102, "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed."),
        ),
        (
            {"timestamp": "x1"},
            (400, -1100, "Illegal characters found in parameter 'timestamp'; legal range is '^[0-9]{1,20}$'."),
        ),
        ({"timestamp": -5001}, (400, -1021, "Timestamp for this request is outside of the recvWindow.")),
        ({"timestamp": 1100}, (400, -1021, "Timestamp for this request was 1000ms ahead of the server's time.")),
        (
            {"timestamp": -1500, "recvWindow": "1000.5"},
            (400, -1021, "Timestamp for this request is outside of the recvWindow."),
        ),
        (
            {"recvWindow": "60000.001"},
            (400, -1102, "'recvWindow' contains unexpected value. Cannot be greater than 60000."),
        ),
        (
            {"recvWindow": "1.2345"},
            (
                400,
                -1100,
                r"Illegal characters found in parameter 'recvWindow'; legal range is '^[0-9]{1,20}(\.[0-9]{1,3})?$'.",
            ),
        ),
    ],
)
async def test_clock(shared: LocalBinance, params: dict[str, object], error: tuple[int, int, str]) -> None:
    offset = params.pop("timestamp", 0)
    if isinstance(offset, int):
        params["timestamp"] = now_ms() + offset
    elif offset is not None:
        params["timestamp"] = offset
    query = urlencode(params)
    who = shared.account()
    url = f"{REST}{ACCOUNT}?{query}{'&' if query else ''}signature={sign(query, who.secret)}"
    assert (await shared.send("GET", url, key=who.apiKey)).error == error


@pytest.mark.asyncio(loop_scope="module")
async def test_timestamps_in_microseconds(shared: LocalBinance) -> None:
    assert (await shared.signed("GET", ACCOUNT, timestamp=now_ms() * 1000)).status == 200
    late = await shared.signed("GET", ACCOUNT, timestamp=(now_ms() - 6000) * 1000)
    assert late.error[1] == -1021


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("key", "signature", "error"),
    [
        (None, "0" * 64, (401, -2014, "API-key format invalid.")),
        ("short", "0" * 64, (401, -2014, "API-key format invalid.")),
        ("A" * 64, "0" * 64, (401, -2015, "Invalid API-key, IP, or permissions for action.")),
        ("own", "0" * 64, (400, -1022, "Signature for this request is not valid.")),
        (
            "own",
            "xyz",
            (400, -1100, "Illegal characters found in parameter 'signature'; legal range is '^[A-Fa-f0-9]{64}$'."),
        ),
        ("own", None, (400, -1102, "Mandatory parameter 'signature' was not sent, was empty/null, or malformed.")),
    ],
)
async def test_keys(shared: LocalBinance, key: str | None, signature: str | None, error: tuple[int, int, str]) -> None:
    key = shared.account().apiKey if key == "own" else key
    suffix = "" if signature is None else f"&signature={signature}"
    answer = await shared.send("GET", f"{REST}{ACCOUNT}?timestamp={now_ms()}{suffix}", key=key)
    assert answer.error == error


async def test_age_is_checked_again_before_the_matching_engine(socket_path: str) -> None:
    async with local_binance(socket_path, settings=Settings(engine_delay_ms=60)) as venue:
        venue.freeze()
        before = len(venue.exchange.orders("alice", "BTC/USDT"))
        order = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001", "price": "50000"}
        late = await venue.order(**order, recvWindow=50)
        assert late.error == (400, -1021, "Timestamp for this request is outside of the recvWindow.")
        assert len(venue.exchange.orders("alice", "BTC/USDT")) == before
        assert (await venue.order(**order, recvWindow=5000)).status == 200


async def test_keys_follow_from_the_seed(binance: LocalBinance, socket_path: str) -> None:
    async with local_binance(socket_path + "2", seed=7) as same, local_binance(socket_path + "3", seed=8) as other:
        assert same.wire.accounts() == binance.wire.accounts()
        assert same.account().apiKey != other.account().apiKey
        assert all(len(account.apiKey) == 64 for account in same.wire.accounts())
