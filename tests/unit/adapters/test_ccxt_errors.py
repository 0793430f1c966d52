"""Every class of CCXT's tree, and every exception class of aiohttp, has its place in Planar's."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from decimal import DivisionImpossible
from typing import Any

import pytest

from planar import errors
from planar.adapters.ccxt_errors import planar_class, translate
from planar.errors import Outcome
from planar.transport.context import CallContext, Effect, Priority, RequestRecord

CCXT: Mapping[str, Any] = vars(importlib.import_module("ccxt.base.errors"))
KINDS = [kind for kind in CCXT.values() if isinstance(kind, type) and issubclass(kind, CCXT["BaseError"])]
OTHER_NAMES = {
    "BaseError": errors.ExchangeError,
    "AccountNotEnabled": errors.PermissionDenied,
    "AddressPending": errors.InvalidAddress,
    "MarginModeAlreadySet": errors.NoChange,
    "ManualInteractionNeeded": errors.OperationRejected,
    "OrderNotCached": errors.OrderNotFound,
    "ContractUnavailable": errors.MarketClosed,
    "InvalidProxySettings": errors.ConfigError,
    "ExchangeClosedByUser": errors.ExchangeNotAvailable,
    "ChecksumError": errors.StaleData,
    "CancelPending": errors.OperationRejected,
    "UnsubscribeError": errors.ExchangeError,
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_class_of_ccxt_has_a_meaning(kind: type[Exception]) -> None:
    """By its own name, or by the row here: a new class of CCXT has neither, and must be given one."""
    expected = OTHER_NAMES.get(kind.__name__) or vars(errors).get(kind.__name__)
    assert expected is not None, f"{kind.__name__} has no place"
    assert planar_class(kind("x")) is expected


@pytest.mark.parametrize("known", [None, *Outcome])
def test_the_outcome_is_that_of_the_writes(known: Outcome | None) -> None:
    """CCXT's parsing failed after the requests: its class says nothing about what happened at the venue."""
    call = CallContext("create_order", 1_000, Priority.ORDER)
    call.requests.append(RequestRecord("POST", "a.example", "/order", Effect.WRITE, 0))
    call.requests[-1].outcome = known
    error = translate(KeyError("orderId"), call, "x")
    assert type(error) is errors.BadResponse
    assert error.outcome is (known or Outcome.UNKNOWN)
    assert error.requests == tuple(call.requests)


def test_numbers_that_ccxt_cannot_compute_with_are_no_order() -> None:
    error = translate(DivisionImpossible(), CallContext("create_order", 1_000, Priority.ORDER), "x")
    assert (type(error), error.outcome) == (errors.InvalidOrder, Outcome.NOT_SENT)
    assert "more digits" in error.message


def test_what_ccxt_refuses_by_itself_was_not_sent() -> None:
    error = translate(CCXT["ArgumentsRequired"]("symbol"), CallContext("fetch_trades", 1_000, Priority.MARKET), "x")
    assert (type(error), error.outcome, error.requests) == (errors.ArgumentsRequired, Outcome.NOT_SENT, ())
