"""Where CCXT's unified words do not arrive at Kraken."""

STOP_PARAM = "stopLossPrice"
"""CCXT sends `triggerPrice` as a field that Kraken does not know: the order would execute at once."""
