"""What is fixed about a market and an asset: filters, fees, networks."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from planar.venue.engine.enums import SelfTradeMode


class NetworkSpec(msgspec.Struct, frozen=True):
    """One chain an asset can be moved on."""

    network: str
    name: str
    withdraw_fee: Decimal
    withdraw_min: Decimal
    withdraw_max: Decimal
    confirmations: int
    needs_tag: bool = False


class AssetSpec(msgspec.Struct, frozen=True):
    """One asset; the first network is its default."""

    asset: str
    name: str
    networks: tuple[NetworkSpec, ...]
    is_fiat: bool = False


class SymbolSpec(msgspec.Struct, frozen=True):
    """One spot market and its filters. `tick * lot` is a whole number of 1e-8 of the quote asset."""

    symbol: str
    base: str
    quote: str
    tick: Decimal
    lot: Decimal
    min_price: Decimal
    max_price: Decimal
    min_amount: Decimal
    max_amount: Decimal
    market_max_amount: Decimal
    """Largest amount of a market order."""
    min_notional: Decimal
    max_notional: Decimal
    maker_fee: Decimal
    """A fraction: 0.001 is 10 basis points."""
    taker_fee: Decimal
    price_band_up: Decimal = Decimal(5)
    """A limit price may be at most this many times the average price, and at least `price_band_down` times it."""
    price_band_down: Decimal = Decimal("0.2")
    max_open_orders: int = 200
    max_stop_orders: int = 5
    max_iceberg_parts: int = 10
    max_order_lists: int = 20
    default_self_trade_mode: SelfTradeMode = SelfTradeMode.EXPIRE_MAKER
    self_trade_modes: tuple[SelfTradeMode, ...] = tuple(SelfTradeMode)
