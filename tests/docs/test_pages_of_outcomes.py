"""The tables of outcomes on the pages are those of the code."""

from __future__ import annotations

import pytest
from outcome_tables import DOCS, TABLES, with_table


@pytest.mark.parametrize(("file", "name"), TABLES)
def test_the_table_on_the_page_is_that_of_the_code(file: str, name: str) -> None:
    page = (DOCS / file).read_text()
    assert f"<!-- outcomes: {name} -->" in page
    same = with_table(page, name, TABLES[file, name]()) == page
    assert same, "python tests/docs/outcome_tables.py writes it anew"
