"""Every unified method of CCXT's exchange class is on `Exchange`, or stands in the table of those that are not."""

from __future__ import annotations

import inspect
import re

import pytest

from planar.adapters import lazy_ccxt
from planar.adapters.ccxt_describing import snake
from planar.adapters.unified import METHODS
from planar.exchange import Exchange
from planar.exchange.absent import ABSENT, instead
from planar.exchange.order_forms import FORMS

lazy_ccxt.install()
from ccxt.async_support.base.exchange import Exchange as Ccxt  # noqa: E402

UNIFIED = re.compile(
    r"^(fetch|create|cancel|edit|watch|un_watch|set|add|reduce|borrow|repay|close|load|enable)_"
    r"|^(transfer|withdraw|close|sign_in)$"
)
MACHINERY = {
    *("add_fetch_cache", "add_key_in_array_items", "close_connector", "close_proxy_sessions", "close_ws_clients"),
    *("create_ccxt_trade_id", "create_expired_option_market", "create_ohlcv_object", "create_safe_dictionary"),
    *("fetch_rest_order_book_safe", "fetch_web_endpoint", "load_dydx_protos", "load_lighter_library"),
    *("load_lighter_library_helper", "load_markets_and_sign_in", "load_markets_helper", "load_order_book"),
    *("reduce_fees_by_currency", "set_headers", "set_last_request", "set_last_rest_request_timestamp", "set_markets"),
    *("set_markets_from_exchange", "set_property", "set_take_profit_and_stop_loss_params", "watch_multiple"),
    *("fetch_paginated_call_cursor", "fetch_paginated_call_deterministic"),
    *("fetch_paginated_call_dynamic", "fetch_paginated_call_incremental"),
}
"""CCXT's own parts: no calls of users."""
LEFT_OUT = {"since", "limit", "params", "reload"}
"""Arguments of CCXT's that some of ours do not have: a stream begins now and has no rows of before."""
ELSEWHERE = ("close", "withdraw")
"""Of CCXT's base class alone: the exchanges' own take a `tag` before `params`, as ours."""


def ccxt_methods() -> list[str]:
    return sorted(name for name in dir(Ccxt) if UNIFIED.match(name) and name not in MACHINERY)


def test_every_unified_method_of_ccxt_is_here_or_says_why_not() -> None:
    here, lost = set(dir(Exchange)), list[str]()
    for name in ccxt_methods():
        twin = name.endswith("_ws")
        plain = name.removesuffix("_ws")
        if (plain if twin else name) not in here and name not in ABSENT and not (twin and plain in ABSENT):
            lost.append(name)
    assert lost == []
    assert len([name for name in ccxt_methods() if name in here]) > 150


def test_the_table_holds_nothing_but_what_ccxt_has_and_we_have_not() -> None:
    assert set(ABSENT) <= set(ccxt_methods()) | {"sign_in"}
    assert not set(ABSENT) & set(dir(Exchange))
    for why in ABSENT.values():
        for named in re.findall(r"\b(?:fetch|cancel|create|borrow|repay|watch)_\w+", why):
            assert named in dir(Exchange) or f"exchange.ccxt.{named}" in why, named


def test_every_row_of_the_table_of_methods_has_its_method() -> None:
    assert [name for name in METHODS if not hasattr(Exchange, name)] == []
    assert [name for name in FORMS if not hasattr(Exchange, name)] == []


@pytest.mark.parametrize("name", [name for name in ccxt_methods() if name in dir(Exchange) and name not in ELSEWHERE])
def test_arguments_stand_in_the_order_of_ccxt(name: str) -> None:
    theirs = [snake(one) for one in inspect.signature(getattr(Ccxt, name)).parameters][1:]
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = inspect.signature(getattr(Exchange, name)).parameters
    ours = [one.name for one in parameters.values() if one.kind is positional][1:]
    kept = [one for one in theirs if one in ours or one not in LEFT_OUT]
    assert ours == kept


def test_a_name_that_is_not_here_names_the_right_one() -> None:
    known = [one for one in dir(Exchange) if not one.startswith("_")]
    for asked, told in (
        ("fetch_l2_order_book", "fetch_order_book"),
        ("fetchL2OrderBook", "fetch_order_book"),
        ("fetchTicker", "use fetch_ticker"),
        ("fetchOHLCV", "use fetch_ohlcv"),
        ("create_order_ws", "use create_order"),
        ("createOrderWs", "use create_order"),
        ("set_sandbox_mode", 'environment="sandbox"'),
        ("publicGetTicker24hr", "exchange.ccxt.publicGetTicker24hr"),
        ("private_post_order", "exchange.ccxt.private_post_order"),
        ("fetch_tikcer", "did you mean fetch_ticker?"),
        ("quite_something_else", "dir(exchange)"),
    ):
        assert told in instead(asked, known)
        with pytest.raises(AttributeError, match=re.escape(told)):
            getattr(object.__new__(Exchange), asked)
    with pytest.raises(AttributeError, match="_private"):
        object.__new__(Exchange)._private  # noqa: B018
