"""Where CCXT's defaults do not fit, and the limits of Binance's sockets (documentation: WebSocket Limits)."""

CCXT_CONFIG = {
    "options": {
        # a per-call warning of CCXT that asks the caller to confirm; Planar's budget knows the weight of the call
        "warnOnFetchOpenOrdersWithoutSymbol": False,
        "fetchMargins": False,
        # CCXT's default is the mini ticker, which has no bid and no ask
        "watchTicker": {"name": "ticker"},
        "watchTickers": {"name": "ticker"},
    }
}

MARKET_TYPES = ("spot", "linear", "inverse")

QUOTE_NONCE = "u"
"""Best prices are pushed in real time with the book's update id (documentation: Individual Symbol Book Ticker Streams),
books every 100 ms (Diff. Depth Stream)."""

WEBSOCKET_MESSAGES_PER_S = 4.0
"""A connection is cut above 5 incoming messages a second, pings and pongs included."""

CANCEL_ID_FIELD = "origClientOrderId"
"""A cancel gets a client id of its own; the answer names the order's here (documentation: Cancel order)."""

REUSE_S = 20.0
"""A WRITE's connection was used so recently. No page of Binance says for how long idle ones are kept; the load balancers
of AWS, behind which it is, keep them for 60 s unless told otherwise."""
