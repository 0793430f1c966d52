"""Models from CCXT's unified dictionaries: strict where money is decided, tolerant where something is described.

The adapters call these on what CCXT parsed, before anyone else sees it: `from_ccxt.order(data, exchange="kraken")`.
Numbers may be text, int, float (taken by its shortest text) or Decimal. `BadResponse` names structure, field and value.

Of each structure, what must be there (its absence is an error), what may be missing (None) but is an error if it is
wrong, and what is merely tolerated (None if missing or unreadable):

    order           must    id, symbol, side, status, filled; amount or cost; the price of a `limit` order
                    may     the other prices, cost, average
                    rest    type, client id, time in force, flags, times
    order_ack       must    id
                    may     status, every number; symbol, side and client id, which must be those of the request
                    rest    type, time in force, flags, times
    fill            must    id, symbol, side, price, amount
                    may     cost
                    rest    order id, type, taker or maker, times
    fee             may     cost, of any sign (without a cost there is no fee)
                    rest    currency, rate
    balance         must    one of free, used and total for each currency
                    may     the others and debt, of any sign, since a margin account may owe
                    rest    times
    position        must    symbol, contracts; side if there are contracts
                    may     everything owned or owed; profit, margin and notional of any sign
                    rest    margin mode, times
    order_book      must    symbol; levels that are finite, positive and best first
                    rest    nonce, times
    candles         must    time, open, high, low, close
                    may     volume
    trade           must    symbol, price, amount
                    may     cost
                    rest    id, side, type, taker or maker, times
    ticker,         must    symbol
    funding_rate    may     every number; one that is not finite counts as missing
                    rest    times, interval
    market          must    id, symbol, base, quote, type
                    rest    steps, limits, fees, flags, times
    currency        must    code
                    rest    everything else

An unknown status is an error and never a guess; CCXT's `canceling` is `open`, since the order can still trade. An order
without an id is an error whatever the HTTP status was: such an answer is no answer. Amounts and prices of orders, fills
and positions are never negative.
"""

from planar.models.from_ccxt.account import balance, position
from planar.models.from_ccxt.data import candles, funding_rate, order_book, ticker, trade
from planar.models.from_ccxt.market import currency, market
from planar.models.from_ccxt.orders import fill, order, order_ack

__all__ = [
    "balance",
    "candles",
    "currency",
    "fill",
    "funding_rate",
    "market",
    "order",
    "order_ack",
    "order_book",
    "position",
    "ticker",
    "trade",
]
