"""Pages that repeat tables of the code say what the code says."""

from __future__ import annotations

import inspect
import re

from docs_kit import ROOT, blocks

import planar
import planar.errors as errors
from planar.adapters.binance import PROFILE
from planar.adapters.binance.quirks import WEBSOCKET_MESSAGES_PER_S
from planar.exchange import Exchange
from planar.models import OrderState
from planar.streams import StreamState
from planar.transport.http import TRANSPORT_OUTCOMES

DOCS = ROOT / "docs"
BINANCE = (DOCS / "exchanges" / "binance.md").read_text()


def rows(text: str) -> list[list[str]]:
    """The cells of all table rows."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")
    ]


def section(text: str, title: str) -> str:
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


def code_words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_hosts_of_binance() -> None:
    table = {cells[0].split(",")[0]: code_words(cells[1]) for cells in rows(section(BINANCE, "Hosts"))[1:]}
    assert PROFILE.hosts["local"] == PROFILE.hosts["live"]
    assert table == {name: list(PROFILE.hosts[name].hosts) for name in ("live", "sandbox", "demo")}


def test_the_meters_of_binance() -> None:
    table = [cells for cells in rows(section(BINANCE, "Meters")) if cells[0].startswith("`")]
    assert table == [
        [
            f"`{meter.name}`",
            f"{meter.limit:.0f}",
            f"{meter.window_ms // 1000} s",
            f"the {meter.scope}",
            f"`{meter.header}`" if meter.header else "",
        ]
        for meter in PROFILE.meters
    ]
    assert f"at most {WEBSOCKET_MESSAGES_PER_S:.0f} messages a second" in BINANCE


def test_the_outcomes_of_binance() -> None:
    table = {
        code: (code_words(cells[1])[0], cells[2].split(",")[0])
        for cells in rows(section(BINANCE, "Outcomes"))
        for code in code_words(cells[0])
    }
    assert table == {code: (row.kind.__name__, row.outcome.value) for code, row in PROFILE.errors.items()}


def test_the_client_ids_and_expiry_of_binance() -> None:
    text = section(BINANCE, "Client ids and expiry")
    assert PROFILE.client_id.param in text
    assert f"at most {PROFILE.client_id.length} characters" in text
    assert f"`{PROFILE.expiry.param}={PROFILE.expiry.window_ms}`" in text
    assert f"{PROFILE.expiry.settle_ms:,} ms" in text


def test_the_tree_of_errors_is_the_tree() -> None:
    """Each class below the class that it is drawn below."""
    (drawn,) = [block.text for block in blocks(DOCS / "errors.md") if block.text.startswith("PlanarError\n")]
    parents: list[str] = []
    found: dict[str, str | None] = {}
    for line in drawn.splitlines():
        match = re.match(r"([| +\-]*)(\w+)", line)
        assert match
        depth = len(match.group(1)) // 4
        parents[depth:] = [match.group(2)]
        found[match.group(2)] = parents[depth - 1] if depth else None
    kinds = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, errors.PlanarError)]
    assert found == {
        kind.__name__: kind.__bases__[0].__name__ if kind is not errors.PlanarError else None for kind in kinds
    }


def test_outcomes_errors_and_states_are_named() -> None:
    page = (DOCS / "errors.md").read_text()
    for _, kind, _, _ in TRANSPORT_OUTCOMES:
        assert f"`{kind.__name__}`" in page
    for outcome in errors.Outcome:
        assert f"`{outcome.name}`" in page
    for page, states in (("orders.md", OrderState), ("streams.md", StreamState)):
        for state in states:
            assert f"| `{state.value}` |" in (DOCS / page).read_text()


def test_every_method_of_an_exchange_and_of_a_workspace_is_described() -> None:
    text = "".join(path.read_text() for path in DOCS.rglob("*.md"))
    for kind in (Exchange, planar.Workspace):
        for name, _ in inspect.getmembers(kind):
            if not name.startswith("_"):
                assert re.search(rf"\b{name}\b", text), f"{kind.__name__}.{name} stands on no page"


def test_every_proof_is_a_test_that_exists() -> None:
    page = (DOCS / "promises.md").read_text()
    wrong: list[str] = []
    for path, name in re.findall(r"`(tests/[^`:]+)(?:::(\w+))?`", page):
        file = ROOT / path
        if not file.exists() or (name and f"def {name}(" not in file.read_text()):
            wrong.append(f"{path}::{name}")
    assert wrong == []


def test_the_readme_shows_the_recorded_demo() -> None:
    recorded = (DOCS / "demo.txt").read_text()
    (shown,) = [block.text for block in blocks(ROOT / "README.md") if "Planar demo" in block.text]
    assert recorded.startswith(shown.rstrip("\n"))
