"""`planar demo`: its two sides agree, and nothing is left, however it ends."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from cli_kit import Home, ended, wait_until

from planar.cli import exits
from planar.cli.demo.sides import OrderLine, Side, differences
from planar.cli.demo.summary import compare, judge, render
from planar.cli.output import console

SUMS = ("bought", "sold", "paid", "received", "fees", "balance_changes")


def test_both_sides_agree(home: Home) -> None:
    as_json, as_text = home.start("demo", "--seconds", "3", "--json"), home.start("demo", "--seconds", "3")
    result = ended(("demo", "--json"), as_json)
    found = result.json
    assert (result.code, found["agree"]) == (exits.OK, True)
    assert result.err == ""
    assert list(found["exchanges"]) == ["binance", "kraken"]
    for one in found["exchanges"].values():
        client = one["client"]
        assert (client, one["differences"], one["unknown"], client["open"]) == (one["ledger"], [], 0, 0)
        assert client["placed"] == len(client["orders"]) == client["filled"] + client["canceled"] + client["expired"]
        assert (client["filled"] >= 3, client["canceled"] >= 1, client["answers_swallowed"]) == (True, True, 1)
        assert_money_adds_up(client)
    assert found["markets_live"] == 16
    text = ended(("demo",), as_text)
    assert text.code == exits.OK
    for words in (
        "the answer to the next order on binance is dropped",
        "hangs",
        "found out: pl",
        "16 of 16 markets live",
        "best of both",
    ):
        assert words in text.out
    assert "✓ Client and ledgers agree to the last digit" in text.out
    assert home.leftovers() == []


def assert_money_adds_up(side: dict[str, Any]) -> None:
    """What was bought, sold, paid, received and paid in fees explains every change of a balance."""
    expected: dict[str, Decimal] = {}
    for name, sign in (("bought", 1), ("sold", -1), ("paid", -1), ("received", 1), ("fees", -1)):
        for asset, amount in side[name].items():
            expected[asset] = expected.get(asset, Decimal(0)) + sign * Decimal(amount)
    changes = {asset: Decimal(amount) for asset, amount in side["balance_changes"].items()}
    assert {asset: amount for asset, amount in expected.items() if amount} == changes


@pytest.mark.parametrize("wait_for", ["", "Quotes"])
def test_interrupted_on_a_terminal(home: Home, wait_for: str) -> None:
    """Ctrl-C while the venue starts, and while the picture moves: no traceback, no process, no file, a usable terminal."""
    master, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 32, 100, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "planar", "demo"],
        cwd=home.path,
        env={**home.environ, "TERM": "xterm-256color"},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    shown = bytearray()
    if wait_for:
        while wait_for.encode() not in shown:
            shown += os.read(master, 65536)
    else:
        wait_until(lambda: home.leftovers() != [])
    process.send_signal(signal.SIGINT)
    while chunk := read(master):
        shown += chunk
    os.close(master)
    assert process.wait(20) == exits.INTERRUPTED
    assert b"Traceback" not in shown
    assert shown.count(b"\x1b[?25l") == shown.count(b"\x1b[?25h")
    wait_until(lambda: home.leftovers() == [])


def read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # Linux: the other end of a terminal has gone
        return b""


def side(**changes: Any) -> Side:
    orders = {"pl1": OrderLine("filled", "0.01", "600")}
    counts = dict.fromkeys(("canceled", "expired", "open", "answers_swallowed", "requests_lost"), 0)
    sums = {name: {"BTC": "0.01"} for name in SUMS}
    made = Side(orders=orders, placed=1, filled=1, executions=1, **counts, **sums)
    return msgspec.structs.replace(made, **changes)


NUMBERS = {"seconds": 20.0, "seed": 1, "updates": 9, "updates_dropped": 0, "markets_live": 16}


@pytest.mark.parametrize(
    ("ledger", "difference"),
    [
        (side(filled=2), "filled: client 1, ledger 2"),
        (side(fees={"BTC": "0.010000001"}), "fees BTC: client 0.01, ledger 0.010000001"),
        (side(fees={}), "fees BTC: client 0.01, ledger None"),
        (side(sold={"BTC": "0.01", "ETH": "1"}), "sold ETH: client None, ledger 1"),
        (
            side(orders={"pl1": OrderLine("canceled", "0", "0")}),
            "orders pl1: client OrderLine(state='filled', filled='0.01', cost='600'), "
            "ledger OrderLine(state='canceled', filled='0', cost='0')",
        ),
    ],
)
def test_one_digit_is_enough_to_disagree(ledger: Side, difference: str) -> None:
    assert differences(side(), ledger) == [difference]
    compared = {"one": compare(side(), side(), ledger_sound=True), "other": compare(side(), ledger, ledger_sound=True)}
    result = judge(compared, **NUMBERS)
    assert not result.agree
    with console().capture() as capture:
        console().print(render(result))
    assert difference in capture.get()
    assert "ledger of other do not agree" in capture.get()


def test_equal_sides_agree_only_if_all_is_known_and_sound() -> None:
    assert compare(side(), side(), ledger_sound=True).agree
    assert not compare(side(), side(), ledger_sound=False).agree
    unknown = side(orders={"pl1": OrderLine("unknown", "0", "0")})
    assert not compare(unknown, unknown, ledger_sound=True).agree
    assert not compare(side(open=1), side(open=1), ledger_sound=True).agree
    agreed = judge({"one": compare(side(), side(), ledger_sound=True)}, **NUMBERS)
    assert json.loads(msgspec.json.encode(agreed))["agree"] is True
