"""Adapters that others wrote, held to the contract of `Adapter`: Planar's errors only, and answers of the right kinds.

`opening` makes the instance of a checked subclass: each primitive that the user's class wrote or overrode is wrapped, so
that an exception of another kind, None, or a model with a wrong field ends as `AdapterError`, which names adapter, method
and line, before it reaches orders or streams. Planar's own primitives are left as they are.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache, wraps
from pathlib import PurePath
from types import TracebackType
from typing import Any, Final, TypeVar, cast

from planar.adapters.base import Adapter
from planar.adapters.fitting import Misfit, fitter
from planar.errors import AdapterError, Outcome, PlanarError, RequestTimeout
from planar.models import AccountBalance, Amount, Candle, Fill, Market, Order, OrderBook, Ticker, Trade
from planar.models.key_rights import KeyRights
from planar.transport.context import OnSend
from planar.transport.redact import redact, redact_error, without_frames

A = TypeVar("A", bound=Adapter)

_ANSWERS: Final[Mapping[str, Any]] = {
    "list_markets": list[Market],
    "load_markets": Mapping[str, Market],
    "fetch_time": int,
    "fetch_ticker": Ticker,
    "fetch_tickers": dict[str, Ticker],
    "fetch_order_book": OrderBook,
    "fetch_trades": list[Trade],
    "fetch_ohlcv": list[Candle],
    "fetch_balance": AccountBalance,
    "fetch_my_trades": list[Fill],
    "fetch_key_rights": KeyRights,
    "fetch_trading_fee": tuple[Amount, Amount],
    "fetch_open_orders": list[Order],
    "fetch_orders": list[Order],
    "query_order": Order | None,
    "submit": Order,
    "submit_linked": list[Order],
    "amend": Order | None,
    "submit_batch": list[Order | PlanarError],
    "cancel": Order | None,
    "cancel_batch": list[Order | None],
    "cancel_all": None,
    "cancel_all_after": None,
    "unified": Any,
}
"""Primitive -> what it gives."""


@cache
def checked(kind: type[A], base: type[Adapter]) -> type[A]:
    """The class with those of its primitives wrapped that are not `base`'s; `unchecked` takes that off again."""
    body: dict[str, Any] = {"__module__": kind.__module__, "__doc__": kind.__doc__, "__qualname__": kind.__qualname__}
    for name, answer in _ANSWERS.items():
        written = getattr(kind, name, None)
        if written is not None and written is not getattr(base, name, None):
            body[name] = _wrapped(kind, name, written, answer)
    body["planar_unchecked"] = kind
    return cast("type[A]", type(kind)(kind.__name__, (kind,), body))


def unchecked(adapter: A) -> A:
    """The adapter as it was written, sharing the state of the one given: for tests that look at what it does itself."""
    kind: type[A] | None = getattr(adapter, "planar_unchecked", None)
    if kind is None:
        return adapter
    bare = copy.copy(adapter)
    bare.__class__ = kind
    return bare


def _wrapped(kind: type[Any], name: str, written: Callable[..., Any], answer: Any) -> Callable[..., Awaitable[Any]]:
    misfit = fitter(answer)
    where = f"{kind.__qualname__}.{name}"
    remedy = f"correct {kind.__module__}.{where}"

    @wraps(written)
    async def held(self: Adapter, *args: Any, **kwargs: Any) -> Any:
        sent = _Sent()
        if "on_send" in kwargs:
            kwargs["on_send"] = sent.watching(kwargs["on_send"])
        try:
            told = written(self, *args, **kwargs)
            if not inspect.isawaitable(told):
                raise _fault(self, f"{where} is no coroutine: it gave {_shown(told)}", f"{remedy}: write `async def`")
            given = await told
        except PlanarError as error:
            error.exchange, error.account = error.exchange or self.id, error.account or self.account
            if error.outcome is None or (sent.watched and error.outcome is not Outcome.OK and not sent.sent):
                error.outcome = sent.outcome()
            raise
        except TimeoutError as error:
            late = RequestTimeout(f"{where} was not answered in time", exchange=self.id, outcome=sent.outcome())
            late.account = self.account
            raise late from without_frames(error)
        except Exception as error:
            text = f"{where} raised {type(error).__name__}: {_plain(self, str(error))}{_place(error.__traceback__)}"
            made = _fault(self, text, f"{remedy}: an adapter raises errors of planar.errors only", sent.outcome())
            raise made from redact_error(without_frames(error))
        found = misfit(given)
        if found is not None:
            raise _fault(self, _wrong(self, where, found), remedy, Outcome.UNKNOWN)
        return given

    return held


class _Sent:
    """Whether an order's first byte may have left."""

    def __init__(self) -> None:
        self.watched = self.sent = False

    def watching(self, on_send: OnSend) -> OnSend:
        """`on_send`, noticed."""
        self.watched = True

        def told() -> Awaitable[None] | None:
            waiting = on_send()
            self.sent = True
            return waiting

        return told

    def outcome(self) -> Outcome:
        """What is known of a call that ended with an error that does not say."""
        return Outcome.NOT_SENT if self.watched and not self.sent else Outcome.UNKNOWN


def _fault(adapter: Adapter, text: str, remedy: str, outcome: Outcome = Outcome.UNKNOWN) -> AdapterError:
    error = AdapterError(text, exchange=adapter.id, outcome=outcome, hint=remedy)
    error.account = adapter.account
    return error


def _wrong(adapter: Adapter, where: str, found: Misfit) -> str:
    got = _plain(adapter, _shown(found.value))
    if found.path:
        return f"{where} gave {found.path} = {got}, where {found.expected} is due"
    return f"{where} gave {got}, where {found.expected} is due"


def _shown(value: object) -> str:
    text = repr(value)
    text = text if len(text) <= 60 else f"{text[:57]}..."
    return text if value is None else f"{text} ({type(value).__name__})"


def _plain(adapter: Adapter, text: str) -> str:
    """Without the credentials that the adapter was opened with."""
    held: Mapping[str, str] = getattr(adapter, "credentials", {})
    secrets: Sequence[str] = [value for value in held.values() if value]
    return redact(text, secrets)


def _place(frames: TracebackType | None) -> str:
    """The innermost line outside Planar, as ` (my_broker.py, line 40)`; the traceback itself goes, since it holds secrets."""
    place = ""
    while frames is not None:
        module = str(frames.tb_frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] not in ("planar", "asyncio"):
            place = f" ({PurePath(frames.tb_frame.f_code.co_filename).name}, line {frames.tb_lineno})"
        frames = frames.tb_next
    return place
