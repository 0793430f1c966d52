"""The settings as frozen structs: what `load()` returns and everything above builds on.

Every value is final here: the layers (arguments, environment variables, the exchange's section, `[workspace]`,
defaults) have been merged by `planar.config.merge`. The defaults of all settings stand in this module and nowhere else.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec

from planar.config.secret_type import Secret

Environment = Literal["live", "sandbox", "demo", "local", "paper"]
"""`live`; `sandbox` (the venue's testnet); `demo` (its demo trading); `local` (Planar's local venue); `paper` (live
data, simulated fills, no credentials)."""

Leveraged = Literal["from", "to", "both"]
"""Which side may borrow on margin: `from` longs, `to` shorts, `both`."""

Durability = Literal["process", "disk"]
"""What an order that was journaled survives before it is sent: the death of the process, or of the machine too."""

OrderEntry = Literal["auto", "rest", "websocket"]
"""How orders reach the venue: over its socket for orders, by REST, or as the venue's package has it."""

ReconcilePolicy = Literal["report", "adopt", "cancel"]
"""What is done with open orders that carry the journal's id and are not in it."""

SecretsMode = Literal["private", "mounted"]
"""`private`: secret files must be closed to other users. `mounted`: a container or secret store sets their modes."""

ENVIRONMENTS: tuple[Environment, ...] = ("live", "sandbox", "demo", "local", "paper")


class ValueLimit(msgspec.Struct, frozen=True):
    """An amount of money: how much, of which currency."""

    value: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.value:f} {self.currency}"


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What one account may order. None: no limit.

    Attributes:
        max_order_value: the most that one order may be worth.
        max_open_orders: how many orders may be open at once.
        max_position: currency -> how much of it may be held, what open orders would still buy included.
        max_orders_per_minute: how many orders may be sent within 60 s.
        price_collar: how much worse than the market a price may be, as a fraction of it.
        accounts: account's name -> its own limits, complete: what is not written for it there is taken from here.
    """

    max_order_value: ValueLimit | None = None
    max_open_orders: int | None = None
    max_position: dict[str, Decimal] = {}
    max_orders_per_minute: int | None = None
    price_collar: Decimal | None = None
    accounts: dict[str, LimitSettings] = {}

    def of(self, account: str) -> LimitSettings:
        """The limits of an account; "" is the one without a name."""
        return self.accounts.get(account, self)


class PaperSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How paper accounts are simulated.

    Attributes:
        balances: what a new account holds: currency -> amount.
        latency_ms: how long orders and cancels are on their way.
        maker, taker: fees as fractions; None: those that the exchange's market names.
        data: the environment that market data comes from.
    """

    balances: dict[str, Decimal] = msgspec.field(default_factory=lambda: {"USDT": Decimal(10_000)})
    latency_ms: int = 50
    maker: Decimal | None = None
    taker: Decimal | None = None
    data: Literal["live", "sandbox", "demo", "local"] = "live"


class ExchangeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one exchange, complete with defaults. Two are equal when they mean the same.

    Attributes:
        id: CCXT's id, aliases resolved.
        environment: as the user wrote it; None when nothing is written (public calls go to live, signed calls are
            refused).
        futures: True makes linear derivatives the default market type, False refuses them, None is the venue's default.
        leveraged: which side may borrow; None is never.
        timeout_ms: the time one call may take, all its requests and waits included.
        rate_limit_ms: an extra spacing between requests, written by the user; None when only the venue's own limits
            hold.
        markets_refresh_ms: how old the markets may become before they are loaded again by themselves; 0: they never are.
        enable_rate_limit: False removes pacing; never the stop after 429 or 418.
        verify_ssl: False accepts any certificate.
        proxy: URL of an HTTP, HTTPS or SOCKS 5 proxy; a Secret since it may hold a password.
        no_proxy: hosts that are reached without it; a leading dot means all below, "*" all.
        ca_file: path of certificates (PEM) that are trusted besides the usual ones.
        source_address: the address of this machine that connections leave from; None: the system chooses.
        primary: this exchange is the first choice where no exchange is named.
        backup: this exchange is asked when the primary fails.
        enabled: False refuses to open it.
        read_only: True refuses every call that changes something at the venue.
        dry_run: True checks and previews every order, and sends none.
        audit: True keeps a trail of every request that changes something, and of its answer.
        limits: what its accounts may order.
        paper: how its paper accounts are simulated.
        durability: what an order's journal survives before the order is sent.
        order_entry: how orders, changes and cancels are sent.
        reconcile: what is done with open orders of the journal's id that it does not hold: they are told, adopted into it,
            or canceled.
        withdrawals: True allows withdrawals, to the addresses of `withdraw_to`.
        withdraw_to: addresses, each with its tag after a blank where it needs one.
        allow_unjournaled: True lets order, transfer and withdrawal endpoints through `exchange.ccxt`.
        secrets_mode: whether open modes of its secret files are accepted.
        ccxt: passed to CCXT's constructor as it is.
    """

    id: str
    environment: Environment | None = None
    futures: bool | None = None
    leveraged: Leveraged | None = None
    timeout_ms: int = 10_000
    rate_limit_ms: int | None = None
    markets_refresh_ms: int = 3_600_000
    enable_rate_limit: bool = True
    verify_ssl: bool = True
    proxy: Secret | None = None
    no_proxy: tuple[str, ...] = ()
    ca_file: str | None = None
    source_address: str | None = None
    primary: bool = False
    backup: bool = False
    enabled: bool = True
    read_only: bool = False
    dry_run: bool = False
    audit: bool = True
    limits: LimitSettings = LimitSettings()
    paper: PaperSettings = PaperSettings()
    durability: Durability = "process"
    order_entry: OrderEntry = "auto"
    reconcile: ReconcilePolicy = "report"
    withdrawals: bool = False
    withdraw_to: tuple[str, ...] = ()
    allow_unjournaled: bool = False
    secrets_mode: SecretsMode = "private"
    ccxt: dict[str, Any] = {}


class VenueSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The local venue.

    Attributes:
        port: TCP port on loopback; 0 takes a free one.
        seed: seed of the market model.
        shape: path of the file that says how its markets behave, from the working directory; None for the usual ones.
    """

    port: int = 0
    seed: int = 1
    shape: str | None = None


class BudgetSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How what the venues allow is shared.

    Attributes:
        shared: True: by all processes of this user on this machine. False: by nobody. The URL of a Redis: by all who
            use the same one; a Secret since it may hold a password.
        reserve: part of each limit that only cancels may use.
        share: part of each limit that may be used at all, where programs that do not share the meters use the rest.
        address: name of the address from which this machine's requests leave, among machines that share a Redis; those
            with one name are one address to the exchanges. None: the address itself, if the world sees it.
    """

    shared: bool | Secret = True
    reserve: float = 0.02
    share: float = 1.0
    address: str | None = None


class AlarmSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where alarms go.

    Attributes:
        log: to the logger `planar.alarms`.
        command: a program and its arguments; it gets the alarm as JSON on its standard input. None: no program.
        webhook: URL that the alarm is posted to as JSON; a Secret since such URLs open something.
        telegram_token: of the Telegram bot that sends it.
        telegram_token_file: path of a file that holds it, where it is not given itself.
        telegram_chat: id of the chat that it is sent to.
    """

    log: bool = True
    command: tuple[str, ...] | None = None
    webhook: Secret | None = None
    telegram_token: Secret | None = None
    telegram_token_file: str | None = None
    telegram_chat: str | None = None


class SelectionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which exchange is meant where none is named.

    Attributes:
        default: used by commands and calls that name no exchange; the primary if it is not written, else None.
        primary: the first choice.
        backup: asked in this order when the primary fails.
        enabled: the only exchanges that may be opened; None when the list is not written.
    """

    default: str | None = None
    primary: str | None = None
    backup: tuple[str, ...] = ()
    enabled: tuple[str, ...] | None = None


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """The files that were read; None where there is none."""

    config: Path | None = None
    secrets: Path | None = None
