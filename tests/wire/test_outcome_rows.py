"""Every row of every table of outcomes, answered on a real socket to Exchange, CCXT and seam as they are: for a query
and for an order the error has the class, outcome, advice and code that the row says, and one request was sent."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from outcome_kit import DROP, HANG, HTML, RAW, SYMBOL, Front, Opener, exchange_opener, open_front

from planar import errors
from planar.adapters import binance, kraken
from planar.adapters.ccxt_verdict import HINTS, STATUS_ROWS, hint_of
from planar.adapters.profile import ErrorRow
from planar.errors import OrderUnknown, Outcome, PlanarError, RateLimitExceeded
from planar.exchange import Exchange
from planar.transport import retries
from planar.transport.context import Effect

READ = {"binance": "GET /api/v3/ticker/24hr", "kraken": "POST /0/private/OpenOrders"}
WRITE = {"binance": "POST /api/v3/order", "kraken": "POST /0/private/AddOrder"}
WRITE_MS = 500
READ_MS = 1_000

Told = tuple[int, str, dict[str, str]]


@pytest.fixture(autouse=True)
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A query is tried once: whether it is sent again is the business of tests/wire/test_retries.py."""
    monkeypatch.setattr(retries, "TRIES", 1)


@pytest.fixture
def venue() -> str:
    return "binance"


@pytest.fixture
async def fronts(tmp_path: Path, venue: str) -> AsyncIterator[tuple[Front, Opener]]:
    async with open_front(venue, tmp_path) as made:
        yield made


async def failed_read(exchange: Exchange, front: Front, told: Told) -> PlanarError:
    status, body, headers = told
    front.tell(READ[front.venue], body, status, **headers)
    with pytest.raises(PlanarError) as caught:
        if front.venue == "binance":
            await exchange.fetch_ticker(SYMBOL, timeout_ms=READ_MS)
        else:
            await exchange.fetch_open_orders(SYMBOL, timeout_ms=READ_MS)
    # a nonce that was overtaken: once more, with a higher one
    overtaken = front.venue == "kraken" and isinstance(caught.value, errors.InvalidNonce)
    assert front.asked() == (2 if overtaken else 1)
    return caught.value


async def failed_write(exchange: Exchange, front: Front, told: Told) -> PlanarError:
    """What is wrong with an order; where that is unknown the user is told of the order, and of this as the cause."""
    front.tell("", "")
    await exchange.reconcile()
    status, body, headers = told
    front.tell(WRITE[front.venue], body, status, **headers)
    with pytest.raises(PlanarError) as caught:
        await exchange.create_limit_buy_order(SYMBOL, "0.01", 20_000, timeout_ms=WRITE_MS)
    error = caught.value
    assert front.asked() == 1
    if isinstance(error, OrderUnknown):
        assert (error.outcome, error.retryable) == (Outcome.UNKNOWN, False)
        assert error.hint
        assert isinstance(error.__cause__, PlanarError)
        error = error.__cause__
        assert error.outcome in (Outcome.UNKNOWN, Outcome.OK)
    else:
        assert error.outcome in (Outcome.REFUSED, Outcome.NOT_SENT)
    return error


def check(error: PlanarError, kind: type[PlanarError], outcome: Outcome, effect: Effect) -> None:
    assert type(error) is kind, repr(error)
    assert error.outcome is outcome
    unknown_write = effect is Effect.WRITE and outcome is Outcome.UNKNOWN
    assert error.retryable is (kind.default_retryable and not unknown_write)
    assert error.hint, "no advice"
    sent = error.requests[-1]
    assert (sent.effect, sent.outcome) == (effect, outcome)
    assert sent.took_ms is not None


def expected_hint(row: ErrorRow, effect: Effect) -> str | None:
    if row.hint is not None or (effect is Effect.WRITE and row.outcome is Outcome.UNKNOWN):
        return row.hint
    return hint_of(row.kind)


async def check_row(
    fronts: tuple[Front, Opener], told: Told, row: ErrorRow, code: str | None, *, listed: bool = True
) -> None:
    front, opener = fronts
    stops_s = {"kraken": kraken.PROFILE.stops, "binance": {}}[front.venue].get(code or "")
    for effect, fail in ((Effect.READ, failed_read), (Effect.WRITE, failed_write)):
        async with opener() as exchange:
            error = await fail(exchange, front, told)
        check(error, row.kind, row.outcome, effect)
        assert (error.code, error.http_status, error.retry_after_s) == (code, told[0], stops_s)
        assert not listed or expected_hint(row, effect) in (None, error.hint)
        assert error.exchange == front.venue


