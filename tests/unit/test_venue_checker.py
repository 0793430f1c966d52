"""The checker names every order that was lost, doubled, made up or misread, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from planar.venue.checker import Ledger, Operation, Report, check, main

Row = dict[str, object]


def op(client_id: str, result: str = "ok", kind: str = "create", **belief: object) -> Row:
    return {"kind": kind, "client_id": client_id, "symbol": "BTC/USDT", "result": result, **belief}


def order(client_id: str, number: int = 1, status: str = "new", filled: str = "0") -> Row:
    return {"id": number, "client_id": client_id, "symbol": "BTC/USDT", "status": status, "filled": filled}


def fill(number: int, amount: str, order_id: int = 1) -> Row:
    return {"trade_id": number, "order_id": order_id, "symbol": "BTC/USDT", "amount": amount}


def judge(history: list[Row], orders: list[Row], fills: list[Row]) -> Report:
    ledger = msgspec.convert({"orders": orders, "fills": fills}, Ledger)
    return check(msgspec.convert(history, list[Operation]), ledger, seed=42)


CASES: dict[str, tuple[list[Row], list[Row], list[Row], list[str]]] = {
    "nothing": ([], [], [], []),
    "open": ([op("a", state="open", filled="0")], [order("a")], [], []),
    "filled": (
        [op("a", state="filled", filled="2")],
        [order("a", 1, "filled", "2.0")],
        [fill(1, "1.5"), fill(2, "0.5")],
        [],
    ),
    "refused": ([op("a", "fail")], [], [], []),
    "unknown, not there": ([op("a", "info")], [], [], []),
    "unknown, there": ([op("a", "info")], [order("a")], [], []),
    "unknown, then canceled": (
        [op("a", "info"), op("a", "ok", "cancel", state="canceled")],
        [order("a", 1, "canceled")],
        [],
        [],
    ),
    "an id used again": ([op("a"), op("a")], [order("a", 1, "canceled"), order("a", 2)], [], []),
    "lost": ([op("a")], [], [], ["lost"]),
    "lost, by belief": ([op("a", "info", state="open")], [], [], ["lost"]),
    "doubled": ([op("a")], [order("a", 1), order("a", 2)], [], ["doubled"]),
    "phantom, never asked for": ([], [order("a")], [], ["phantom"]),
    "phantom, held for not made": ([op("a", "fail")], [order("a")], [], ["phantom"]),
    "wrong state": ([op("a", state="open")], [order("a", 1, "canceled")], [], ["misreported"]),
    "wrong amount": (
        [op("a", state="open", filled="0")],
        [order("a", 1, "partially_filled", "1")],
        [fill(1, "1")],
        ["misreported"],
    ),
    "told canceled": ([op("a"), op("a", kind="cancel")], [order("a")], [], ["misreported"]),
    "a ledger against itself": ([op("a")], [order("a", 1, "partially_filled", "2")], [fill(1, "1")], ["misreported"]),
}


@pytest.mark.parametrize("name", list(CASES))
def test_a_history_is_judged(name: str) -> None:
    history, orders, fills, problems = CASES[name]
    report = judge(history, orders, fills)
    assert [(one.problem, one.client_id) for one in report.findings] == [(problem, "a") for problem in problems]
    assert report.seed == 42
    assert report.unknown == (["a"] if name.startswith("unknown") or name == "lost, by belief" else [])


def test_the_command_says_it_in_json_and_by_its_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history, ledger = tmp_path / "history.jsonl", tmp_path / "ledger.json"
    history.write_text("".join(json.dumps(row) + "\n" for row in (op("a"), op("b"))))
    ledger.write_text(json.dumps({"orders": [order("a")], "fills": []}))
    arguments = [str(history), "--ledger", str(ledger), "--seed", "7"]
    assert main(arguments) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["seed"], [one["client_id"] for one in report["findings"]]) == (7, ["b"])
    ledger.write_text(json.dumps({"orders": [order("a"), order("b", 2)], "fills": []}))
    assert main(arguments) == 0
    history.write_text('{"kind": "create"}\n')
    assert main(arguments) == 2
    assert "client_id" in capsys.readouterr().err
