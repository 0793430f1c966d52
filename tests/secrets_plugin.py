"""After the tests: everything that they have written and logged is searched for secrets. A secret found fails the run.

What a test writes is below pytest's temporary directory; what it logs and prints is in its report. Where several
processes run tests, the one that collects their reports searches.
"""

from __future__ import annotations

from functools import cache

import pytest
from tests.secrets_search import Hoard, Leak, search_tree, seeded

SHOWN = 20
PLANTS = "test_plants_"
"""Tests whose names begin so plant secrets, to see that they are found."""


@cache
def hoard() -> Hoard:
    """The secrets that are searched for."""
    return seeded()


class SecretsPlugin:
    """Searches what the tests of a run leave."""

    def __init__(self) -> None:
        self.leaks: list[Leak] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Search what a test has logged, printed and said as it failed."""
        if PLANTS in report.nodeid:
            return
        texts = [*report.sections, *([("the failure", report.longreprtext)] if report.failed else [])]
        for name, text in texts:
            self.leaks += hoard().find(text.encode(errors="replace"), f"{name} of {report.nodeid} ({report.when})")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Search what the tests have written."""
        factory = session.config._tmp_path_factory  # type: ignore[attr-defined]
        if factory._basetemp is not None:
            self.leaks += [leak for leak in search_tree(hoard(), factory.getbasetemp()) if PLANTS not in leak.where]
        if self.leaks and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was found."""
        if self.leaks:
            terminalreporter.section("secrets in what the tests have written", red=True)
            for leak in dict.fromkeys(map(str, self.leaks[:SHOWN])):
                terminalreporter.line(leak)
