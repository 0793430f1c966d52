"""Every unified method of every id: what its first request is, and what becomes of answers that are none.

For each (id, method): refused before anything is sent (with the reason), or a first request; then, with the recorder
answering 503, HTML, `{}`, `[]`, half a JSON and an error, only errors of Planar come out, or an answer that is rightly
empty.
"""

from __future__ import annotations

import asyncio
import inspect
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from tests.fuzz.wire import Request
from tests.matrix.kit import ANSWERS, OPTION, SPOT, SWAP, TIMEOUT_MS, Bench, Recorder, open_bench

import planar.runtime as runtime
from planar.adapters.base import OrderRef, OrderRequest
from planar.adapters.unified import METHODS
from planar.errors import Outcome, PlanarError
from planar.exchange import Exchange
from planar.models import Amount

BASE_METHODS = (
    *("fetch_time", "fetch_ticker", "fetch_tickers", "fetch_order_book", "fetch_trades", "fetch_ohlcv"),
    *("fetch_balance", "fetch_my_trades", "fetch_order", "fetch_open_orders", "fetch_orders", "fetch_closed_orders"),
    *("fetch_last_price", "fetch_ohlcvs", "fetch_order_books"),
    *("fetch_canceled_orders", "fetch_canceled_and_closed_orders", "fetch_positions_for_symbol"),
    *("fetch_order_with_client_order_id", "fetch_partial_balance"),
)
SAMPLES: Mapping[str, Any] = {
    "code": "USDT",
    "codes": ["USDT", "BTC"],
    "id": "1234567890",
    "client_order_id": "plmatrix000001",
    "part": "free",
    "leverage": 3,
    "amount": "1.5",
    "margin_mode": "isolated",
    "hedged": True,
    "from_code": "USDT",
    "to_code": "BTC",
    "timeframe": "1h",
    "address": "0x" + "b" * 40,
    "from_account": "spot",
    "to_account": "funding",
}
"""What is given for the parameters of a method, where it is not a symbol and has no default."""
SENT_ANYWAY = ("limit", "timeframe", "codes")
STARTS_MS = 1_790_000_000_000

Call = Callable[[Bench], Awaitable[Any]]


class Cell(msgspec.Struct):
    """One (id, method).

    Attributes:
        how: "request", or the name of the error with which it was refused before anything was sent.
        request: the first one, as `GET /path`.
        named: the request names the market, where the method is about one; None: it is about none.
        ends: answer -> class of the error, or the type of what was given back.
        wrong: what broke a promise.
        can: what `Exchange.can` says of it.
        denied: CCXT's own description says that the exchange has it, and its class refuses these arguments all the same.
    """

    how: str = ""
    request: str = ""
    named: bool | None = None
    ends: dict[str, str] = {}
    wrong: list[str] = []
    can: str = ""
    denied: bool = False


def symbol_for(method: str) -> str:
    """A market of a type that the method is about."""
    row = METHODS.get(method)
    types = row.of if row is not None else ()
    if method in ("set_leverage", "set_margin_mode", "fetch_leverage", "fetch_market_leverage_tiers", "add_margin") or (
        method == "fetch_positions_for_symbol"
    ):
        return SWAP
    return SPOT if not types or "spot" in types else SWAP if "swap" in types else OPTION


def arguments(method: str) -> dict[str, Any]:
    """Plausible arguments of a method of `Exchange`."""
    given: dict[str, Any] = {}
    for name, parameter in inspect.signature(getattr(Exchange, method)).parameters.items():
        if name == "symbol":
            given[name] = symbol_for(method)
        elif name == "symbols":
            given[name] = [symbol_for(method)]
        elif name in SAMPLES and (parameter.default is inspect.Parameter.empty or name in SENT_ANYWAY):
            given[name] = SAMPLES[name]
    return given


def _order(kind: str) -> Call:
    async def submit(bench: Bench) -> Any:
        price = None if kind == "market" else Amount(20_000)
        request = OrderRequest("plmatrix000001", SPOT, "buy", kind, amount=Amount("0.01"), price=price)
        return await bench.adapter.submit(request, timeout_ms=TIMEOUT_MS, on_send=lambda: None)

    return submit


def calls() -> dict[str, Call]:
    """What is tried on every id."""

    def facade(method: str) -> Call:
        given = arguments(method)
        return lambda bench: getattr(bench.exchange, method)(**given)

    names = [*BASE_METHODS, *(name for name in METHODS if hasattr(Exchange, name))]
    ref = OrderRef(SPOT, order_id="1234567890")
    return {
        **{name: facade(name) for name in dict.fromkeys(names)},
        "create_order limit": _order("limit"),
        "create_order market": _order("market"),
        "cancel_order": lambda bench: bench.adapter.cancel(ref, {}, timeout_ms=TIMEOUT_MS),
        "cancel_all_orders": lambda bench: bench.adapter.cancel_all(SPOT, timeout_ms=TIMEOUT_MS),
    }


async def _tried(call: Call, bench: Bench) -> tuple[Any, BaseException | None]:
    try:
        async with asyncio.timeout(120):
            return await call(bench), None
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        return None, error


async def play_cell(name: str, call: Call, bench: Bench, recorder: Recorder) -> Cell:
    """One method against all answers."""
    cell = Cell(ends={}, wrong=[])
    for answer, make in ANSWERS.items():
        recorder.begin(make())
        result, error = await _tried(call, bench)
        if error is None:
            cell.ends[answer] = type(result).__name__
        else:
            cell.ends[answer] = type(error).__name__
            if not isinstance(error, PlanarError):
                cell.wrong.append(f"{answer}: {type(error).__name__}: {error}")
            elif not recorder.requests and error.outcome not in (Outcome.NOT_SENT, None):
                cell.wrong.append(f"{answer}: nothing was sent, and the outcome is {error.outcome}")
        if not cell.how:
            _note(cell, name, recorder.requests, error)
    if name in dir(Exchange):
        cell.can = bench.exchange.can(name).how
        if cell.can == "refused" and cell.how == "request":
            cell.wrong.append(f"can() says that it is refused, and {cell.request} was sent")
        if cell.can == "native" and cell.how == "NotSupported":
            cell.denied = True
    return cell


def _note(cell: Cell, name: str, requests: list[Request], error: BaseException | None) -> None:
    if not requests:
        cell.how = "nothing is sent" if error is None else type(error).__name__
        return
    first = requests[0]
    cell.how, cell.request = "request", first.name
    given = arguments(name) if name in dir(Exchange) else {"symbol": SPOT}
    if "symbol" in given:
        said = "".join(f"{one.path}?{one.fields}" for one in requests).upper()
        cell.named = "BTC" in said


async def play_id(exchange_id: str, wanted: Mapping[str, Call]) -> dict[str, Cell]:
    """All methods of one id."""
    recorder = Recorder()
    with tempfile.TemporaryDirectory() as directory:
        bench, dialer = open_bench(exchange_id, recorder, Path(directory))
        try:
            return {name: await play_cell(name, call, bench, recorder) for name, call in wanted.items()}
        finally:
            await bench.close()
            await dialer.close()


def play(exchange_id: str, only: str | None = None) -> dict[str, Cell]:
    """The column of one id, in virtual time."""
    wanted = {name: call for name, call in calls().items() if only is None or name == only}
    return runtime.simulate(lambda: play_id(exchange_id, wanted), seed=7, start_wall_ms=STARTS_MS, limit_s=10_000_000)
