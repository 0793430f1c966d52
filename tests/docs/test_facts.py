"""Pages that repeat tables of the code say what the code says."""

from __future__ import annotations

import inspect
import re

from docs_kit import ROOT, blocks

import planar
import planar.errors as errors
from planar.adapters import kraken
from planar.adapters.binance import PROFILE
from planar.adapters.binance.quirks import WEBSOCKET_MESSAGES_PER_S
from planar.adapters.kraken import meters
from planar.exchange import Exchange
from planar.models import OrderState
from planar.streams import StreamState
from planar.transport import lanes
from planar.transport.http import TRANSPORT_OUTCOMES
from planar.venue.described import Described, fault_kinds, state_commands

DOCS = ROOT / "docs"
BINANCE = (DOCS / "exchanges" / "binance.md").read_text()
KRAKEN = (DOCS / "exchanges" / "kraken.md").read_text()


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
        for cells in rows(section(BINANCE, "Outcomes").split("### Texts")[0])
        for code in code_words(cells[0])
    }
    assert table == {code: (row.kind.__name__, row.outcome.value) for code, row in PROFILE.errors.items()}


def test_the_client_ids_and_expiry_of_binance() -> None:
    text = section(BINANCE, "Client ids and expiry")
    assert PROFILE.client_id.param in text
    assert f"at most {PROFILE.client_id.length} characters" in text
    assert f"`{PROFILE.expiry.param}={PROFILE.expiry.window_ms}`" in text
    assert f"{PROFILE.expiry.settle_ms:,} ms" in text
    assert f"during {PROFILE.expiry.reach_days} days" in text
    assert PROFILE.client_id.unique == "open"
    assert "unique among open orders only" in text
    assert not PROFILE.fees_on_top
    assert "out of what is bought" in text


def test_the_hosts_of_kraken() -> None:
    (cells,) = rows(section(KRAKEN, "Hosts"))[1:]
    assert kraken.PROFILE.hosts["local"] == kraken.PROFILE.hosts["live"]
    assert code_words(cells[1]) == list(kraken.PROFILE.hosts["live"].hosts)


def test_the_meters_of_kraken() -> None:
    table = [cells for cells in rows(section(KRAKEN, "Meters")) if cells[0].startswith("`")]
    assert table == [
        [
            f"`{meter.name}`",
            f"{meter.limit:.0f}" + (f" in {meter.window_ms // 1000} s" if meter.window_ms else ""),
            f"{meter.decay_per_s:g} a second" if meter.decay_per_s else "",
            f"the {meter.scope}",
        ]
        for meter in kraken.PROFILE.meters
    ]
    ages = [cells for cells in rows(section(KRAKEN, "Meters")) if re.match(r"\d+ s$", cells[0])]
    costs = zip(meters.AGES_S, meters.CANCEL, meters.AMEND, meters.EDIT, strict=True)
    assert ages == [[f"{age} s", str(cancel), f"1 + {amend}", f"1 + {edit}"] for age, cancel, amend, edit in costs]
    for code, seconds in kraken.PROFILE.stops.items():
        assert isinstance(code, int) or f"`{code}`" in KRAKEN
        assert isinstance(code, int) or f"{seconds:.0f} s" in section(KRAKEN, "Meters")


def test_the_outcomes_of_kraken() -> None:
    table = {
        code: (code_words(cells[1])[0], cells[2].split(",")[0])
        for cells in rows(section(KRAKEN, "Outcomes"))
        for code in code_words(cells[0])
    }
    assert table == {code: (row.kind.__name__, row.outcome.value) for code, row in kraken.PROFILE.errors.items()}


def test_the_client_ids_and_expiry_of_kraken() -> None:
    text, profile = section(KRAKEN, "Client ids and expiry"), kraken.PROFILE
    assert f"`{profile.client_id.param}`" in text
    assert f"at most {profile.client_id.length} characters" in text
    assert f"`{profile.expiry.param}`, {profile.expiry.window_ms:,} ms" in text
    assert f"{profile.expiry.settle_ms:,} ms" in text
    assert profile.expiry.reach_days is None
    assert "without a stated limit of age" in text
    assert profile.client_id.unique == "open"
    assert "unique among open orders only" in text
    assert profile.fees_on_top
    assert "on top of its cost" in text
    assert f"at most every {profile.balance_hints_s:g} s" in KRAKEN
    assert f"after {lanes.TURN_S} s" in KRAKEN


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


def _described(one: Described) -> list[str]:
    fields = [f"`{field.name}`" + ("" if field.default is None else "?") for field in one.fields]
    return [f"`{one.name}`", " ".join(fields), one.meaning]


def test_the_faults_and_the_states_of_the_local_venue() -> None:
    page = (DOCS / "faults.md").read_text()
    listed = [cells for cells in rows(section(page, "The kinds")) if cells[0].startswith("`")]
    assert sorted(listed) == sorted(_described(one) for one in fault_kinds())
    commands = [cells for cells in rows(section(page, "States")) if len(cells) == 3 and cells[0].startswith("`")]
    assert commands == [_described(one) for one in state_commands()]


def test_each_of_the_thirty_failures_has_its_test() -> None:
    numbers = [
        int(cells[0]) for cells in rows(section((DOCS / "faults.md").read_text(), "Thirty ways to lose money"))[1:]
    ]
    assert numbers == list(range(1, 31))
    tests = (ROOT / "tests" / "wire" / "server" / "test_fault_scenarios.py").read_text()
    for number in numbers[:-1]:
        assert re.search(rf"^async def test_(\d+_and_)?{number:02}_", tests, re.MULTILINE), number
