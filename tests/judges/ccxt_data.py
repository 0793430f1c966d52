"""What CCXT's REST methods show of markets, money and history, against itself and the ledger; the market stands still."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import ccxt

from judges.ccxt_life import SYMBOL
from judges.ccxt_words import (
    Client,
    unified_balances,
    unified_bars,
    unified_fill,
    unified_ladder,
    unified_order,
    unified_prints,
)
from judges.kit import Checks, Venue, exact
from judges.market import MINUTE_MS, bar_of, bar_of_bars, check_bars, check_ladder, check_prints
from judges.raw_data import BOOK_LEVELS, MARKETS
from judges.words import ledger_balances, ledger_fill

ASSETS = 15
FEE = 0.001
RAW_TRADES = {"fetchTradesMethod": "publicGetTrades"}
OUTSIDE = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
"""An address of Ethereum that belongs to no account of the venue."""


class Data:
    """The questions to one client."""

    def __init__(self, checks: Checks, venue: Venue, client: Client) -> None:
        self._checks = checks
        self._venue = venue
        self._client = client
        self._do = client.do

    async def run(self) -> None:
        """All of them."""
        await self.markets()
        await self.book_and_tickers()
        await self.trades()
        await self.candles()
        await self.fees()
        await self.money()
        await self.history()

    async def markets(self) -> None:
        """Markets, currencies, time."""
        checks = self._checks
        markets = await self._do("load_markets")
        checks.same("markets", len(markets), MARKETS)
        checks.same(
            "markets: the same asked again", {m["symbol"] for m in await self._do("fetch_markets")}, set(markets)
        )
        checks.true("markets: spot, and open", all(m["spot"] and m["active"] for m in markets.values()))
        for market in markets.values():
            filters = {f["filterType"]: f for f in market["info"]["filters"]}
            said = (market["precision"]["price"], market["precision"]["amount"], market["limits"]["cost"]["min"])
            names = (("PRICE_FILTER", "tickSize"), ("LOT_SIZE", "stepSize"), ("NOTIONAL", "minNotional"))
            expected = tuple(Decimal(filters[f][name]) for f, name in names)
            checks.same(f"{market['symbol']}: tick, lot, least cost", tuple(exact(one) for one in said), expected)
        currencies = await self._do("fetch_currencies")
        checks.same("currencies", len(currencies), ASSETS)
        checks.true(
            "currencies: open", all(c["deposit"] and c["withdraw"] and c["networks"] for c in currencies.values())
        )
        checks.true("time", abs(await self._do("fetch_time") - time.time() * 1000) < 2000)
        checks.same("status", (await self._do("fetch_status"))["status"], "ok")

    async def book_and_tickers(self) -> None:
        """The book, and what is best in it."""
        checks = self._checks
        book = unified_ladder(await self._do("fetch_order_book", SYMBOL, BOOK_LEVELS))
        check_ladder(checks, "order book", book)
        checks.same(
            "order book: five levels", unified_ladder(await self._do("fetch_order_book", SYMBOL, 5)), book.top(5)
        )
        checks.same("L2 order book", unified_ladder(await self._do("fetch_l2_order_book", SYMBOL, BOOK_LEVELS)), book)
        last = unified_prints(await self._do("fetch_trades", SYMBOL, None, 1, RAW_TRADES))[-1]
        best = (*book.bids[0], *book.asks[0])
        names = ("bid", "bidVolume", "ask", "askVolume")
        ticker = await self._do("fetch_ticker", SYMBOL)
        checks.same("ticker: best", tuple(exact(ticker[n]) for n in names), best)
        checks.same("ticker: last", (exact(ticker["last"]), exact(ticker["close"])), (last.price, last.price))
        checks.true("ticker: low, last, high in order", ticker["low"] <= ticker["last"] <= ticker["high"], ticker)
        tickers = await self._do("fetch_tickers")
        checks.same("tickers", set(tickers), set(self._client.exchange.markets))
        checks.same("tickers: of two", set(await self._do("fetch_tickers", [SYMBOL, "ETH/USDT"])), {SYMBOL, "ETH/USDT"})
        checks.same("tickers: last", exact(tickers[SYMBOL]["last"]), last.price)
        bids_asks = await self._do("fetch_bids_asks", [SYMBOL])
        checks.same("bids and asks", tuple(exact(bids_asks[SYMBOL][n]) for n in names), best)
        prices = await self._do("fetch_last_prices")
        checks.same("last prices", (len(prices), exact(prices[SYMBOL]["price"])), (MARKETS, last.price))

    async def trades(self) -> None:
        """Trades one by one, and aggregated."""
        checks = self._checks
        found = unified_prints(await self._do("fetch_trades", SYMBOL, None, 1000, RAW_TRADES))
        check_prints(checks, "trades", found)
        aggregated = unified_prints(await self._do("fetch_trades", SYMBOL, found[0].ts_ms + 1, 1000))
        check_prints(checks, "aggregated trades", aggregated)
        rest = [one for one in found if one.ts_ms > found[0].ts_ms]
        said = sum(one.amount for one in aggregated if one.ts_ms <= rest[-1].ts_ms)
        checks.same("aggregated trades: the amount of all", said, sum(one.amount for one in rest))

    async def candles(self) -> None:
        """Candles of every length."""
        checks = self._checks
        found = unified_prints(await self._do("fetch_trades", SYMBOL, None, 1000, RAW_TRADES))
        minutes = unified_bars(await self._do("fetch_ohlcv", SYMBOL, "1m", None, 1000))
        check_bars(checks, "1m", minutes, MINUTE_MS)
        for bar in minutes[-6:-1]:
            if bar.open_ms > found[0].ts_ms:
                checks.same("1m: made of its trades", bar, bar_of(found, bar.open_ms))
        for timeframe in self._client.exchange.timeframes:
            bars = unified_bars(await self._do("fetch_ohlcv", SYMBOL, timeframe, None, 12))
            checks.true(f"{timeframe}: there are candles", 1 <= len(bars) <= 12, len(bars))
            length_ms = self._client.exchange.parse_timeframe(timeframe) * 1000
            if timeframe != "1M":
                check_bars(checks, timeframe, bars, length_ms)
            for bar in bars[-4:-1] if MINUTE_MS < length_ms <= 240 * MINUTE_MS else ():
                parts = [one for one in minutes if bar.open_ms <= one.open_ms < bar.open_ms + length_ms]
                if len(parts) == length_ms // MINUTE_MS:
                    checks.same(f"{timeframe}: made of minutes", bar, bar_of_bars(parts))
        since = minutes[500].open_ms
        checks.same("1m: since", unified_bars(await self._do("fetch_ohlcv", SYMBOL, "1m", since, 10)), minutes[500:510])
        until = await self._do("fetch_ohlcv", SYMBOL, "1m", None, 10, {"until": since})
        checks.same("1m: until", unified_bars(until), minutes[491:501])

    async def fees(self) -> None:
        """Fees of trading and of moving money."""
        checks = self._checks
        one = await self._do("fetch_trading_fee", SYMBOL)
        checks.same("trading fee", (one["maker"], one["taker"]), (FEE, FEE))
        fees = await self._do("fetch_trading_fees")
        checks.same("trading fees", {(fee["maker"], fee["taker"]) for fee in fees.values()}, {(FEE, FEE)})
        checks.same("trading fees: of all markets", len(fees), MARKETS)
        moves = await self._do("fetch_deposit_withdraw_fees")
        checks.same("fees of deposits and withdrawals", len(moves), ASSETS)
        single = await self._do("fetch_deposit_withdraw_fee", "BTC")
        checks.same(
            "fee of BTC",
            single["networks"]["BTC"]["withdraw"]["fee"],
            moves["BTC"]["networks"]["BTC"]["withdraw"]["fee"],
        )
        old = (await self._do("fetch_transaction_fees"))["withdraw"]
        checks.same("transaction fees", old["BTC"]["BTC"], single["networks"]["BTC"]["withdraw"]["fee"])
        checks.same("transaction fee", (await self._do("fetch_transaction_fee", "BTC"))["withdraw"]["BTC"], old["BTC"])
        amount = self._client.exchange.markets[SYMBOL]["limits"]["amount"]
        limits = await self._do("fetch_trading_limits", [SYMBOL])
        checks.same("trading limits", limits[SYMBOL], amount)

    async def money(self) -> None:
        """Balances, deposits, withdrawals."""
        checks, account = self._checks, self._client.account
        deposits = await self._do("fetch_deposits")
        booked = self._venue.transfers(account, "deposit")
        checks.same("deposits", _moved(deposits), sorted((r["asset"], exact(r["amount"]), r["ts_ms"]) for r in booked))
        checks.true("deposits: ok", all(d["status"] == "ok" and d["txid"] and d["address"] for d in deposits), deposits)
        only = await self._do("fetch_deposits", "BTC")
        checks.same("deposits: of BTC", _moved(only), [row for row in _moved(deposits) if row[0] == "BTC"])
        address = await self._do("fetch_deposit_address", "BTC")
        checks.true("deposit address", address["currency"] == "BTC" and len(address["address"]) > 20, address)
        checks.same("transfers", await self._do("fetch_transfers"), [])
        before = self._venue.balances(account)["USDT"]["free"]
        made = await self._do("withdraw", "USDT", 25, OUTSIDE, params={"network": "ETH"})
        await self.withdrawals(made["id"], Decimal(before) - 25)

    async def withdrawals(self, new_id: str, left: Decimal) -> None:
        """Withdrawals, one of which was just made."""
        checks, account = self._checks, self._client.account
        found = await self._do("fetch_withdrawals")
        checks.true("withdrawals: the new one", new_id in {row["id"] for row in found})
        booked = sorted(-exact(row["amount"]) for row in self._venue.transfers(account, "withdrawal"))
        said = sorted(exact(row["amount"]) + exact(row["fee"]["cost"]) for row in found)
        checks.same("withdrawals: amounts and fees", said, booked)
        balance = await self._do("fetch_balance")
        checks.same("balance after a withdrawal", exact(balance["USDT"]["free"]), left)
        held = ledger_balances(self._venue.balances(account))
        checks.same("balances", unified_balances(balance), held)
        for method, index in (("fetch_free_balance", 0), ("fetch_used_balance", 1)):
            part = await self._do(method)
            checks.same(method, {a: exact(part[a]) for a in held}, {a: row[index] for a, row in held.items()})
        total = await self._do("fetch_total_balance")
        checks.same("fetch_total_balance", {a: exact(total[a]) for a in held}, {a: sum(row) for a, row in held.items()})

    async def history(self) -> None:
        """Orders and fills of the past."""
        checks, account = self._checks, self._client.account
        for side in ("buy", "sell", "buy"):
            await self._do("create_order", SYMBOL, "market", side, 0.001)
        rows = self._venue.orders(account, symbol=SYMBOL)
        fills = [ledger_fill(row) for row in self._venue.fills(account, symbol=SYMBOL)]
        ended = {"canceled": ("canceled",), "closed": ("filled",)}
        for method, states in (
            ("fetch_canceled_orders", ended["canceled"]),
            ("fetch_canceled_and_closed_orders", ended["canceled"] + ended["closed"]),
        ):
            said = await self._do(method, SYMBOL, None, 1000)
            expected = sorted(str(row["id"]) for row in rows if row["status"] in states)
            checks.same(method, sorted(unified_order(order)["id"] for order in said), expected)
        last = fills[-1]
        of_order = await self._do("fetch_order_trades", last["order_id"], SYMBOL)
        checks.same(
            "trades of an order",
            [unified_fill(t) for t in of_order],
            [f for f in fills if f["order_id"] == last["order_id"]],
        )
        since = fills[-2]["ts_ms"]
        recent = [unified_fill(t) for t in await self._do("fetch_my_trades", SYMBOL, since, 1000)]
        checks.same("fills: since", recent, [fill for fill in fills if fill["ts_ms"] >= since])
        newest = [unified_fill(t) for t in await self._do("fetch_my_trades", SYMBOL, None, 2)]
        checks.same("fills: the newest two", newest, fills[-2:])
        public = {one.id: one for one in unified_prints(await self._do("fetch_trades", SYMBOL, None, 1000, RAW_TRADES))}
        for fill in fills[-3:]:
            row = public[int(fill["id"])]
            checks.same(
                "fills: stand among the public trades",
                (row.price, row.amount, row.ts_ms),
                (fill["price"], fill["amount"], fill["ts_ms"]),
            )
        self._client.exchange.options["fetchOpenOrders"]["warnWithoutSymbol"] = False  # as CCXT's warning says
        everywhere = await self._do("fetch_open_orders")
        waiting = [row for row in self._venue.orders(account) if row["status"] in ("new", "partially_filled")]
        checks.same("open orders of all markets", len(everywhere), len(waiting))
        await self._refused()

    async def _refused(self) -> None:
        for label, error, call in (
            ("no such market", ccxt.BadSymbol, ("fetch_ticker", "NO/SUCH")),
            ("no such market on the exchange", ccxt.BadSymbol, ("public_get_depth", {"symbol": "NOSUCH"})),
            ("order lists", ccxt.ExchangeError, ("private_post_order_oco", {"symbol": "BTCUSDT"})),
        ):
            await _expect(self._checks, label, error, self._do(*call))
        exchange = self._client.exchange
        secret, exchange.secret = exchange.secret, "wrong"
        await _expect(self._checks, "a wrong secret", ccxt.AuthenticationError, self._do("fetch_balance"))
        exchange.secret = secret
        exchange.options["timeDifference"] = 60_000
        await _expect(self._checks, "a slow clock", ccxt.InvalidNonce, self._do("fetch_balance"))
        exchange.options["timeDifference"] = 0


async def _expect(checks: Checks, label: str, error: type[Exception], call: Any) -> None:
    try:
        answer = await call
    except Exception as raised:
        checks.true(f"refused: {label}", isinstance(raised, error), repr(raised))
    else:
        checks.true(f"refused: {label}", False, answer)


def _moved(rows: list[dict[str, Any]]) -> list[tuple[str, Decimal, int]]:
    return sorted((row["currency"], exact(row["amount"]), row["timestamp"]) for row in rows)
