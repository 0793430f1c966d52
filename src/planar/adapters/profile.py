"""What Planar knows of one venue beyond CCXT, as data. The tables live in `adapters/<id>/`.

An id without a package gets the profile that follows from CCXT's own description of it: conservative everywhere.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from planar.adapters.kinds import KindTable
from planar.adapters.linked import LinkedRule
from planar.adapters.socket_entry import SocketEntry
from planar.errors import Outcome, PlanarError
from planar.models.key_rights import KeyRights
from planar.models.market import PriceBand
from planar.transport.guard import HostRules
from planar.transport.meters import MeterSpec

JOURNAL_ID_LENGTH = 8
"""Characters of a journal's id inside each client id."""


class ClientIdRule(msgspec.Struct, frozen=True):
    """What client ids a venue accepts, and where they go.

    Attributes:
        length: longest id.
        alphabet: characters that may stand in it.
        param: name in CCXT's `params` that really reaches the wire.
        query_param: name in CCXT's `params` under which an order is queried and canceled; None if it cannot be.
        search_param: name in CCXT's `params` by which lists of open and ended orders are narrowed to one id, for venues
            that cannot be asked for it directly; None: all of them are looked through.
        prefix: what ids of Planar begin with.
        unique: among which orders of the account an id can stand once only: "open" orders, or "all"; "": not known.
    """

    length: int = 32
    alphabet: str = "abcdefghijklmnopqrstuvwxyz0123456789"
    param: str = "clientOrderId"
    query_param: str | None = None
    search_param: str | None = None
    prefix: str = "pl"
    unique: Literal["open", "all", ""] = ""

    @property
    def tail(self) -> tuple[int, int]:
        """Digits of an order's number and of its random end: 6 and 4, or 5 and 3 where ids are short."""
        return (6, 4) if self.length >= 20 else (5, 3)

    def made(self, name: str) -> bool:
        """Whether `name` has the form of Planar's client ids."""
        least = len(self.prefix) + JOURNAL_ID_LENGTH + sum(self.tail)
        return least <= len(name) <= self.length and name.startswith(self.prefix) and name.isalnum()


class ExpiryRule(msgspec.Struct, frozen=True):
    """Whether a signed order dies by itself, the ground of any proof that it was never accepted.

    Attributes:
        enforced: the venue's matching engine refuses a request older than its window. False: there is no proof.
        window_ms: how long after its timestamp a request is still accepted.
        param: the parameter that sets the window.
        as_time: the parameter is a time (RFC 3339), not a number of milliseconds.
        settle_ms: how long after acceptance an order may still be missing from the venue's answers.
        reach_days: for how many days an order that ended without a fill can still be queried; None: no limit is stated.
        reach_source: where the venue says that.
        source: where the venue says so.
    """

    enforced: bool = False
    window_ms: int = 0
    param: str | None = None
    as_time: bool = False
    settle_ms: int = 5_000
    source: str = ""
    reach_days: int | None = None
    reach_source: str = ""


class ErrorRow(msgspec.Struct, frozen=True):
    """What one error code of a venue means.

    Attributes:
        kind: the class of Planar.
        outcome: what is known about the request that got it.
        hint: what to do about it.
    """

    kind: type[PlanarError]
    outcome: Outcome = Outcome.REFUSED
    hint: str | None = None


class AnswerRule(msgspec.Struct, frozen=True):
    """What a good answer must hold; without it the answer is an error, and not an empty result.

    Attributes:
        listed: it is a list, which may be empty.
        one_by: parameter with which it is one object, and without which it is a list of such; None: it is an object.
        holder: field that holds the object that is meant; None: the answer itself.
        fields: names that the object must have, with a value.
        instead: those of another good answer: an object that has them all need not have the others.
        named_by: parameter of the request; what it names, by comma, the object must hold, each an object or a list.
        filled: the object has at least one member.
        each: fields that each member of the object must have, or of the object that its field `inside` holds.
        inside: see `each`.
    """

    listed: bool = False
    one_by: str | None = None
    holder: str | None = None
    fields: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    named_by: str | None = None
    filled: bool = False
    each: tuple[str, ...] = ()
    inside: str | None = None


class PartRule(msgspec.Struct, frozen=True):
    """How an error about a request of two halves (cancel and create) tells what became of the new order.

    Attributes:
        codes: the errors that carry halves.
        holder: field of the error body that holds both.
        result: field of the holder that holds the word for the new order.
        answer: field of the holder that holds the new order's own answer or error.
        message: field of that error that holds its text.
        outcomes: word -> what is known about the new order.
    """

    codes: tuple[str, ...]
    holder: str
    result: str
    answer: str
    message: str
    outcomes: Mapping[str, Outcome]


