"""An example for every command; its --help and docs/cli.md show it."""

from __future__ import annotations

EXAMPLES: dict[str, str] = {
    "exchanges": "planar exchanges kraken",
    "markets": "planar markets --exchange kraken --quote EUR",
    "ticker": "planar ticker BTC/USDT ETH/USDT --exchange binance",
    "book": "planar book BTC/USDT --exchange kraken --limit 5",
    "trades": "planar trades BTC/USDT --exchange okx --limit 50 --json",
    "ohlcv": "planar ohlcv BTC/USDT --timeframe 1h --limit 24 --exchange binance",
    "watch": "planar watch BTC/USDT --exchange binance,kraken",
    "balance": "planar balance --exchange binance --environment local",
    "orders": "planar orders BTC/USDT --all --environment local -e binance",
    "cancel": "planar cancel BTC/USDT 360411952 --environment local -e binance",
    "demo": "planar demo --seconds 10",
    "init": "planar init",
    "completion": "planar completion bash > ~/.local/share/bash-completion/completions/planar",
    "order buy": "planar order buy BTC/USDT 0.01 --price 60000 -e binance --environment local",
    "order sell": "planar order sell BTC/USDT 0.01 --market -e binance --environment local --yes",
    "order show": "planar order show BTC/USDT 360411952 -e binance --environment local",
    "order decide": (
        "planar order decide plcplczsbx000001rmod canceled --reason 'it is not in the history of the website' -e binance"
    ),
    "config check": "planar config check --json",
    "venue up": "planar venue up --port 8877 --activity",
    "venue status": "planar venue status",
    "venue down": "planar venue down",
    "venue ca": "planar venue ca --for ccxt-py",
    "venue keys": "planar venue keys --json > keys.json",
    "venue ledger": "planar venue ledger fills --account alice --limit 20",
    "venue market": "planar venue market step --ms 60000",
    "venue balance": "planar venue balance alice USDT 1000",
    "venue fault add": "planar venue fault add drop-answer --method POST --path '/api/v3/order'",
    "venue fault list": "planar venue fault list",
    "venue fault clear": "planar venue fault clear",
}
