"""Balances and positions from CCXT's dictionaries; the table of what is strict stands in `planar.models.from_ccxt`."""

from __future__ import annotations

from planar.models.account import AccountBalance, Balance, Position, PositionSide
from planar.models.from_ccxt.reader import Reader, exact, is_structure

_POSITION_SIDES: dict[str, PositionSide] = {"long": "long", "short": "short"}
_NOT_CURRENCIES = ("info", "timestamp", "datetime", "free", "used", "total", "debt")


def balance(data: object, *, exchange: str | None = None, received_ns: int | None = None) -> AccountBalance:
    """The balances of an account. An account without any currency is empty, if the answer is a balance at all.

    Raises:
        BadResponse: the answer is no balance, or a currency without a number.
    """
    r = Reader(data, "balance", exchange)
    if isinstance(r.get("info"), str):
        raise r.bad("info", r.get("info"), "is a text, not the exchange's JSON")
    if "total" not in r and "free" not in r:
        raise r.bad("answer", data, "has neither `free` nor `total`")
    balances = {code: _one(r, code, exchange) for code in r if code not in _NOT_CURRENCIES}
    return AccountBalance(balances=balances, ts_ms=r.time_ms("timestamp"), received_ns=received_ns, raw=r.get("info"))


def _one(account: Reader, code: str, exchange: str | None) -> Balance:
    entry: object = account.get(code)
    if not is_structure(entry):
        raise account.bad(code, entry, "is no balance")
    get = entry.get
    try:
        free, used, total, debt = exact(get("free")), exact(get("used")), exact(get("total")), exact(get("debt"))
    except (TypeError, ValueError):
        r = Reader(entry, "balance", exchange)  # says which of them it is
        free, used, total, debt = r.signed("free"), r.signed("used"), r.signed("total"), r.signed("debt")
    if free is None and used is None and total is None:
        raise account.bad(code, entry, "has neither free nor used nor total")
    if (free is None) + (used is None) + (total is None) == 1:
        # CCXT makes the third of any two, so it was there, was no number, and may have gone into the others all the same
        raise account.bad(code, entry, "has a free, used or total that is no number")
    return Balance(free=free, used=used, total=total, debt=debt)


def position(data: object, *, exchange: str | None = None, received_ns: int | None = None) -> Position:
    """A position in a derivative.

    Raises:
        BadResponse: no symbol or contracts, contracts without a side, or a number that is not finite.
    """
    r = Reader(data, "position", exchange)
    contracts = r.needed("contracts", r.amount("contracts"))
    side = r.word("side", _POSITION_SIDES)
    if contracts:
        r.needed("side", side)
    return Position(
        id=r.text("id"),
        symbol=r.identity("symbol"),
        side=side,
        contracts=contracts,
        contract_size=r.amount("contractSize"),
        notional=r.signed("notional"),
        leverage=r.amount("leverage"),
        entry_price=r.amount("entryPrice"),
        liquidation_price=r.signed("liquidationPrice"),
        stop_loss_price=r.amount("stopLossPrice"),
        take_profit_price=r.amount("takeProfitPrice"),
        unrealized_pnl=r.signed("unrealizedPnl"),
        realized_pnl=r.signed("realizedPnl"),
        collateral=r.signed("collateral"),
        initial_margin=r.signed("initialMargin"),
        initial_margin_percentage=r.number("initialMarginPercentage"),
        maintenance_margin=r.signed("maintenanceMargin"),
        maintenance_margin_percentage=r.number("maintenanceMarginPercentage"),
        margin_ratio=r.number("marginRatio"),
        margin_mode=r.text("marginMode"),
        hedged=r.flag("hedged"),
        mark_price=r.number("markPrice"),
        last_price=r.number("lastPrice"),
        percentage=r.number("percentage"),
        ts_ms=r.time_ms("timestamp"),
        last_update_ts_ms=r.time_ms("lastUpdateTimestamp"),
        received_ns=received_ns,
        raw=r.get("info"),
    )