class KeyInfoRule(msgspec.Struct, frozen=True):
    """How a venue is asked what a key may do.

    Attributes:
        method: CCXT's method of the venue's own call.
        rights: reads its answer.
        environments: those that have the call.
        needs_right: False: every key may ask, so a key that is refused even this is used from an address that is not
            on its list.
    """

    method: str
    rights: Callable[[Mapping[str, Any]], KeyRights]
    environments: tuple[str, ...]
    needs_right: bool


class DeadManRule(msgspec.Struct, frozen=True):
    """The venue's own dead man's switch: it cancels all orders of the account unless it is told again in time.

    Attributes:
        least_s, most_s: how long it may be set for, in whole seconds.
        source: where the venue says so.
    """

    least_s: int
    most_s: int
    source: str = ""


class AmendRule(msgspec.Struct, frozen=True):
    """What of a spot order the venue changes in place: under its ids, with what it has traded.

    Attributes:
        amount: "any" amount above what has traded, or only one that is "less" than before.
        price: the limit price too.
        stop_price: the trigger price too.
        allowed: reads from a listed market whether its orders can be changed so; None: those of all markets.
        source: where the venue says so.
    """

    amount: Literal["any", "less"]
    price: bool
    stop_price: bool
    allowed: Callable[[Mapping[str, Any]], bool] | None = None
    source: str = ""


class ReplaceRule(msgspec.Struct, frozen=True):
    """The venue cancels a spot order and places another in its stead, by one request (CCXT's `edit_order`).

    Attributes:
        unfilled: parameters with which it does so only if nothing of the old order has traded.
        source: where the venue says so.
    """

    unfilled: Mapping[str, Any] = {}
    source: str = ""


class BatchRule(msgspec.Struct, frozen=True):
    """How many orders one request of the venue places or cancels.

    Attributes:
        create_least, create_most: orders of one market that are placed at once.
        cancel_most: orders that are canceled at once.
        source: where the venue says so.
    """

    create_least: int
    create_most: int
    cancel_most: int
    source: str = ""


