"""Public market data by REST: fields, choices, and that they are the engine's numbers."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from binance_kit import REST, LocalBinance, now_ms

from planar.venue.engine.enums import Interval
from planar.venue.wire.binance.zones import parse_zone, zoned_candles

pytestmark = pytest.mark.asyncio(loop_scope="module")

FULL = {
    "symbol",
    "priceChange",
    "priceChangePercent",
    "weightedAvgPrice",
    "openPrice",
    "highPrice",
    "lowPrice",
    "lastPrice",
    "volume",
    "quoteVolume",
    "openTime",
    "closeTime",
    "firstId",
    "lastId",
    "count",
}
MINI = FULL - {"priceChange", "priceChangePercent", "weightedAvgPrice"}
DAY = FULL | {"prevClosePrice", "lastQty", "bidPrice", "bidQty", "askPrice", "askQty"}
DAY_MS = 86_400_000


async def test_exchange_info(shared: LocalBinance) -> None:
    info = (await shared.get("/api/v3/exchangeInfo")).json
    assert set(info) == {"timezone", "serverTime", "rateLimits", "exchangeFilters", "symbols"}
    assert [(r["rateLimitType"], r["interval"], r["intervalNum"], r["limit"]) for r in info["rateLimits"]] == [
        ("REQUEST_WEIGHT", "MINUTE", 1, 6000),
        ("ORDERS", "SECOND", 10, 100),
        ("ORDERS", "DAY", 1, 200000),
        ("RAW_REQUESTS", "MINUTE", 5, 61000),
    ]
    assert [s["symbol"] for s in info["symbols"]] == [s.replace("/", "") for s in shared.exchange.symbols]
    market, spec = info["symbols"][0], shared.exchange.symbols["BTC/USDT"]
    assert set(market) == {
        "symbol",
        "status",
        "baseAsset",
        "baseAssetPrecision",
        "quoteAsset",
        "quotePrecision",
        "quoteAssetPrecision",
        "baseCommissionPrecision",
        "quoteCommissionPrecision",
        "orderTypes",
        "icebergAllowed",
        "ocoAllowed",
        "otoAllowed",
        "opoAllowed",
        "quoteOrderQtyMarketAllowed",
        "allowTrailingStop",
        "cancelReplaceAllowed",
        "amendAllowed",
        "pegInstructionsAllowed",
        "isSpotTradingAllowed",
        "isMarginTradingAllowed",
        "filters",
        "permissions",
        "permissionSets",
        "defaultSelfTradePreventionMode",
        "allowedSelfTradePreventionModes",
    }
    filters = {f["filterType"]: f for f in market["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == f"{spec.tick:.8f}"
    assert filters["LOT_SIZE"]["stepSize"] == f"{spec.lot:.8f}"
    assert filters["NOTIONAL"]["minNotional"] == f"{spec.min_notional:.8f}"


@pytest.mark.parametrize(
    ("params", "symbols"),
    [
        ({"symbol": "ETHUSDT"}, ["ETHUSDT"]),
        ({"symbols": '["ETHUSDT","BTCUSDT"]'}, ["ETHUSDT", "BTCUSDT"]),
        ({"permissions": "SPOT"}, 20),
        ({"permissions": '["MARGIN","SPOT"]'}, 20),
        ({"permissions": "LEVERAGED"}, 0),
        ({"symbolStatus": "TRADING"}, 20),
        ({"symbolStatus": "BREAK"}, 0),
    ],
)
async def test_exchange_info_choices(shared: LocalBinance, params: dict[str, str], symbols: Any) -> None:
    found = [s["symbol"] for s in (await shared.get("/api/v3/exchangeInfo", **params)).json["symbols"]]
    assert (found if isinstance(symbols, list) else len(found)) == symbols


async def test_permission_sets_can_be_hidden(shared: LocalBinance) -> None:
    info = await shared.get("/api/v3/exchangeInfo", symbol="BTCUSDT", showPermissionSets="false")
    assert info.json["symbols"][0]["permissionSets"] == []


async def test_ping_time_and_date(shared: LocalBinance) -> None:
    assert (await shared.get("/api/v3/ping")).json == {}
    answer = await shared.get("/api/v3/time")
    assert abs(answer.json["serverTime"] - now_ms()) < 5000
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.headers["Date"].endswith("GMT")


async def test_depth(shared: LocalBinance) -> None:
    book = (await shared.get("/api/v3/depth", symbol="BTCUSDT", limit=20)).json
    own = shared.exchange.depth("BTC/USDT", 20)
    assert book == {
        "lastUpdateId": own.update_id,
        "bids": [[f"{x.price:.8f}", f"{x.amount:.8f}"] for x in own.bids],
        "asks": [[f"{x.price:.8f}", f"{x.amount:.8f}"] for x in own.asks],
    }
    assert len((await shared.get("/api/v3/depth", symbol="BTCUSDT", limit=9999)).json["bids"]) >= 20


async def test_microseconds(shared: LocalBinance) -> None:
    async def fine(path: str, **query: str) -> Any:
        text = "&".join(f"{name}={value}" for name, value in query.items())
        answer = await shared.send("GET", f"{REST}{path}?{text}", **{"X-MBX-TIME-UNIT": "MICROSECOND"})
        return answer.json

    for path in ("/api/v3/trades", "/api/v3/aggTrades"):
        plain = (await shared.get(path, symbol="BTCUSDT", limit=2)).json
        field = "time" if path.endswith("/trades") else "T"
        rows = await fine(path, symbol="BTCUSDT", limit="2")
        assert rows == [{**row, field: row[field] * 1000} for row in plain]
    row = (await shared.get("/api/v3/klines", symbol="BTCUSDT", interval="1h", startTime=0, limit=1)).json[0]
    exact = (await fine("/api/v3/klines", symbol="BTCUSDT", interval="1h", startTime="0", limit="1"))[0]
    assert exact == [row[0] * 1000, *row[1:6], row[6] * 1000 + 999, *row[7:]]
    wrong = await shared.send("GET", f"{REST}/api/v3/time", **{"X-MBX-TIME-UNIT": "HOUR"})
    assert wrong.error == (
        400,
        -1194,
        "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.",
    )


async def test_trades(shared: LocalBinance) -> None:
    newest = (await shared.get("/api/v3/trades", symbol="BTCUSDT", limit=3)).json
    own = shared.exchange.trades("BTC/USDT", limit=3)
    assert newest == [
        {
            "id": t.id,
            "price": f"{t.price:.8f}",
            "qty": f"{t.amount:.8f}",
            "quoteQty": f"{t.quote:.8f}",
            "time": t.ts_ms,
            "isBuyerMaker": t.buyer_is_maker,
            "isBestMatch": True,
        }
        for t in own
    ]
    older = (await shared.get("/api/v3/historicalTrades", symbol="BTCUSDT", fromId=own[0].id - 10, limit=5)).json
    assert [t["id"] for t in older] == list(range(own[0].id - 10, own[0].id - 5))


async def test_aggregate_trades(shared: LocalBinance) -> None:
    newest = (await shared.get("/api/v3/aggTrades", symbol="BTCUSDT", limit=1000)).json
    assert len(newest) == 1000
    assert set(newest[0]) == {"a", "p", "q", "f", "l", "T", "m", "M"}
    assert all(a["l"] + 1 == b["f"] and a["a"] + 1 == b["a"] for a, b in pairwise(newest))
    some = newest[500]
    by_id = (await shared.get("/api/v3/aggTrades", symbol="BTCUSDT", fromId=some["a"], limit=2)).json
    assert by_id[0] == some
    timed = (await shared.get("/api/v3/aggTrades", symbol="BTCUSDT", startTime=some["T"], endTime=some["T"])).json
    assert some in timed
    assert {row["T"] for row in timed} == {some["T"]}


async def test_klines(shared: LocalBinance) -> None:
    rows = (await shared.get("/api/v3/klines", symbol="BTCUSDT", interval="1m", limit=120)).json
    assert rows == (await shared.get("/api/v3/uiKlines", symbol="BTCUSDT", interval="1m", limit=120)).json
    own = shared.exchange.candles("BTC/USDT", Interval.M1, limit=120)
    assert [[row[0], Decimal(row[4]), Decimal(row[5]), row[6], row[8]] for row in rows] == [
        [c.open_ms, c.close, c.volume, c.close_ms, c.trades] for c in own
    ]
    assert all(len(row) == 12 and row[11] == "0" for row in rows)
    ranged = (
        await shared.get(
            "/api/v3/klines", symbol="BTCUSDT", interval="1m", startTime=rows[10][0], endTime=rows[19][0] * 1000
        )
    ).json
    assert ranged == rows[10:20]


@pytest.mark.parametrize("interval", [Interval.H1, Interval.H4, Interval.D1])
@pytest.mark.parametrize("zone", ["5:45", "-3:30", "8"])
async def test_klines_of_another_zone(shared: LocalBinance, interval: Interval, zone: str) -> None:
    zone_ms = parse_zone(zone)
    rows = (await shared.get("/api/v3/klines", symbol="BTCUSDT", interval=interval.value, timeZone=zone, limit=4)).json
    length = rows[-1][6] - rows[-1][0] + 1
    assert all((row[0] + zone_ms) % length == 0 and row[6] - row[0] == length - 1 for row in rows)
    whole = rows[-2]
    minutes = shared.exchange.candles("BTC/USDT", Interval.M1, start_ms=whole[0], end_ms=whole[6], limit=5000)
    assert Decimal(whole[5]) == sum(c.volume for c in minutes)
    assert (whole[1], whole[4]) == (f"{minutes[0].open:.8f}", f"{minutes[-1].close:.8f}")
    again = (
        await shared.get(
            "/api/v3/klines",
            symbol="BTCUSDT",
            interval=interval.value,
            timeZone=zone,
            startTime=rows[0][0],
            endTime=rows[2][6],
        )
    ).json
    assert again == rows[:3]


async def test_weeks_and_months_of_another_zone(shared: LocalBinance) -> None:
    for interval in (Interval.W1, Interval.MONTH1):
        rows = zoned_candles(shared.exchange, "BTC/USDT", interval, parse_zone("8"), None, None, 1)
        utc = shared.exchange.candles("BTC/USDT", interval, limit=1)
        if rows:
            assert abs(rows[0].open_ms - utc[0].open_ms) in (8 * 3_600_000, 7 * DAY_MS - 8 * 3_600_000)
            assert rows[0].close == utc[0].close


async def test_average_price(shared: LocalBinance) -> None:
    average = (await shared.get("/api/v3/avgPrice", symbol="BTCUSDT")).json
    window = shared.exchange.ticker("BTC/USDT", 300_000)
    assert average == {
        "mins": 5,
        "price": f"{window.quote_volume / window.volume:.8f}",
        "closeTime": shared.exchange.trades("BTC/USDT", limit=1)[0].ts_ms,
    }


async def test_day_ticker(shared: LocalBinance) -> None:
    one = (await shared.get("/api/v3/ticker/24hr", symbol="BTCUSDT")).json
    assert set(one) == DAY
    assert one["closeTime"] - one["openTime"] == DAY_MS
    own = shared.exchange.ticker("BTC/USDT")
    assert Decimal(one["priceChange"]) == own.last - own.open
    assert abs(Decimal(one["priceChangePercent"]) - (own.last - own.open) * 100 / own.open) <= Decimal("0.0005")
    assert (one["lastId"] - one["firstId"] + 1, one["bidPrice"]) == (one["count"], f"{own.bid.price:.8f}")  # type: ignore[union-attr]
    mini = (await shared.get("/api/v3/ticker/24hr", symbols='["BTCUSDT","ETHUSDT"]', type="MINI")).json
    assert [set(row) for row in mini] == [MINI, MINI]
    assert len((await shared.get("/api/v3/ticker/24hr")).json) == 20


async def test_windows(shared: LocalBinance) -> None:
    rolling = (await shared.get("/api/v3/ticker", symbol="BTCUSDT", windowSize="3h")).json
    assert set(rolling) == FULL
    assert rolling["openTime"] % 60_000 == 0
    assert 3 * 3_600_000 <= rolling["closeTime"] - rolling["openTime"] < 3 * 3_600_000 + 60_000
    today = (await shared.get("/api/v3/ticker/tradingDay", symbols='["BTCUSDT"]', type="MINI")).json[0]
    assert set(today) == MINI
    assert (today["openTime"] % DAY_MS, today["closeTime"] - today["openTime"]) == (0, DAY_MS - 1)
    tokyo = (await shared.get("/api/v3/ticker/tradingDay", symbol="BTCUSDT", timeZone="9")).json
    assert (tokyo["openTime"] + 9 * 3_600_000) % DAY_MS == 0


async def test_price_and_book_tickers(shared: LocalBinance) -> None:
    price = (await shared.get("/api/v3/ticker/price", symbol="BTCUSDT")).json
    assert price == {"symbol": "BTCUSDT", "price": f"{shared.exchange.last_price('BTC/USDT'):.8f}"}
    top = shared.exchange.depth("BTC/USDT", 1)
    book = (await shared.get("/api/v3/ticker/bookTicker", symbols='["BTCUSDT"]')).json
    assert book == [
        {
            "symbol": "BTCUSDT",
            "bidPrice": f"{top.bids[0].price:.8f}",
            "bidQty": f"{top.bids[0].amount:.8f}",
            "askPrice": f"{top.asks[0].price:.8f}",
            "askQty": f"{top.asks[0].amount:.8f}",
        }
    ]


@pytest.mark.parametrize(("prefix", "host"), [("fapi", "fapi"), ("dapi", "dapi"), ("eapi", "eapi")])
async def test_derivatives_have_no_market(shared: LocalBinance, prefix: str, host: str) -> None:
    base = f"https://{host}.binance.com"
    assert (await shared.get(f"/{prefix}/v1/ping", base)).json == {}
    assert "serverTime" in (await shared.get(f"/{prefix}/v1/time", base)).json
    info = (await shared.get(f"/{prefix}/v1/exchangeInfo", base)).json
    assert info["optionSymbols" if prefix == "eapi" else "symbols"] == []


async def test_wallet_answers(shared: LocalBinance) -> None:
    coins = (await shared.signed("GET", "/sapi/v1/capital/config/getall")).json
    assert [coin["coin"] for coin in coins] == list(shared.exchange.assets)
    network = coins[0]["networkList"][0]
    assert {"network", "coin", "isDefault", "depositEnable", "withdrawEnable", "withdrawFee", "minConfirm"} <= set(
        network
    )
    rights = (await shared.signed("GET", "/sapi/v1/account/apiRestrictions")).json
    assert (rights["enableReading"], rights["enableSpotAndMarginTrading"], rights["enableFutures"]) == (
        True,
        True,
        False,
    )
    assets = (await shared.signed("POST", "/sapi/v3/asset/getUserAsset")).json
    assert {row["asset"] for row in assets} == {b.asset for b in shared.exchange.balances("alice").values() if b.total}
    assert (await shared.get("/sapi/v1/system/status")).json == {"status": 0, "msg": "normal"}
    for method, path, empty in (
        ("POST", "/sapi/v1/asset/get-funding-asset", []),
        ("GET", "/sapi/v1/margin/allPairs", []),
        ("GET", "/sapi/v1/margin/isolated/allPairs", []),
        ("GET", "/sapi/v1/margin/interestHistory", {"total": 0, "rows": []}),
    ):
        assert (await shared.signed(method, path)).json == empty, path


async def test_withdrawal_refusals(shared: LocalBinance) -> None:
    path = "/sapi/v1/capital/withdraw/apply"
    vault = next(one for one in shared.exchange.profile("alice").addresses if one.asset == "USDT").address
    poor = await shared.signed("POST", path, coin="USDT", address=vault, amount="500000")
    assert poor.error == (400, -4026, "The user has insufficient balance available")
    tiny = await shared.signed("POST", path, coin="USDT", address=vault, amount="0.000001")
    assert tiny.error == (400, -4022, "Not less than the minimum pick-up quantity 10.")
    great = await shared.signed("POST", path, coin="USDT", address=vault, amount="90000000")
    assert great.error == (400, -1130, "Data sent for parameter 'amount' is not valid.")
    unknown = await shared.signed("POST", path, coin="USDT", address=vault, amount="50", network="MOON")
    assert unknown.error == (400, -1130, "Data sent for parameter 'network' is not valid.")
    elsewhere = await shared.signed("POST", path, coin="USDT", address=vault, amount="50", network="TRX")
    assert elsewhere.error == (400, -4007, "Address validation is not passed.")
    untagged = await shared.signed("POST", path, coin="XRP", address="rN7n3473SaZBCG4dFL83w7a1RXtXtbk2D9", amount="50")
    assert untagged.error == (400, -4008, "Address tag validation is not passed.")
    ages = {"startTime": 0, "endTime": 91 * 86_400_000}
    long = await shared.signed("GET", "/sapi/v1/capital/deposit/hisrec", **ages)
    assert long.error == (400, -4047, "Time interval must be within 0-90 days")
    assert json.loads((await shared.signed("GET", "/sapi/v1/fiat/orders", transactionType=0)).text)["success"] is True
