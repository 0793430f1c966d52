"""Where CCXT's unified words do not arrive at Kraken, or its class lacks what the protocol has."""

from planar.adapters.profile import DeadManRule

NONCE_SECTIONS = ("private",)
"""Each signed request of a key carries a higher nonce than the one that arrived before it (documentation: Spot REST
authentication). Kraken allows an order every few hundred milliseconds at most, so the lane slows nothing."""

DEAD_MAN = DeadManRule(least_s=5, most_s=86_400, source="documentation: Cancel All Orders After X")
"""Kraken's switch concerns all orders of the account, whoever placed them; 15 to 30 s between renewals and 60 s are what
Kraken recommends. Each renewal counts on the call counter of the key, which is why it is not set for less than 5 s."""

CCXT_CONFIG = {
    "has": {
        # KrakenSockets has these; CCXT's class never unsubscribes
        **dict.fromkeys(("unWatchOrderBook", "unWatchTrades", "unWatchTicker", "unWatchTickers"), True),
    },
}

BALANCE_HINTS_S = 3.0
"""The channel `balances` tells totals, not what orders hold. A question a 3 s is what the call counter of the lowest tier
loses meanwhile, so watching the balance never uses it up."""

REUSE_S = 20.0
"""A WRITE's connection was used so recently. Cloudflare, behind which Kraken is, keeps idle ones for 400 s
(documentation: Connection limits); routers on the way may forget them sooner."""