@pytest.mark.parametrize("code", binance.PROFILE.errors)
@pytest.mark.parametrize("venue", ["binance"])
async def test_each_code_of_binance(code: str, fronts: tuple[Front, Opener]) -> None:
    told = (400, f'{{"code":{code},"msg":"What it says."}}', {})
    await check_row(fronts, told, binance.PROFILE.errors[code], code)


@pytest.mark.parametrize("text", [text for text, _ in binance.PROFILE.texts])
@pytest.mark.parametrize("venue", ["binance"])
async def test_each_text_of_binance(text: str, fronts: tuple[Front, Opener]) -> None:
    told = (400, json.dumps({"code": -2010, "msg": f"Well, {text}."}), {})
    await check_row(fronts, told, dict(binance.PROFILE.texts)[text], "-2010")


@pytest.mark.parametrize("code", kraken.PROFILE.errors)
@pytest.mark.parametrize("venue", ["kraken"])
async def test_each_text_of_kraken(code: str, fronts: tuple[Front, Opener]) -> None:
    await check_row(fronts, (200, json.dumps({"error": [code]}), {}), kraken.PROFILE.errors[code], code)


@pytest.mark.parametrize(
    ("text", "kind", "outcome"),
    [
        ("EGeneral:Internal error:1234", errors.ExchangeNotAvailable, Outcome.UNKNOWN),
        ("EGeneral:Invalid arguments:ordertype", errors.BadRequest, Outcome.REFUSED),
        ("EOrder:Reduce only:No position exists", errors.OperationRejected, Outcome.REFUSED),
        ("EOrder:An error of tomorrow", errors.ExchangeError, Outcome.REFUSED),
        ("EService:An error of tomorrow", errors.ExchangeError, Outcome.UNKNOWN),
        ("ENew:An error of tomorrow", errors.ExchangeError, Outcome.UNKNOWN),
        ("WOrder:A warning", errors.ExchangeError, Outcome.UNKNOWN),
    ],
)
@pytest.mark.parametrize("venue", ["kraken"])
async def test_texts_of_kraken_that_go_on_or_are_not_listed(
    text: str, kind: type[PlanarError], outcome: Outcome, fronts: tuple[Front, Opener]
) -> None:
    await check_row(fronts, (200, json.dumps({"error": [text]}), {}), ErrorRow(kind, outcome), text, listed=False)


GATEWAY = {
    400: errors.ExchangeNotAvailable,
    401: errors.AuthenticationError,
    **{status: row.kind for status, row in STATUS_ROWS.items()},
    404: errors.ExchangeNotAvailable,
    408: errors.RequestTimeout,
    500: errors.ExchangeNotAvailable,
    502: errors.ExchangeNotAvailable,
    503: errors.ExchangeNotAvailable,
    504: errors.RequestTimeout,
    520: errors.ExchangeNotAvailable,
    525: errors.ExchangeNotAvailable,
    301: errors.BadResponse,
    200: errors.BadResponse,
}


@pytest.mark.parametrize("status", GATEWAY)
@pytest.mark.parametrize("venue", ["binance", "kraken"])
async def test_a_front_that_answers_in_the_venues_place_proves_nothing(
    venue: str, status: int, fronts: tuple[Front, Opener]
) -> None:
    front, opener = fronts
    limited = status in (418, 429)
    headers = {"Retry-After": "7"} if limited else {}
    for effect, fail in ((Effect.READ, failed_read), (Effect.WRITE, failed_write)):
        async with opener() as exchange:
            error = await fail(exchange, front, (status, HTML, headers))
        check(error, GATEWAY[status], Outcome.UNKNOWN, effect)
        assert (error.code, error.http_status) == (None, status)
        assert error.retry_after_s == (7.0 if limited else None)


