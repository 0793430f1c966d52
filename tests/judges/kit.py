"""What the judges share: the running venue with its ledger, and the book of checks. Standard library only.

A judge runs in the environment of the client it drives, which holds no Planar. It reads one JSON object from standard
input (port, token and certificate of the venue, keys of the accounts, the lines that users are told), and writes one
JSON object a line to standard output: {"part"} when a part begins, {"check", "ok", "said", "expected"} for every
comparison, {"note"} for what is worth telling.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import http.client
import importlib.metadata
import json
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ANSWER_S = 10.0
FAILED = "runs to its end"
"""The check of a part that an exception ended."""


class Venue:
    """The local venue as a stranger sees it: an address, a certificate, keys; and the ledger, which testifies.

    Attributes:
        base: the plain base-URL entrance.
        proxy: the CONNECT proxy, the same port.
        ca: path of the certificate.
        keys: credentials by account name: apiKey, secret, more.
        lines: what `planar venue ca --for CLIENT` prints, by client.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._port: int = given["port"]
        self._token: str = given["token"]
        self.base = self.proxy = f"http://127.0.0.1:{given['port']}"
        self.ca: str = given["ca"]
        self.keys: dict[str, dict[str, Any]] = {one["account"]: one for one in given["accounts"]}
        self.lines: dict[str, str] = given["lines"]

    def orders(self, account: str, *, since_ms: int | None = None, symbol: str | None = None) -> list[dict[str, Any]]:
        """The orders of an account, oldest first."""
        return self._ledger("orders", account=account, since_ms=since_ms, symbol=symbol)["orders"]

    def order(self, account: str, symbol: str, order_id: str) -> dict[str, Any]:
        """One order. Ids are the symbol's own."""
        found = self._ledger("orders", account=account, symbol=symbol, order_id=order_id)["orders"]
        if len(found) != 1:
            raise LookupError(f"the ledger has {len(found)} orders {order_id} of {account} in {symbol}")
        return found[0]

    def fills(self, account: str, *, since_ms: int | None = None, symbol: str | None = None) -> list[dict[str, Any]]:
        """The fills of an account, oldest first."""
        return self._ledger("fills", account=account, since_ms=since_ms, symbol=symbol)["fills"]

    def balances(self, account: str) -> dict[str, dict[str, str]]:
        """What an account has, by asset."""
        return self._ledger("balances", account=account)["balances"][account]

    def transfers(self, account: str, kind: str) -> list[dict[str, Any]]:
        """The account's postings of one kind: `deposit` or `withdrawal`."""
        rows = self._ledger("postings", account=account)["postings"]
        return [row for row in rows if row["kind"] == kind and row["account"] == account]

    def problems(self) -> list[str]:
        """What is wrong with the ledger itself; nothing, if all is well."""
        return self._ledger("check")["problems"]

    def set_balance(self, account: str, asset: str, free: str) -> None:
        """Set what an account has free."""
        self._command("set_balance", account=account, asset=asset, free=free)

    def freeze(self) -> None:
        """Stop the market model: nothing but the judge's own orders moves the market."""
        self._command("freeze")

    def resume(self) -> None:
        """Let the market move again."""
        self._command("resume")

    def step(self, ms: int) -> None:
        """Let so much time pass in a market that stands still."""
        self._command("step", ms=ms)

    def _command(self, action: str, **fields: Any) -> None:
        self._call("POST", "/command", {"venue": None, "command": {"action": action, **fields}})

    def _ledger(self, kind: str, **query: Any) -> Any:
        asked = {name: str(value) for name, value in query.items() if value is not None}
        return self._call("GET", "/ledger?" + urlencode({"kind": kind, **asked}))

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_S)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, "/planar" + path, body=sent, headers={"X-Planar-Token": self._token})
            answer = connection.getresponse()
            text = answer.read().decode()
            if answer.status != 200:
                raise RuntimeError(f"{method} /planar{path}: {answer.status} {text}")
            return json.loads(text)
        finally:
            connection.close()


class Checks:
    """The book of checks. What is compared is written down, whether it agrees or not.

    Attributes:
        patience_s: for how long what a stream says may lag behind.
    """

    def __init__(self, write: Callable[[dict[str, Any]], None], *, patience_s: float = 6.0) -> None:
        """`write`: takes each line of what a judge says."""
        self.patience_s = patience_s
        self._write = write
        self._part = ""

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """A part of the judgement; an exception ends it and counts as a disagreement."""
        self._part = name
        began = time.monotonic()
        self._write({"part": name})
        try:
            yield
        except Exception as error:
            self._record(FAILED, False, f"{type(error).__name__}: {error}", None)
            traceback.print_exc(file=sys.stderr)
        self._write({"part": name, "seconds": round(time.monotonic() - began, 2)})

    def same(self, what: str, said: Any, expected: Any) -> None:
        """Both are equal, down to the last digit."""
        self._record(what, said == expected, said, expected)

    def rows(self, what: str, said: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
        """Every field that was said is as expected. What is not said is not judged; something must be said."""
        wrong = [name for name in said if said[name] != expected[name]]
        ok = bool(said) and not wrong
        self._record(what, ok, {n: said[n] for n in wrong}, {n: expected[n] for n in wrong}, len(said))

    def true(self, what: str, ok: bool, said: Any = None) -> None:
        """A statement that holds or not; `said` is shown if not."""
        self._record(what, ok, said, True)

    def note(self, text: str) -> None:
        """Something worth telling that is no check."""
        self._write({"part": self._part, "note": text})

    def _record(self, what: str, ok: bool, said: Any, expected: Any, values: int = 1) -> None:
        line: dict[str, Any] = {"part": self._part, "check": what, "ok": bool(ok), "values": values}
        if not ok:
            line |= {"said": repr(said), "expected": repr(expected)}
        self._write(line)


def say(line: Mapping[str, Any]) -> None:
    """Write a line to standard output."""
    print(json.dumps(line), flush=True)


def read_task() -> dict[str, Any]:
    """What the runner asks for."""
    return json.loads(sys.stdin.read())


def begin() -> tuple[Checks, Venue, dict[str, Any]]:
    """What a judge works with: its book, the venue, and all that it was told."""
    task = read_task()
    return Checks(say, patience_s=task["patience_s"]), Venue(task), task


def now_ms() -> int:
    """The time of this machine, UTC epoch."""
    return time.time_ns() // 1_000_000


def exact(value: Any) -> Decimal:
    """A number as the client shows it: a string as it stands, a float by its shortest form."""
    return Decimal(value) if isinstance(value, str) else Decimal(repr(value))


def check_shipped(checks: Checks, distribution: str, modules: Iterable[str]) -> None:
    """The loaded modules of a client are the files that its authors shipped: their hashes are those of its RECORD."""
    found = importlib.metadata.distribution(distribution)
    record = {row[0]: row[1] for row in csv.reader((found.read_text("RECORD") or "").splitlines())}
    root = Path(str(found.locate_file("")))
    loaded, changed = 0, []
    for name in sorted(modules):
        module = sys.modules[name]
        path = Path(getattr(module, "__file__", None) or "/")
        if not path.is_relative_to(root):
            continue
        relative = path.relative_to(root).as_posix()
        if relative not in record:
            continue
        loaded += 1
        digest = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
        if record[relative] != f"sha256={digest}":
            changed.append(relative)
    checks.true(f"{loaded} modules of {distribution} are loaded", loaded > 0)
    checks.same(f"modules of {distribution} {found.version} that were changed", changed, [])