class Profile(msgspec.Struct, frozen=True):
    """All tables of one venue.

    Attributes:
        id: CCXT's id.
        hosts: environment -> rules; an environment that is missing follows from CCXT's urls.
        meters: the venue's limits.
        cost_table: API section -> (meter, factor on CCXT's cost).
        request_meters: meters on which each request counts 1.
        order_meters: meters on which each new order counts 1.
        order_endpoints: (method, path) that place an order.
        orders_in: (method, path) of those that place several -> how many.
        reads: (method, path) of requests that are no GET and yet change nothing of worth.
        empty_answers: (method, path) of requests that are rightly answered with an empty object.
        answers: (section, method, path) -> what the answer must hold.
        errors: code -> row; a code that goes on after a colon has the row of its beginning.
        unlisted: (beginning of a code, what is known after it), for codes that no row has; the first that fits.
        texts: (part of the message, row), asked before `errors`.
        code_field: field of the error body that holds the code, or a list of texts of which the first is it.
        message_fields: fields of the error body that may hold its text, the first that is there counts.
        stops: HTTP statuses and codes after which nothing more is sent for a while -> how many seconds, where the answer
            has no Retry-After.
        key_stops: codes of those that concern what counts on the key's own limits, and not all from this address.
        clock_errors: codes with which the venue refuses a request for its time: the clock is set by the venue's, and the
            request sent once more.
        nonce_sections: API sections whose requests carry nonces that must grow in the order of arrival.
        parts: how errors of replacing tell about the new order, or None.
        client_id: rule for client ids.
        expiry: rule for proofs.
        market_types: CCXT's `fetchMarkets` types, spot first.
        derivative_type: `defaultType` of CCXT when derivatives are the default.
        ccxt: configuration merged into CCXT's constructor.
        websocket_messages_per_s: what one connection may send, or None.
        acknowledges: each subscription over a socket is answered under its request id.
        balance_hints_s: what the socket tells of balances is no more than that they have changed; REST is asked, at most
            once in so many seconds. None: the socket tells balances whole.
        mixin: methods that stand in the place of CCXT's where its class loses data of this venue, or None.
        linked: how it takes linked orders by one request, or None.
        order_params: the venue's own parameters of a new spot order, beside those that stand for CCXT's words; empty: its
            documentation was not read for it.
        kinds: the kinds of orders of its spot markets; none: they follow from CCXT's features, as those of all others do.
        cancel_id_field: field of the raw cancel answer that holds the order's client id, where the one that CCXT reads
            names the cancel itself.
        key_info: how a key's rights are asked, or None.
        list_page: rows of own orders or trades that are asked for at once. All that there are, where the venue lists the
            newest first, so that the oldest ones are not had without the others.
        reuse_s: WRITEs go over a kept connection only if it was used so recently: well below the time for which the
            venue keeps idle ones. The default suits servers that keep them for no more than 5 s.
        candle_reader: reads candles from the bytes of an answer, or gives None for CCXT to read them; not asked for those
            of inverse contracts, whose volume stands elsewhere.
        book_reader: the same for an order book, whose levels become pairs of floats.
        resolve_pause_s: the longest pause between two rounds of questions about an order of which nobody knows whether it
            exists; so that they leave most of the venue's budget to others.
        price_band: reads from a listed market how far from the market its prices may be, or None.
        cancels_whole_account: its request that cancels all orders knows no market: it cancels those of all markets.
        fees_on_top: the fee of a spot buy is taken in quote currency, above its cost; False: out of what is bought.
        quote_nonce: field of its streamed best bid and ask that holds the number of the book whose best they are, where
            they come sooner than the book does. None: they have none, or its books come with each change.
        dead_man: the venue's own dead man's switch for all orders of the account, or None.
        entry: its socket for orders, or None.
        amend: what it changes in place, or None; the mixin has `amend_in_place` then.
        replace: how it replaces an order in one request, or None.
        batch: how many orders one request concerns, or None; the mixin has `create_batch` and `cancel_batch` then.
    """

    id: str
    hosts: Mapping[str, HostRules] = {}
    meters: tuple[MeterSpec, ...] = ()
    cost_table: Mapping[str, tuple[str, float]] = {}
    request_meters: tuple[str, ...] = ()
    order_meters: tuple[str, ...] = ()
    order_endpoints: frozenset[tuple[str, str]] = frozenset()
    orders_in: Mapping[tuple[str, str], int] = {}
    reads: frozenset[tuple[str, str]] = frozenset()
    empty_answers: frozenset[tuple[str, str]] = frozenset({("GET", "ping")})
    answers: Mapping[tuple[str, str, str], AnswerRule] = {}
    errors: Mapping[str, ErrorRow] = {}
    unlisted: tuple[tuple[str, Outcome], ...] = ()
    texts: tuple[tuple[str, ErrorRow], ...] = ()
    code_field: str = "code"
    message_fields: tuple[str, ...] = ("msg", "message")
    stops: Mapping[int | str, float] = msgspec.field(default_factory=lambda: {429: 30.0, 418: 120.0})
    key_stops: frozenset[str] = frozenset()
    clock_errors: frozenset[str] = frozenset()
    nonce_sections: tuple[str, ...] = ()
    parts: PartRule | None = None
    client_id: ClientIdRule = ClientIdRule()
    expiry: ExpiryRule = ExpiryRule()
    market_types: tuple[str, ...] = ()
    derivative_type: str = "swap"
    ccxt: Mapping[str, Any] = {}
    websocket_messages_per_s: float | None = None
    acknowledges: bool = False
    balance_hints_s: float | None = None
    mixin: type[Any] | None = None
    kinds: KindTable = {}
    order_params: frozenset[str] = frozenset()
    linked: LinkedRule | None = None
    cancel_id_field: str | None = None
    key_info: KeyInfoRule | None = None
    list_page: int = 500
    reuse_s: float = 4.0
    candle_reader: Callable[[bytes], Any] | None = None
    book_reader: Callable[[bytes], Any] | None = None
    resolve_pause_s: float = 2.0
    price_band: Callable[[Mapping[str, Any]], PriceBand | None] | None = None
    cancels_whole_account: bool = False
    dead_man: DeadManRule | None = None
    entry: SocketEntry | None = None
    fees_on_top: bool = True
    quote_nonce: str | None = None
    amend: AmendRule | None = None
    replace: ReplaceRule | None = None
    batch: BatchRule | None = None


def load_profile(exchange_id: str) -> Profile:
    """The profile of a venue: from its package if it has one, else a bare one."""
    name = f"planar.adapters.{exchange_id}"
    if importlib.util.find_spec(name) is None:
        return Profile(id=exchange_id)
    profile: Profile = importlib.import_module(name).PROFILE
    return profile


_HOST = re.compile(r"^([a-z]+)://([^/:?]+)")


def hosts_of(urls: Any, hostname: str | None, schemes: tuple[str, ...] = ("http", "https", "ws", "wss")) -> list[str]:
    """Every host name in CCXT's nested url tables with one of the schemes, in order, `{hostname}` filled in."""
    found: dict[str, None] = {}

    def walk(value: Any) -> None:
        if isinstance(value, str):
            match = _HOST.match(value.replace("{hostname}", hostname or ""))
            if match and match.group(1) in schemes:
                found[match.group(2)] = None
        elif isinstance(value, dict):
            for inner in value.values():  # pyright: ignore[reportUnknownVariableType]
                walk(inner)
        elif isinstance(value, list):
            for inner in value:  # pyright: ignore[reportUnknownVariableType]
                walk(inner)

    walk(urls)
    return list(found)
