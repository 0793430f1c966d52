"""The line of each key, for every form in which TOML can write it."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planar.config.toml_scan import Path, positions

DOCUMENT = '''\
# [not.a.table] key = 1
title = "a # b [c] \\" d" # comment
a.b."c.d" = 1
'sin gle' = 'x\\'

[ table . "quo\\u0074ed" ]
key = """
[inside]
no = 1 \\""" still
""""
lit = \'\'\'
k = 2''\'\'\'
array = [
  1, # ] not the end
  [2, 3],
  { x = 1, "y" = [ 4 ] },
]
inline = { p.q = 1, r = { s = "}" } }
when = 1979-05-27 07:32:00 # a blank inside

[[many]]
n = 1
[many.sub]
m = 1
[[many]]
n = 2
[[many.deep]]
d = 1
[[many.deep]]
d = 2
last = 3'''

LINES: dict[Path, int] = {
    ("title",): 2,
    ("a",): 3,
    ("a", "b"): 3,
    ("a", "b", "c.d"): 3,
    ("sin gle",): 4,
    ("table",): 6,
    ("table", "quoted"): 6,
    ("table", "quoted", "key"): 7,
    ("table", "quoted", "lit"): 11,
    ("table", "quoted", "array"): 13,
    ("table", "quoted", "array", 0): 14,
    ("table", "quoted", "array", 1): 15,
    ("table", "quoted", "array", 1, 1): 15,
    ("table", "quoted", "array", 2, "y", 0): 16,
    ("table", "quoted", "inline", "p", "q"): 18,
    ("table", "quoted", "inline", "r", "s"): 18,
    ("table", "quoted", "when"): 19,
    ("many",): 21,
    ("many", 0): 21,
    ("many", 0, "n"): 22,
    ("many", 0, "sub"): 23,
    ("many", 0, "sub", "m"): 24,
    ("many", 1): 25,
    ("many", 1, "n"): 26,
    ("many", 1, "deep", 0): 27,
    ("many", 1, "deep", 1): 29,
    ("many", 1, "deep", 1, "last"): 31,
}


def every_path(value: Any, path: Path = ()) -> list[Path]:
    """All keys and elements of parsed data."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [one for key, item in inner for one in [(*path, key), *every_path(item, (*path, key))]]


@pytest.mark.parametrize("path", LINES, ids=str)
def test_each_form_of_a_key_has_its_line(path: Path) -> None:
    assert DOCUMENT.count("\n", 0, positions(DOCUMENT)[path]) + 1 == LINES[path]


def test_every_path_of_the_document_is_found() -> None:
    assert set(positions(DOCUMENT)) == set(every_path(tomllib.loads(DOCUMENT)))


def test_an_empty_document_has_no_positions() -> None:
    assert positions("") == {}
    assert positions("# only a comment") == {}


keys = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=4).map(
        lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    ),
)
scalars = st.sampled_from(["1", "true", '"a]}#\\""', "'x#}'", '"""m\n"" ]"""', "'''\n[t]\n'''", "1979-05-27", "-1.5e3"])


def inline(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Arrays and inline tables of `children`."""
    arrays = st.lists(children, max_size=3).map(lambda items: "[ # ]\n" + ",\n".join(items) + "\n]")
    # `unique_by` the parsed key would be needed for clean documents; invalid ones are dropped below.
    tables = st.lists(st.tuples(keys, children), max_size=3).map(
        lambda items: "{" + ", ".join(f"{key} = {value}" for key, value in items) + "}"
    )
    return st.one_of(arrays, tables)


values = st.recursive(scalars, inline, max_leaves=5)
pairs = st.tuples(st.lists(keys, min_size=1, max_size=2).map(" . ".join), values).map(" = ".join)
headers = st.tuples(st.booleans(), st.lists(keys, min_size=1, max_size=3).map(".".join)).map(
    lambda header: f"[[{header[1]}]]" if header[0] else f"[ {header[1]} ]  # comment"
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(pairs, headers), max_size=8).map("\n".join))
def test_any_valid_document_has_all_its_paths(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    found = positions(text)
    assert set(found) == set(every_path(data))
