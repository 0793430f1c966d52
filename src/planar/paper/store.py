"""The file of a paper account: SQLite, one transaction for each step, one writer by lock, any number of readers.

What was committed survives the death of the process at any moment.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from planar.errors import JournalError, JournalLocked
from planar.models import Amount
from planar.models.codec import from_json, to_json
from planar.orders.journal_files import check_place
from planar.orders.lock import WriterLock, holder_of
from planar.paper.account import Changes
from planar.paper.state import Holding, PaperFill, PaperOrder, Summary

T = TypeVar("T")

VERSION = 1

TABLES = """
CREATE TABLE IF NOT EXISTS account (id INTEGER PRIMARY KEY CHECK (id = 1), body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, client_id TEXT NOT NULL UNIQUE, symbol TEXT NOT NULL,
    stands INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS standing ON orders (stands) WHERE stands = 1;
CREATE TABLE IF NOT EXISTS fills (
    number INTEGER PRIMARY KEY, order_id TEXT NOT NULL, symbol TEXT NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS fills_of ON fills (order_id);
"""


def lock_of(path: Path) -> Path:
    """The lock file of an account's file."""
    return path.with_name(path.name + ".lock")


class PaperStore:
    """One account's file, open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = WriterLock(lock_of(path))
        self._database: sqlite3.Connection | None = None

    # -- opening ---------------------------------------------------------------------------------------------------
    def open_to_write(self, start: Mapping[str, Amount], now_ms: int) -> None:
        """Take the lock, and make the file if it is new.

        Args:
            start: what a new account holds.

        Raises:
            JournalLocked: another process simulates this account.
            JournalError: the file cannot be used.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise self._trouble(error) from error
        check_place(self.path.parent)
        try:
            self._lock.acquire()
        except JournalLocked as error:
            holder = holder_of(lock_of(self.path)) or "another process"
            raise JournalLocked(
                f"the paper account {self.path} is being simulated by {holder}",
                hint="one process at a time orders with it; stop the other one, or use another account",
            ) from error
        try:
            self._connect(f"{self.path}", write=True)
            database = self._open
            self.path.chmod(0o600)
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=NORMAL")
            database.executescript(TABLES)
            if self._one("PRAGMA user_version") == 0:
                database.execute(f"PRAGMA user_version={VERSION}")
            self._check_version()
            if self._one("SELECT COUNT(*) FROM account") == 0:
                holdings = {currency: Holding(free=amount) for currency, amount in start.items()}
                self._put_summary(Summary(now_ms, dict(start), holdings))
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise self._trouble(error) from error
        except JournalError:
            self.close()
            raise

    def open_to_read(self) -> bool:
        """Open beside a writer; False if there is no account yet.

        Raises:
            JournalError: the file cannot be read.
        """
        if not self.path.exists():
            return False
        try:
            self._connect(f"file:{self.path}?mode=ro", write=False)
            if not self._one("SELECT COUNT(*) FROM sqlite_master WHERE name = 'account'"):
                self.close()
                return False
            self._check_version()
            return bool(self._one("SELECT COUNT(*) FROM account"))
        except sqlite3.Error as error:
            self.close()
            raise self._trouble(error) from error

    def _connect(self, name: str, *, write: bool) -> None:
        self._database = sqlite3.connect(name, isolation_level=None, uri=not write, timeout=5.0)

    def _check_version(self) -> None:
        version = self._one("PRAGMA user_version")
        if version != VERSION:
            raise JournalError(
                f"the paper account {self.path} has version {version}, and this Planar knows {VERSION}",
                hint="use the Planar that made it, or begin anew with `planar paper reset`",
            )

    def _trouble(self, error: Exception) -> JournalError:
        return JournalError(
            f"the paper account {self.path} cannot be used: {getattr(error, 'strerror', None) or error}",
            hint="free disk space or mend its permissions; `planar paper reset` begins anew",
        )

    @property
    def _open(self) -> sqlite3.Connection:
        assert self._database is not None
        return self._database

    # -- reading ---------------------------------------------------------------------------------------------------
    def summary(self) -> Summary:
        """Balances and counts."""
        return from_json(Summary, self._open.execute("SELECT body FROM account").fetchone()[0])

    def standing(self) -> list[PaperOrder]:
        """The orders that have not ended, the oldest first."""
        return self._rows(PaperOrder, "SELECT body FROM orders WHERE stands = 1 ORDER BY number", ())

    def orders(self, symbol: str, since_ms: int, limit: int) -> list[PaperOrder]:
        """Orders of a market that were accepted since then, the oldest first."""
        known = self._rows(PaperOrder, "SELECT body FROM orders WHERE symbol = ? ORDER BY number", (symbol,))
        return [order for order in known if order.created_ms >= since_ms][:limit]

    def fills(self, symbol: str, since_ms: int, limit: int) -> list[PaperFill]:
        """Executions in a market since then, the oldest first."""
        known = self._rows(PaperFill, "SELECT body FROM fills WHERE symbol = ? ORDER BY number", (symbol,))
        return [fill for fill in known if fill.ts_ms >= since_ms][:limit]

    def order(self, order_id: str | None, client_id: str | None) -> PaperOrder | None:
        """One order by either id."""
        found = self._rows(
            PaperOrder, "SELECT body FROM orders WHERE id = ? OR client_id = ?", (order_id or "", client_id or "")
        )
        return found[0] if found else None

    def fills_of(self, order_id: str) -> list[PaperFill]:
        """The executions of an order, the oldest first."""
        return self._rows(PaperFill, "SELECT body FROM fills WHERE order_id = ? ORDER BY number", (order_id,))

    def _rows(self, kind: type[T], query: str, values: tuple[object, ...]) -> list[T]:
        try:
            return [from_json(kind, row[0]) for row in self._open.execute(query, values)]
        except sqlite3.Error as error:
            raise self._trouble(error) from error

    def _one(self, query: str) -> int:
        return int(self._open.execute(query).fetchone()[0])

    # -- writing ---------------------------------------------------------------------------------------------------
    def commit(self, changes: Changes) -> None:
        """Keep one step.

        Raises:
            JournalError: nothing of it was kept.
        """
        database = self._open
        try:
            database.execute("BEGIN IMMEDIATE")
            try:
                for order in changes.orders:
                    database.execute(
                        "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?) "
                        "ON CONFLICT (number) DO UPDATE SET stands = excluded.stands, body = excluded.body",
                        (order.number, order.id, order.client_id, order.symbol, int(order.stands), to_json(order)),
                    )
                for fill in changes.fills:
                    database.execute(
                        "INSERT INTO fills VALUES (?, ?, ?, ?)",
                        (fill.number, fill.order_id, fill.symbol, to_json(fill)),
                    )
                self._put_summary(changes.summary)
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise self._trouble(error) from error

    def _put_summary(self, summary: Summary) -> None:
        self._open.execute("INSERT OR REPLACE INTO account VALUES (1, ?)", (to_json(summary),))

    def close(self) -> None:
        """Close the file, give the lock back."""
        if self._database is not None:
            self._database.close()
            self._database = None
        self._lock.release()
