"""The ids of the exchanges, without importing one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from planar.adapters.exchange_ids import ccxt_version, exchange_ids, resolve_exchange_id, streaming_ids
from planar.config.aliases import ALIASES
from planar.errors import ConfigError

CODE = """
import json, sys
from planar.adapters.exchange_ids import ccxt_version, exchange_ids, resolve_exchange_id, streaming_ids
from planar.errors import ConfigError
told = [list(exchange_ids()), list(streaming_ids()), ccxt_version(), resolve_exchange_id("kraken")[0]]
try:
    resolve_exchange_id("binnance")
except ConfigError:
    pass
print(json.dumps([*told, [name for name in sys.modules if name.partition(".")[0] in ("ccxt", "aiohttp")]]))
"""


def test_the_lists_are_ccxts_own_and_nothing_is_imported_for_them() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=True)
    ids, streaming, version, kraken, imported = json.loads(done.stdout)
    assert imported == []
    assert kraken == "kraken"
    assert (tuple(ids), tuple(streaming), version) == (exchange_ids(), streaming_ids(), ccxt_version())
    from importlib.metadata import version as installed

    assert version == installed("ccxt")
    assert len(ids) > 100
    assert ids == sorted(ids)
    assert set(streaming) < set(ids)


def test_every_id_has_a_module() -> None:
    import importlib.util

    spec = importlib.util.find_spec("ccxt")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    home = Path(spec.submodule_search_locations[0])
    assert {path.stem for path in (home / "async_support").glob("[a-z]*.py")} == set(exchange_ids())
    assert {path.stem for path in (home / "pro").glob("[a-z]*.py")} == set(streaming_ids())


@pytest.mark.parametrize("exchange", ["binance", "htx", "coinbase", "krakenfutures", "gate"])
def test_an_id_is_itself(exchange: str) -> None:
    assert resolve_exchange_id(exchange) == (exchange, None)


@pytest.mark.parametrize(
    ("written", "exchange"),
    [("huobi", "htx"), ("coinbasepro", "coinbaseexchange"), ("okex", "okx"), ("gateio", "gate")],
)
def test_a_former_id_leads_to_todays_with_a_warning(written: str, exchange: str) -> None:
    found, warning = resolve_exchange_id(written)
    assert found == exchange
    assert warning is not None
    assert exchange in warning


def test_aliases_lead_to_ids_that_exist_and_are_none_themselves() -> None:
    assert {alias.id for alias in ALIASES.values()} <= set(exchange_ids())
    assert not set(ALIASES) & set(exchange_ids())


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("binnance", "did you mean binance?"),
        ("krakn", "did you mean kraken?"),
        ("coinbase_pro", "did you mean coinbasepro?"),
        ("Binance", "ids are lower-case: binance"),
        ("nonesuch", "`planar exchanges` lists them"),
        ("", "`planar exchanges` lists them"),
        ("planet", "did you mean planets?"),
    ],
)
def test_a_wrong_id_names_the_nearest(written: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve_exchange_id(written, also=("planets",))
    assert caught.value.hint == hint
    assert repr(written) in str(caught.value)


def test_custom_exchanges_are_known_too() -> None:
    assert resolve_exchange_id("planets", also=("planets",)) == ("planets", None)
