"""The checker names every order that was lost, doubled, made up or misreported, and nothing else."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from planar.cli import exits
from planar.cli.app import run
from planar.errors import BadRequest
from planar.venue.checker import STATES, Ledger, Operation, Report, check, read_history, read_ledger
from planar.venue.engine.enums import OrderStatus

Row = dict[str, object]


def op(client_id: str, result: str = "ok", kind: str = "create", **belief: object) -> Row:
    return {"kind": kind, "client_id": client_id, "symbol": "BTC/USDT", "result": result, **belief}


def order(client_id: str | None, number: int = 1, status: str = "new", filled: str = "0") -> Row:
    cost = str(Decimal(filled) * 10)
    row = {"id": number, "client_id": client_id, "symbol": "BTC/USDT", "status": status, "amount": "2"}
    return {**row, "filled": filled, "quote_filled": cost, "account": "alice"}


def fill(amount: str, order_id: int = 1, fee: str = "0.1") -> Row:
    row = {"order_id": order_id, "symbol": "BTC/USDT", "amount": amount, "quote": str(Decimal(amount) * 10)}
    return {**row, "commission": fee, "commission_asset": "USDT", "trade_id": 7}


def judge(history: list[Row], orders: list[Row], fills: list[Row]) -> Report:
    ledger = msgspec.convert({"orders": orders, "fills": fills}, Ledger)
    return check(msgspec.convert(history, list[Operation]), ledger, seed=42)


FILLED = [order("a", 1, "filled", "2.0")]
FILLS = [fill("1.5"), fill("0.5")]
CASES: dict[str, tuple[list[Row], list[Row], list[Row], list[str]]] = {
    "nothing": ([], [], [], []),
    "open": ([op("a", state="open", filled="0", order_id="1")], [order("a")], [], []),
    "filled": (
        [op("a", state="closed", filled="2", cost="20.0", amount="2.00", fees={"USDT": "0.2", "BNB": "0"})],
        FILLED,
        FILLS,
        [],
    ),
    "refused": ([op("a", "failed", state="rejected")], [], [], []),
    "unknown, not there": ([op("a", "unknown")], [], [], []),
    "unknown, there": ([op("a", "unknown")], [order("a")], [], []),
    "unknown, then canceled": (
        [op("a", "unknown"), op("a", "ok", "cancel", state="canceled")],
        [order("a", 1, "canceled")],
        [],
        [],
    ),
    "the last belief counts": (
        [op("a", state="open", filled="0"), op("a", "failed", "cancel", state="filled", filled="2")],
        FILLED,
        FILLS,
        [],
    ),
    "an id used again": ([op("a"), op("a")], [order("a", 1, "canceled"), order("a", 2)], [], []),
    "lost": ([op("a")], [], [], ["lost"]),
    "lost, by belief": ([op("a", "unknown", state="open")], [], [], ["lost"]),
    "doubled": ([op("a")], [order("a", 1), order("a", 2)], [], ["doubled"]),
    "doubled, of an unknown one": ([op("a", "unknown")], [order("a", 1), order("a", 2)], [], ["doubled"]),
    "phantom, never asked for": ([], [order("a")], [], ["phantom"]),
    "phantom, held for not made": ([op("a", "failed")], [order("a")], [], ["phantom"]),
    "wrong state": ([op("a", state="open")], [order("a", 1, "canceled")], [], ["misreported"]),
    "wrong amount": ([op("a", amount="1")], [order("a")], [], ["misreported"]),
    "wrong filled": (
        [op("a", state="open", filled="0")],
        [order("a", 1, "partially_filled", "1")],
        [fill("1")],
        ["misreported"],
    ),
    "wrong cost": ([op("a", cost="19")], FILLED, FILLS, ["misreported"]),
    "wrong fees": ([op("a", fees={"USDT": "0.1"})], FILLED, FILLS, ["misreported"]),
    "no fees": ([op("a", fees={})], FILLED, FILLS, ["misreported"]),
    "wrong id": ([op("a", order_id="2")], [order("a")], [], ["misreported"]),
    "told canceled": ([op("a"), op("a", kind="cancel")], [order("a")], [], ["misreported"]),
    "a ledger against itself": ([op("a")], [order("a", 1, "partially_filled", "2")], [fill("1")], ["misreported"]),
    "all at once": (
        [op("a", state="open", filled="1", cost="1")],
        [order("a", 1), *FILLED],
        FILLS,
        ["doubled", "misreported", "misreported", "misreported", "misreported"],
    ),
}


@pytest.mark.parametrize("name", list(CASES))
def test_a_history_is_judged(name: str) -> None:
    history, orders, fills, problems = CASES[name]
    report = judge(history, orders, fills)
    assert [(one.problem, one.client_id) for one in report.findings] == [(problem, "a") for problem in problems]
    assert (report.seed, report.operations, report.orders) == (42, len(history), len(orders))
    doubtful = name.startswith("unknown") or name in ("lost, by belief", "doubled, of an unknown one")
    assert report.unknown == (["a"] if doubtful else [])


def test_what_is_said_is_what_is_the_case() -> None:
    report = judge([op("a", fees={"USDT": "0.1"}, order_id="9")], FILLED, FILLS)
    assert [one.detail for one in report.findings] == [
        "the client believes fees 0.1 USDT, they are 0.2 USDT",
        "the client was told the id 9, it is 1",
    ]


def test_an_order_without_a_client_id_is_a_phantom_of_its_own() -> None:
    report = judge([], [order(None, 5), order(None, 6)], [])
    assert [(one.problem, one.client_id) for one in report.findings] == [
        ("phantom", "(none, order 5)"),
        ("phantom", "(none, order 6)"),
    ]


def test_every_status_of_the_engine_has_a_word() -> None:
    assert set(STATES) == {status.name for status in OrderStatus}
    with pytest.raises(BadRequest, match="status 'asleep'"):
        judge([], [order("a", status="asleep")], [])


def test_files_that_are_none(tmp_path: Path) -> None:
    file = tmp_path / "f"
    with pytest.raises(BadRequest, match="cannot be read: No such file"):
        read_history(file)
    file.write_text(json.dumps(op("a")) + "\n\n" + json.dumps(op("b", "perhaps")) + "\n")
    with pytest.raises(BadRequest, match=r"line 3 of .* is no operation: .*perhaps"):
        read_history(file)
    file.write_text("[]")
    with pytest.raises(BadRequest, match="holds no ledger"):
        read_ledger(file)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history, ledger = tmp_path / "history.jsonl", tmp_path / "ledger.json"
    history.write_text("".join(json.dumps(row) + "\n" for row in (op("a"), op("b"), op("c", "unknown"))))
    ledger.write_text(json.dumps({"orders": [order("a")], "fills": []}))
    arguments = ["venue", "check", str(history), "--ledger", str(ledger), "--seed", "7"]
    assert run([*arguments, "--json"]) == exits.REFUSED
    report = json.loads(capsys.readouterr().out)
    assert (report["seed"], [one["client_id"] for one in report["findings"]]) == (7, ["b"])
    assert run(arguments) == exits.REFUSED
    text = capsys.readouterr().out
    assert "3 operations, 1 orders, seed 7: 1 findings" in text
    assert "lost" in text
    ledger.write_text(json.dumps({"orders": [order("a"), order("b", 2)], "fills": []}))
    assert run(arguments) == exits.OK
    text = capsys.readouterr().out
    assert "Nothing lost, doubled, made up or misreported.\n1 orders of which the client does not know." in text
    assert run(["venue", "check", str(history)]) == exits.USAGE
    assert "--account alice" in capsys.readouterr().err
    assert run([*arguments, "--account", "alice"]) == exits.USAGE
