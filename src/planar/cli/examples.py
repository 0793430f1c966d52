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
    "select": "planar select BTC/USDT --by fee --exchange binance,kraken --environment local",
    "route": "planar route BTC/USDT buy 2.5 --preview --exchange binance,kraken --environment local",
    "arbitrage": "planar arbitrage BTC/USDT ETH/USDT --exchange binance,kraken --environment local --seconds 5",
    "balance": "planar balance --exchange binance --environment local",
    "orders": "planar orders BTC/USDT --all --environment local -e binance",
    "cancel": "planar cancel BTC/USDT 360411952 --environment local -e binance",
    "reconcile": "planar reconcile binance --environment local --policy cancel --dry-run",
    "budget": "planar budget --exchange binance --environment local",
    "health": "planar health --exchange binance --environment local",
    "demo": "planar demo --seconds 10",
    "init": "planar init",
    "doctor": "planar doctor binance BTC/USDT --environment local",
    "check": "planar check binance --environment local --live",
    "completion": "planar completion bash > ~/.local/share/bash-completion/completions/planar",
    "order buy": "planar order buy BTC/USDT 0.01 --price 60000 -e binance --environment local",
    "order sell": "planar order sell BTC/USDT 0.01 --market -e binance --environment local --yes",
    "order edit": "planar order edit BTC/USDT 360411952 --price 59000 -e binance --environment local --preview",
    "order oco": (
        "planar order oco BTC/USDT sell 0.01 --take-profit 70000 --stop-loss 55000 -e binance --environment local --yes"
    ),
    "order bracket": (
        "planar order bracket BTC/USDT buy 0.01 --price 60000 --take-profit 70000 --stop-loss 55000 -e binance "
        "--environment local --dry-run"
    ),
    "order replace": (
        "planar order replace BTC/USDT 360411952 sell 0.01 --stop 55000 -e binance --environment local --dry-run"
    ),
    "order kinds": "planar order kinds BTC/USDT -e kraken --environment local",
    "order show": "planar order show BTC/USDT 360411952 -e binance --environment local",
    "orders resolve": (
        "planar orders resolve binance plcplczsbx000001rmod --as canceled --reason 'not in the history of the website'"
    ),
    "journal list": "planar journal list --environment local",
    "journal show": "planar journal show --exchange binance --order 360411952",
    "journal verify": "planar journal verify --exchange binance --environment live",
    "journal export": "planar journal export --exchange binance --format csv > orders.csv",
    "journal compact": "planar journal compact --exchange binance --before 90d --keep-fills",
    "stop": "planar stop binance --environment local",
    "paper status": "planar paper status binance",
    "paper reset": "planar paper reset binance --account grid",
    "audit show": "planar audit show --exchange binance --limit 20",
    "config check": "planar config check --json",
    "venue up": "planar venue up --port 8877 --activity",
    "venue status": "planar venue status",
    "venue down": "planar venue down",
    "venue ca": "planar venue ca --for ccxt-py",
    "venue keys": "planar venue keys --json > keys.json",
    "venue ledger": "planar venue ledger fills --account alice --limit 20",
    "venue check": "planar venue check history.jsonl --account alice --venue binance",
    "venue record": "planar venue record btc.ndjson.gz --symbol BTC/USDT --for 60 --venue binance",
    "venue replay": "planar venue replay btc.ndjson.gz --speed 10",
    "venue convert": "planar venue convert trades.csv btc.ndjson.gz --symbol BTC/USDT",
    "venue market freeze": "planar venue market freeze",
    "venue market resume": "planar venue market resume",
    "venue market step": "planar venue market step --ms 60000",
    "venue market show": "planar venue market show BTC/USDT",
    "venue market shape": "planar venue market shape BTC/USDT --spread-bps 5 --basis-bps 10 --venue kraken",
    "venue market shock": "planar venue market shock BTC/USDT -10 --return-ms 60000",
    "venue market plant": "planar venue market plant BTC/USDT ask --bps 40 --amount 0.5 --for-ms 5000 --venue kraken",
    "venue balance": "planar venue balance alice USDT 1000 --venue binance",
    "venue state": "planar venue state halt BTC/USDT --venue binance --state BREAK",
    "venue fault add": "planar venue fault add drop-answer --method POST --path '/api/v3/order'",
    "venue fault kinds": "planar venue fault kinds delay-answer",
    "venue fault list": "planar venue fault list",
    "venue fault clear": "planar venue fault clear",
    "venue account list": "planar venue account list",
    "venue account add": "planar venue account add dora --funds USDT=1000,BTC=0.5 --venue kraken",
    "venue account key": "planar venue account key alice --rights USER_DATA,TRADE --venue binance",
    "venue account address": (
        "planar venue account address alice mine USDT 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --only --venue binance"
    ),
    "venue account deposit": "planar venue account deposit alice BTC 0.5 --settle-ms 10000 --venue binance",
    "venue account movements": "planar venue account movements alice --pending --venue binance",
    "venue account settle": "planar venue account settle alice --outcome fail --venue binance",
    "venue account pace": "planar venue account pace --withdraw-ms 20000 --venue binance",
}
