"""`python -m tests.fuzz.record`: true answers of the local venues, written to `tests/fuzz/true/<id>.json`.

Every method that the random answers are tried on is called at a local venue, and what it answered is kept by method and
path, lists cut to a few rows. The answers of the ids without a local venue were written by hand in the form that their
documentation gives.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import orjson
from tests.fuzz.calls import CALLS, READS, SYMBOL, Bench, order_request

from planar.adapters import ccxt_seam
from planar.config import load
from planar.errors import PlanarError
from planar.exchange import Exchange
from planar.models import Amount
from planar.orders import OrderManager
from planar.streams import StreamHub
from planar.transport.alarms import Alarms

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "wire"))

TRUE = Path(__file__).parent / "true"
ROWS = 3
"""Rows of a list, and half of the members of a long table, that are kept."""
VARIANTS = 3
"""Answers of one path that are kept, if they differ in form."""


def cut(value: Any, key: str = "") -> Any:
    """A smaller answer of the same form, without the key of a local account."""
    if key == "apiKey":
        return "k" * 56
    if isinstance(value, list):
        if key in ("symbols", "balances"):
            names = ("BTCUSDT", "ETHUSDT", "BTC", "USDT")
            value = [row for row in value if row.get("symbol", row.get("asset")) in names]
        rows = 2 if key == "symbols" else ROWS
        return [cut(row) for row in value[: rows if any(isinstance(row, dict | list) for row in value) else None]]
    if isinstance(value, dict):
        names = list(value)
        kept = [name for name in names if name in ("XBTUSDT", "ETHUSDT", "XXBT", "XETH", "USDT", "BTC", "ETH")]
        if len(names) > 5 and kept and all(isinstance(value[name], dict) for name in names):  # a table by name
            names = kept
        return {name: cut(value[name], name) for name in names}
    return value


def form(value: Any) -> Any:
    """What tells one form of an answer from another."""
    if isinstance(value, dict):
        return {name: form(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [form(value[0])] if value else []
    return type(value).__name__


class Tap:
    """Stands before `send` and keeps what is answered."""

    def __init__(self) -> None:
        self.kept: dict[str, list[Any]] = {}
        self._send = ccxt_seam.send

        self.limits = 0

    async def send(self, session: Any, method: str, url: str, *rest: Any) -> Any:
        """The same answer."""
        answer = await self._send(session, method, url, *rest)
        path = "/" + url.split("/", 3)[3].partition("?")[0]
        kept, body = self.kept.setdefault(f"{method} {path}", []), cut(orjson.loads(answer.body))
        if answer.status == 200 and len(kept) < VARIANTS and form(body) not in map(form, kept):
            kept.append(body)
        return answer


async def quietly(venue: str, name: str, bench: Bench) -> None:
    """Make a call; what it cannot do here is told."""
    try:
        await CALLS[name](bench)
    except PlanarError as error:
        print(venue, name, "->", error.message)


async def record(venue: str) -> dict[str, list[Any]]:
    """The answers of one local venue."""
    from streams_kit import TierLimits, create, kraken, local_client

    tap = Tap()
    ccxt_seam.send = tap.send  # type: ignore[assignment]
    free = TierLimits(calls=1e9, calls_decay=1, orders=1e9, orders_decay=1, open_orders=1_000)
    wire: Any = create(1, False)
    if venue == "kraken":
        wire = kraken.create(seed=1, activity=False, settings=kraken.Settings(own_limits=free))
    configuration = load(None, None, known_ids=(venue,))
    with tempfile.TemporaryDirectory() as directory:
        async with local_client(wire, Path(directory), limit_s=60, pacing=False) as local:
            settings = configuration.with_options(venue, {"environment": "local"})
            exchange = Exchange(
                local.adapter,
                settings,
                configuration,
                account="",
                authenticated=True,
                make_orders=lambda: OrderManager(local.adapter, Path(directory) / "journal.db", 5_000, Alarms([]), ""),
                hub=StreamHub(local.adapter),
            )
            await exchange.load_markets(reload=True)
            last = (await exchange.fetch_ticker(SYMBOL)).last or 0.0
            bench = Bench(venue, exchange, local.adapter, "")
            for kind in ("limit", "stop", "market", "limit", "replace"):
                request = msgspec.structs.replace(
                    order_request(kind, bench),
                    price=None if kind == "market" else Amount(round(last * (1.2 if kind == "stop" else 0.9))),
                    stop_price=Amount(round(last * 1.1)) if kind == "stop" else None,
                )
                try:
                    acked = await local.adapter.submit(request, timeout_ms=5_000, on_send=lambda: None)
                except PlanarError as error:
                    print(venue, kind, "->", error.message)
                    continue
                bench.order_id = acked.id or ""
                for name in ("fetch_order", "fetch_order by client id", "fetch_open_orders", "cancel"):
                    if kind == "limit" and name == "cancel" and tap.limits:
                        continue  # it is to be replaced
                    await quietly(venue, name, bench)
                tap.limits += kind == "limit"
            for name in READS:
                await quietly(venue, name, bench)
            await exchange.fetch_orders(SYMBOL)
            await exchange.fetch_balance()
            await exchange.close()
    ccxt_seam.send = tap._send
    return {name: answers for name, answers in tap.kept.items() if answers}


def main() -> None:
    """Record both."""
    for venue in ("binance", "kraken"):
        found = asyncio.run(record(venue))
        TRUE.mkdir(exist_ok=True)
        lines = [f"{json.dumps(name)}: {json.dumps(rows, separators=(',', ':'))}" for name, rows in found.items()]
        (TRUE / f"{venue}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
        print(venue, {name: len(answers) for name, answers in found.items()})


if __name__ == "__main__":
    main()
