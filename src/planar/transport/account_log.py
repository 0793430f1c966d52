"""Log lines say which account they are about: that of the call under way, also in the tasks which it started.

`Exchange` sets it for each of its methods, and for what its streams bring; the loggers of the order path and of the wire
read it. Of an account without a name it is the exchange.
"""

from __future__ import annotations

import contextlib
import logging
from contextvars import Context, ContextVar
from typing import Any

_account: ContextVar[str] = ContextVar("planar_account", default="")


class _Logging:
    """A block of `logging_for`."""

    __slots__ = ("_label", "_token")

    def __init__(self, label: str) -> None:
        self._label = label

    def __enter__(self) -> None:
        self._token = _account.set(self._label)

    def __exit__(self, *_: object) -> None:
        _account.reset(self._token)


def logging_for(label: str) -> contextlib.AbstractContextManager[None]:
    """Lines within the block, and in the tasks started in it, are about this account: "binance/main"."""
    return _Logging(label)


def logged_account() -> str:
    """The label of the account that is spoken of now; "" for none."""
    return _account.get()


def fresh_context() -> Context:
    """For a task that outlives the call: nothing of the call but its account."""
    made = Context()
    made.run(_account.set, _account.get())
    return made


class AccountLog(logging.LoggerAdapter[logging.Logger]):
    """A logger whose lines begin with the account."""

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """See `logging.LoggerAdapter`."""
        if self.isEnabledFor(level):
            label = _account.get()
            if label:  # a message without arguments is no format
                msg = f"{label.replace('%', '%%') if args else label}: {msg}"
            self.logger.log(level, msg, *args, **kwargs)


def account_log(name: str) -> AccountLog:
    """The logger of this name."""
    return AccountLog(logging.getLogger(name), {})
