"""The tree of errors: its drawing, its defaults, text, pickle."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest

from planar import errors
from planar.errors import BadResponse, NetworkError, OrderUnknown, Outcome, PlanarError

CLASSES = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, PlanarError)]


def drawn_tree() -> list[tuple[str, str]]:
    """(class, parent) pairs, read from the drawing at the top of the module."""
    pairs: list[tuple[str, str]] = []
    path: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^    ([| ]*)(?:\+-- )?([A-Z]\w+)(?:\s{2,}.*)?$", line)
        if not match:
            continue
        depth = len(match[1]) + 4 if "+-- " in line else 0
        path = [entry for entry in path if entry[0] < depth]
        pairs.append((match[2], path[-1][1] if path else "Exception"))
        path.append((depth, match[2]))
    return pairs


def test_the_drawing_is_the_tree():
    assert sorted(drawn_tree()) == sorted((kind.__name__, kind.__bases__[0].__name__) for kind in CLASSES)
    assert all(len(kind.__bases__) == 1 for kind in CLASSES)


def test_every_error_tells_of_itself():
    assert all(kind.__doc__ for kind in CLASSES)


def test_an_unknown_order_is_no_network_error():
    assert not issubclass(OrderUnknown, errors.OperationFailed)
    assert OrderUnknown("lost").outcome is Outcome.UNKNOWN
    assert not OrderUnknown("lost").retryable


@pytest.mark.parametrize(
    ("kind", "outcome", "retryable"),
    [
        (errors.ConfigError, None, False),
        (errors.GuardError, Outcome.NOT_SENT, False),
        (errors.VenueUnavailable, Outcome.NOT_SENT, True),
        (errors.JournalLocked, Outcome.NOT_SENT, False),
        (errors.ExchangeError, Outcome.REFUSED, False),
        (errors.InsufficientFunds, Outcome.REFUSED, False),
        (errors.MissingCredentials, Outcome.NOT_SENT, False),
        (errors.ArgumentsRequired, Outcome.NOT_SENT, False),
        (errors.NotSupported, Outcome.NOT_SENT, False),
        (errors.NetworkError, Outcome.UNKNOWN, True),
        (errors.RequestTimeout, Outcome.UNKNOWN, True),
        (errors.RateLimitExceeded, Outcome.REFUSED, True),
        (errors.DDoSProtection, Outcome.REFUSED, True),
        (errors.InvalidNonce, Outcome.REFUSED, True),
        (errors.BadResponse, Outcome.UNKNOWN, True),
        (errors.StaleData, None, True),
    ],
)
def test_what_is_known_and_whether_to_try_again(kind, outcome, retryable):
    error = kind("x")
    assert (error.outcome, error.retryable) == (outcome, retryable)


def test_a_given_outcome_wins_over_the_default():
    error = NetworkError("connection refused", outcome=Outcome.NOT_SENT, retryable=False)
    assert (error.outcome, error.retryable) == (Outcome.NOT_SENT, False)


def test_text_names_exchange_and_remedy():
    assert str(PlanarError("broken")) == "broken"
    assert str(PlanarError("broken", exchange="kraken")) == "kraken: broken"
    assert str(BadResponse("no id", exchange="okx", hint="ask again")) == "okx: no id\n  -> ask again"


@pytest.mark.parametrize("kind", CLASSES)
def test_pickle_keeps_everything(kind):
    error = kind(
        "broken",
        outcome=Outcome.OK,
        retryable=True,
        retry_after_s=1.5,
        hint="mend it",
        exchange="kraken",
        code="-1003",
        http_status=429,
    )
    error.add_note("a note")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == str(error)
    assert copy.args == error.args == ("broken",)
    assert vars(copy) == vars(error)


def test_pickle_keeps_what_is_known_of_an_unknown_order():
    copy = pickle.loads(pickle.dumps(OrderUnknown("lost", client_id="abc", order={"id": None}, exchange="okx")))
    assert (copy.client_id, copy.order, copy.exchange) == ("abc", {"id": None}, "okx")