@pytest.mark.parametrize(
    ("status", "body", "kind", "outcome", "retry_after_s"),
    [
        (418, '{"code":-1003,"msg":"banned"}', errors.DDoSProtection, Outcome.REFUSED, 7.0),
        (429, '{"code":-1003,"msg":"slow down"}', RateLimitExceeded, Outcome.REFUSED, 7.0),
        (429, '{"code":-1003,"msg":"IP banned until 1."}', errors.DDoSProtection, Outcome.REFUSED, 7.0),
        (429, '{"code":-1015,"msg":"Too many new orders."}', RateLimitExceeded, Outcome.REFUSED, 7.0),
        (400, '{"code":-9999,"msg":"A code of tomorrow."}', errors.ExchangeError, Outcome.REFUSED, None),
        (500, '{"code":-9999,"msg":"A code of tomorrow."}', errors.ExchangeError, Outcome.UNKNOWN, None),
        (503, '{"code":-2010,"msg":"refused, says a 503"}', errors.InvalidOrder, Outcome.UNKNOWN, None),
        (503, '{"code":-1008,"msg":"overloaded"}', errors.ExchangeNotAvailable, Outcome.UNKNOWN, None),
        (400, '{"code":-3007,"msg":"pending"}', errors.OperationFailed, Outcome.UNKNOWN, None),
        (403, '{"code":-1002,"msg":"no"}', errors.AuthenticationError, Outcome.REFUSED, None),
        (451, '{"code":0,"msg":"from a restricted location"}', errors.RestrictedLocation, Outcome.REFUSED, None),
    ],
)
@pytest.mark.parametrize("venue", ["binance"])
async def test_statuses_and_codes_together(
    status: int,
    body: str,
    kind: type[PlanarError],
    outcome: Outcome,
    retry_after_s: float | None,
    fronts: tuple[Front, Opener],
) -> None:
    front, opener = fronts
    for effect, fail in ((Effect.READ, failed_read), (Effect.WRITE, failed_write)):
        async with opener() as exchange:
            error = await fail(exchange, front, (status, body, {"Retry-After": "7"} if status in (418, 429) else {}))
        check(error, kind, outcome, effect)
        assert error.retry_after_s == retry_after_s


HALF = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"orderId": 1'
CHUNKS = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"orderId": 1'


@pytest.mark.parametrize(
    ("way", "raw", "kind"),
    [
        (DROP, "", errors.ExchangeNotAvailable),
        (RAW, "", errors.ExchangeNotAvailable),
        (RAW, HALF, errors.BadResponse),
        (RAW, CHUNKS, errors.BadResponse),
        (RAW, "220 mail.example ESMTP\r\n\r\n", errors.BadResponse),
        (HANG, "", errors.RequestTimeout),
    ],
    ids=["drop", "close", "half", "half of chunks", "no http", "silence"],
)
@pytest.mark.parametrize("venue", ["binance", "kraken"])
async def test_an_answer_that_never_comes_whole(
    way: int, raw: str, kind: type[PlanarError], fronts: tuple[Front, Opener]
) -> None:
    front, opener = fronts
    for effect, fail in ((Effect.READ, failed_read), (Effect.WRITE, failed_write)):
        async with opener() as exchange:
            error = await fail(exchange, front, (way, raw, {}))
        check(error, kind, Outcome.UNKNOWN, effect)
        assert (error.code, error.http_status, error.retry_after_s) == (None, None, None)


@pytest.mark.parametrize("venue", ["binance", "kraken"])
async def test_a_host_that_does_not_listen_was_sent_nothing(
    venue: str, fronts: tuple[Front, Opener], tmp_path: Path
) -> None:
    _, opener = fronts
    async with opener():
        pass  # its markets are in the cache from now on
    gone = exchange_opener(venue, str(tmp_path / "gone.sock"), tmp_path)
    for call in ("read", "write"):
        async with gone() as exchange:
            with pytest.raises(errors.ExchangeNotAvailable) as caught:
                if call == "read":
                    await exchange.fetch_balance()
                else:
                    await exchange.create_limit_buy_order(SYMBOL, "0.01", 20_000)
        error = caught.value
        assert (error.outcome, error.retryable) == (Outcome.NOT_SENT, True)
        assert error.hint
        assert [one.outcome for one in error.requests] == [Outcome.NOT_SENT]


def test_every_class_of_errors_of_a_venue_has_advice() -> None:
    rows = [*binance.PROFILE.errors.values(), *kraken.PROFILE.errors.values(), *STATUS_ROWS.values()]
    assert [row.kind for row in rows if row.hint is None and hint_of(row.kind) is None] == []
    assert all(hint == hint.strip() and hint for hint in HINTS.values())
