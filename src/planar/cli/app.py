"""The command line: every command with its group and example, and the way from arguments to an exit code."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from cyclopts import App, CycloptsError, Group

from planar.cli import account, exits, market, order, setup, venue, venue_clients, venue_tools, watch
from planar.cli.demo.command import demo
from planar.cli.exits import Interrupted, UsageError
from planar.errors import PlanarError

MARKET_DATA = Group("Market data", sort_key=1)
ACCOUNT = Group("Account and orders", sort_key=2)
LOCAL = Group("Local exchanges", sort_key=3)
SETUP = Group("Set-up", sort_key=4)

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
    _add(app, market.exchanges, "exchanges", MARKET_DATA, "planar exchanges kraken")
    _add(app, market.markets, "markets", MARKET_DATA, "planar markets --exchange kraken --quote EUR")
    _add(app, market.ticker, "ticker", MARKET_DATA, "planar ticker BTC/USDT ETH/USDT --exchange binance")
    _add(app, market.book, "book", MARKET_DATA, "planar book BTC/USDT --exchange kraken --limit 5")
    _add(app, market.trades, "trades", MARKET_DATA, "planar trades BTC/USDT --exchange okx --limit 50 --json")
    _add(app, market.ohlcv, "ohlcv", MARKET_DATA, "planar ohlcv BTC/USDT --timeframe 1h --limit 24 --exchange binance")
    _add(app, watch.watch, "watch", MARKET_DATA, "planar watch BTC/USDT --exchange binance,kraken")
    _add(app, account.balance, "balance", ACCOUNT, "planar balance --exchange binance --environment local")
    _add(app, account.orders, "orders", ACCOUNT, "planar orders BTC/USDT --all --environment local -e binance")
    app.command(_order_app())
    _add(app, account.cancel, "cancel", ACCOUNT, "planar cancel BTC/USDT 360411952 --environment local -e binance")
    _add(app, demo, "demo", LOCAL, "planar demo --seconds 10")
    app.command(_venue_app())
    _add(app, setup.init, "init", SETUP, "planar init")
    app.command(_config_app())
    _add(
        app,
        setup.completion,
        "completion",
        SETUP,
        "planar completion bash > ~/.local/share/bash-completion/completions/planar",
    )
    return app


def _order_app() -> App:
    app = App(name="order", help="Send one order, or show one.", group=ACCOUNT, sort_key=1, help_epilogue=DETAILS)
    _add(app, order.buy, "buy", None, "planar order buy BTC/USDT 0.01 --price 60000 -e binance --environment local")
    _add(app, order.sell, "sell", None, "planar order sell BTC/USDT 0.01 --market -e binance --environment local --yes")
    _add(app, order.show, "show", None, "planar order show BTC/USDT 360411952 -e binance --environment local")
    return app


def _config_app() -> App:
    app = App(name="config", help="Look at the configuration.", group=SETUP, sort_key=1, help_epilogue=DETAILS)
    _add(app, setup.check, "check", None, "planar config check --json")
    return app


def _venue_app() -> App:
    app = App(
        name="venue", help="Run, inspect and steer local exchanges.", group=LOCAL, sort_key=1, help_epilogue=DETAILS
    )
    _add(app, venue.up, "up", None, "planar venue up --port 8877 --activity")
    _add(app, venue.status, "status", None, "planar venue status")
    _add(app, venue.down, "down", None, "planar venue down")
    _add(app, venue_clients.ca, "ca", None, "planar venue ca --for ccxt-py")
    _add(app, venue.keys, "keys", None, "planar venue keys --json > keys.json")
    _add(app, venue_tools.ledger, "ledger", None, "planar venue ledger fills --account alice --limit 20")
    _add(app, venue_tools.market, "market", None, "planar venue market step --ms 60000")
    _add(app, venue_tools.balance, "balance", None, "planar venue balance alice USDT 1000")
    fault = App(name="fault", help="Make chosen requests or answers fail.", sort_key=20, help_epilogue=DETAILS)
    _add(fault, venue_tools.add, "add", None, "planar venue fault add drop-answer --method POST --path '/api/v3/order'")
    _add(fault, venue_tools.faults, "list", None, "planar venue fault list")
    _add(fault, venue_tools.clear, "clear", None, "planar venue fault clear")
    app.command(fault)
    return app


def _add(app: App, function: Callable[..., int], name: str, group: Group | None, example: str) -> None:
    options: dict[str, Any] = {"group": group} if group is not None else {}
    app.command(function, name=name, help_epilogue=f"Example:\n  {example}", sort_key=len(list(app)), **options)


def _exit_codes() -> str:
    return "Exit codes:\n" + "\n".join(f"{code:>5}  {meaning}" for code, meaning in exits.TABLE)


def _version() -> str:
    import planar

    return planar.__version__


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    json = "--json" in arguments
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
    except Exception as error:
        _trace()
        sys.stderr.write(
            f"planar: a fault in Planar: {type(error).__name__}: {error}\n  -> PLANAR_DEBUG=1 shows where\n"
        )
        return exits.FAULT


def _usage_error(error: CycloptsError) -> UsageError:
    command = " ".join(["planar", *(error.command_chain or ())])
    return UsageError(str(error), hint=f"{command} --help")


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
    logging.getLogger().addHandler(handler)
