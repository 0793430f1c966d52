"""The command line: every command with its group and example, and the way from arguments to an exit code."""

from __future__ import annotations

import io
import logging
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

from cyclopts import App, CycloptsError, Group

from planar.cli import (
    account,
    audit,
    budget,
    exits,
    health,
    journal,
    many,
    market,
    order,
    order_linked,
    orders_resolve,
    paper,
    setup,
    stop,
    venue,
    venue_accounts,
    venue_clients,
    venue_faults,
    venue_market,
    venue_tools,
    watch,
)
from planar.cli.check import check
from planar.cli.demo.command import demo
from planar.cli.doctor import doctor
from planar.cli.examples import EXAMPLES
from planar.cli.exits import Interrupted, UsageError
from planar.cli.reconcile import reconcile
from planar.errors import ConfigError, PlanarError

MARKET_DATA = Group("Market data", sort_key=1)
MANY = Group("Many exchanges", sort_key=2)
ACCOUNT = Group("Account and orders", sort_key=3)
LOCAL = Group("Local exchanges", sort_key=4)
SETUP = Group("Set-up", sort_key=5)

HELP = (
    "One safe interface to 100+ crypto exchanges.\n\nWithout a configuration, public data comes from the live exchanges. "
    "`planar demo` shows everything on a local exchange, offline; `planar venue up` keeps one running for "
    "--environment local."
)


DETAILS = "Each command has an example in its --help."


def make_app() -> App:
    """The whole command line."""
    app = App(
        name="planar",
        help=HELP,
        help_epilogue=_exit_codes(),
        help_format="plaintext",
        version=_version,
        suppress_keyboard_interrupt=False,
    )
    _add(app, market.exchanges, "exchanges", MARKET_DATA)
    _add(app, market.markets, "markets", MARKET_DATA)
    _add(app, market.ticker, "ticker", MARKET_DATA)
    _add(app, market.book, "book", MARKET_DATA)
    _add(app, market.trades, "trades", MARKET_DATA)
    _add(app, market.ohlcv, "ohlcv", MARKET_DATA)
    _add(app, watch.watch, "watch", MARKET_DATA)
    _add(app, many.select, "select", MANY)
    _add(app, many.route, "route", MANY)
    _add(app, many.arbitrage, "arbitrage", MANY)
    _add(app, account.balance, "balance", ACCOUNT)
    app.command(_orders_app())
    app.command(_order_app())
    app.command(_journal_app())
    _add(app, account.cancel, "cancel", ACCOUNT)
    _add(app, stop.stop, "stop", ACCOUNT)
    app.command(_paper_app())
    app.command(_audit_app())
    _add(app, reconcile, "reconcile", ACCOUNT)
    _add(app, budget.budget, "budget", ACCOUNT)
    _add(app, health.health, "health", ACCOUNT)
    _add(app, demo, "demo", LOCAL)
    app.command(_venue_app())
    _add(app, setup.init, "init", SETUP)
    app.command(_config_app())
    _add(app, doctor, "doctor", SETUP)
    _add(app, check, "check", SETUP)
    _add(app, setup.completion, "completion", SETUP)
    return app


def _order_app() -> App:
    app = App(
        name="order",
        help="Send orders, change one, look at one.",
        group=ACCOUNT,
        sort_key=1,
        help_epilogue=DETAILS,
    )
    _add(app, order.buy, "order buy")
    _add(app, order.sell, "order sell")
    _add(app, order.edit, "order edit")
    _add(app, order_linked.oco, "order oco")
    _add(app, order_linked.bracket, "order bracket")
    _add(app, order_linked.replace, "order replace")
    _add(app, order_linked.kinds, "order kinds")
    _add(app, order.show, "order show")
    return app


def _orders_app() -> App:
    example = f"Example:\n  {EXAMPLES['orders']}"
    app = App(name="orders", group=ACCOUNT, sort_key=1, help_epilogue=example)
    app.default(account.orders)
    _add(app, orders_resolve.resolve, "orders resolve")
    return app


def _journal_app() -> App:
    app = App(
        name="journal",
        help="Look at the order journals of this machine, check them, make them smaller.",
        group=ACCOUNT,
        sort_key=2,
        help_epilogue=DETAILS,
    )
    _add(app, journal.journals, "journal list")
    _add(app, journal.show, "journal show")
    _add(app, journal.verify, "journal verify")
    _add(app, journal.export, "journal export")
    _add(app, journal.compact, "journal compact")
    return app


def _paper_app() -> App:
    text = "Look at the paper accounts, begin one anew."
    app = App(name="paper", help=text, group=ACCOUNT, sort_key=3, help_epilogue=DETAILS)
    _add(app, paper.status, "paper status")
    _add(app, paper.reset, "paper reset")
    return app


def _audit_app() -> App:
    app = App(name="audit", help="Look at the audit trail.", group=ACCOUNT, sort_key=3, help_epilogue=DETAILS)
    _add(app, audit.show, "audit show")
    return app


def _config_app() -> App:
    app = App(name="config", help="Look at the configuration.", group=SETUP, sort_key=1, help_epilogue=DETAILS)
    _add(app, setup.check, "config check")
    return app


