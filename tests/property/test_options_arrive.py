"""Options of orders on ids without tables of their own: in the recorded request, or refused before anything is sent."""

from __future__ import annotations

import pytest
from tests.matrix.kit import known_ids
from tests.matrix.options import FORMS, OPTIONS, play_options, wrong

WELL_KNOWN = ("okx", "bybit", "kucoin", "gate", "coinbase")
PART = known_ids()[::5]
"""`make matrix` plays all of them."""


@pytest.mark.parametrize("exchange_id", PART)
def test_no_option_is_missing_on_a_part_of_all_ids(exchange_id: str) -> None:
    assert wrong(play_options(exchange_id)) == []


@pytest.mark.parametrize("exchange_id", WELL_KNOWN)
def test_no_option_is_missing_from_what_is_sent(exchange_id: str) -> None:
    tries = play_options(exchange_id)
    assert len(tries) == 2 * len(FORMS) * len(OPTIONS)
    assert wrong(tries) == []
    sent = {(one.form, one.option) for one in tries if one.sent}
    assert {("limit", "plain"), ("limit", "gtc"), ("limit", "post only"), ("limit", "raw")} <= sent
    assert len(sent) >= 15
    for one in tries:
        if one.error is not None and not one.sent:
            assert getattr(one.error, "message", ""), one
