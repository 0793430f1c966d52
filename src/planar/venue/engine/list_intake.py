"""Turns a `NewOrderList` into orders that the matcher can take together, or refuses it. Changes nothing.

Which kinds go together is as in the Binance documentation ("Order lists"); a wire words the refusals.
"""

from __future__ import annotations

from planar.venue.engine.accounts import Account
from planar.venue.engine.enums import Contingency, OrderKind
from planar.venue.engine.feasibility import check_funds, check_market, check_pair
from planar.venue.engine.intake import Intake, check_records
from planar.venue.engine.lists import LiveList
from planar.venue.engine.market import Market
from planar.venue.engine.orders import LiveOrder
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.types import NewOrder, NewOrderList

_SIZES = {Contingency.OCO: 2, Contingency.OTO: 2, Contingency.OTOCO: 3}
_LOSSES = (OrderKind.STOP_LOSS, OrderKind.STOP_LOSS_LIMIT)
_PROFITS = (OrderKind.TAKE_PROFIT, OrderKind.TAKE_PROFIT_LIMIT)


def check_list(
    intake: Intake, new: NewOrderList, account: Account, market: Market, open_lists: list[LiveList]
) -> tuple[LiveOrder, ...]:
    """The orders of a list, ready to be matched, without ids. Raises EngineReject."""
    _check_composition(new)
    orders = tuple(intake.draft(row, account, market) for row in new.orders)
    check_records(market, account.log(market.symbol), list(zip(new.orders, orders, strict=True)))
    if new.client_id is not None and any(found.client_id == new.client_id for found in open_lists):
        message = f"client_id = {new.client_id!r} belongs to an open order list"
        raise EngineReject(RejectReason.DUPLICATE_LIST_ID, message)
    most = market.spec.max_order_lists
    if sum(found.orders[0].market is market for found in open_lists) >= most:
        raise EngineReject(RejectReason.TOO_MANY_LISTS, f"{most} order lists are open in {market.symbol}; no more may")
    first = orders if new.contingency is Contingency.OCO else orders[:1]
    if new.contingency is Contingency.OCO:
        check_pair(*orders)
    for order in first:
        check_market(order)
    for order in first:
        check_funds(order)
    return orders


def _check_composition(new: NewOrderList) -> None:
    if len(new.orders) != _SIZES[new.contingency]:
        message = f"{new.contingency} list: {len(new.orders)} orders, needs {_SIZES[new.contingency]}"
        raise EngineReject(RejectReason.INVALID_COMBINATION, message)
    if len({(row.account, row.symbol) for row in new.orders}) > 1:
        message = "the orders of a list are not of one account and symbol"
        raise EngineReject(RejectReason.INVALID_COMBINATION, message)
    if new.contingency is not Contingency.OCO and new.orders[0].kind is not OrderKind.LIMIT:
        message = f"working order: kind = {new.orders[0].kind}, must be a limit order"
        raise EngineReject(RejectReason.INVALID_COMBINATION, message)
    if any(row.quote_amount is not None for row in new.orders):
        raise EngineReject(RejectReason.INVALID_COMBINATION, "an order of a list cannot be sized in quote")
    if new.contingency is not Contingency.OTO:
        _check_pair_kinds(new.orders[-2], new.orders[-1])


def _check_pair_kinds(one: NewOrder, other: NewOrder) -> None:
    """One protects against loss; the other takes profit, as a stop or as a limit order that only makes."""
    gains = [row for row in (one, other) if row.kind in _PROFITS or (row.kind is OrderKind.LIMIT and row.post_only)]
    losses = [row for row in (one, other) if row.kind in _LOSSES]
    if len(gains) != 1 or len(losses) != 1 or one.side is not other.side or one.amount != other.amount:
        message = f"{one.kind} and {other.kind} of these sides and amounts cannot end each other"
        raise EngineReject(RejectReason.INVALID_COMBINATION, message)