def _venue_app() -> App:
    app = App(
        name="venue", help="Run, inspect and steer local exchanges.", group=LOCAL, sort_key=1, help_epilogue=DETAILS
    )
    _add(app, venue.up, "venue up")
    _add(app, venue.status, "venue status")
    _add(app, venue.down, "venue down")
    _add(app, venue_clients.ca, "venue ca")
    _add(app, venue.keys, "venue keys")
    _add(app, venue_tools.ledger, "venue ledger")
    _add(app, venue_tools.check, "venue check")
    _add(app, venue_market.record, "venue record")
    _add(app, venue_market.replay, "venue replay")
    _add(app, venue_market.convert, "venue convert")
    steered = App(name="market", help="Freeze, step and shape the markets.", sort_key=19, help_epilogue=DETAILS)
    for command in ("freeze", "resume", "step", "show", "shape", "shock", "plant"):
        _add(steered, getattr(venue_market, command), f"venue market {command}")
    app.command(steered)
    _add(app, venue_tools.balance, "venue balance")
    _add(app, venue_faults.state, "venue state")
    fault = App(name="fault", help="Make what you choose fail.", sort_key=20, help_epilogue=DETAILS)
    _add(fault, venue_faults.add, "venue fault add")
    _add(fault, venue_faults.kinds, "venue fault kinds")
    _add(fault, venue_faults.faults, "venue fault list")
    _add(fault, venue_faults.clear, "venue fault clear")
    app.command(fault)
    accounts = App(
        name="account", help="Accounts, their keys, and money on its way.", sort_key=21, help_epilogue=DETAILS
    )
    _add(accounts, venue_accounts.accounts, "venue account list")
    for command in ("add", "key", "address", "deposit", "movements", "settle", "pace"):
        _add(accounts, getattr(venue_accounts, command), f"venue account {command}")
    app.command(accounts)
    return app


def _add(app: App, function: Callable[..., int], path: str, group: Group | None = None) -> None:
    """Add the command of `path` (its words from the root on) with its example."""
    options: dict[str, Any] = {"group": group} if group is not None else {}
    example = f"Example:\n  {EXAMPLES[path]}"
    app.command(function, name=path.split()[-1], help_epilogue=example, sort_key=len(list(app)), **options)


def _exit_codes() -> str:
    return "--debug with any command, or PLANAR_DEBUG, tells what it does, redacted.\n\nExit codes:\n" + "\n".join(
        f"{code:>5}  {meaning}" for code, meaning in exits.TABLE
    )


def _version() -> str:
    import planar

    return planar.__version__


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    if "--debug" in arguments:
        arguments = [argument for argument in arguments if argument != "--debug"]
        os.environ["PLANAR_DEBUG"] = "1"
    json = "--json" in arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Unicode shows ? for what it cannot
    _log_to_stderr()
    try:
        code = make_app()(list(arguments), exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
        return int(code or 0)
    except CycloptsError as error:
        return exits.tell(_usage_error(error), json=json)
    except PlanarError as error:
        _trace()
        return exits.tell(error, json=json)
    except Interrupted as signal:
        return signal.code
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    except BrokenPipeError:
        # whatever is still buffered has no reader either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.READER_GONE
    except OSError as error:
        if error.filename is None:
            return _fault(error, json=json)
        _trace()
        text = f"{error.strerror}: {error.filename}"
        return exits.tell(ConfigError(text, hint="PLANAR_STATE and PLANAR_CACHE say where Planar writes"), json=json)
    except Exception as error:
        return _fault(error, json=json)


def _fault(error: Exception, *, json: bool) -> int:
    """What nobody has foreseen."""
    _trace()
    exits.tell(PlanarError(f"a fault in Planar: {type(error).__name__}: {error}", hint=exits.WHERE), json=json)
    return exits.FAULT


def _usage_error(error: CycloptsError) -> UsageError:
    command = " ".join(["planar", *(error.command_chain or ())])
    return UsageError(_TYPE.sub(_in_words, str(error)), hint=f"{command} --help")


_TYPE = re.compile(r"unable to convert (\".*\") into ([A-Za-z]+)(\|None)?\.")
_WORDS = {"int": "a whole number", "float": "a number", "Decimal": "a number"}


def _in_words(found: re.Match[str]) -> str:
    """Not the type that Python has for it."""
    return f"{found[1]} is not {_WORDS.get(found[2], found[2])}."


def _trace() -> None:
    """With PLANAR_DEBUG, where the error came from."""
    if os.environ.get("PLANAR_DEBUG"):
        import traceback

        traceback.print_exc()


class _Brief(logging.Formatter):
    """One line a record; tracebacks only with PLANAR_DEBUG."""

    def format(self, record: logging.LogRecord) -> str:
        if not os.environ.get("PLANAR_DEBUG"):
            record.exc_info = None
            record.exc_text = None
        return f"planar: {super().format(record)}"


class _Stderr(logging.Handler):
    """Standard error as it is when a record comes: a live table may have taken it over."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(self.format(record) + "\n")


def _log_to_stderr() -> None:
    handler = _Stderr(logging.WARNING)
    handler.setFormatter(_Brief("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
