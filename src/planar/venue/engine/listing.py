"""The standard assets and the 20 standard symbols, with how each behaves. All numbers are the local venue's own."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from planar.venue.engine.history import MarketProfile
from planar.venue.engine.specs import AssetSpec, NetworkSpec, SymbolSpec

_FEE = Decimal("0.001")
_LEVEL_GAP = 0.2e-4
_SPREAD = 0.05e-4
_TRADE_DOLLARS = 600.0
_LEVEL_DOLLARS = 6_000.0


class _Asset(NamedTuple):
    name: str
    dollars: float
    daily_volatility: float
    networks: tuple[str, ...]


_ASSETS: dict[str, _Asset] = {
    "USDT": _Asset("Tether", 1.0, 0.0, ("ETH", "TRX", "BSC")),
    "BTC": _Asset("Bitcoin", 60_000.0, 0.025, ("BTC", "BSC")),
    "ETH": _Asset("Ethereum", 3_000.0, 0.032, ("ETH", "BSC")),
    "BNB": _Asset("BNB", 600.0, 0.025, ("BSC",)),
    "SOL": _Asset("Solana", 150.0, 0.045, ("SOL",)),
    "XRP": _Asset("XRP", 2.4, 0.04, ("XRP",)),
    "DOGE": _Asset("Dogecoin", 0.16, 0.05, ("DOGE",)),
    "ADA": _Asset("Cardano", 0.45, 0.045, ("ADA",)),
    "TRX": _Asset("TRON", 0.25, 0.02, ("TRX",)),
    "AVAX": _Asset("Avalanche", 25.0, 0.05, ("AVAXC",)),
    "LINK": _Asset("Chainlink", 15.0, 0.045, ("ETH",)),
    "LTC": _Asset("Litecoin", 80.0, 0.035, ("LTC",)),
    "BCH": _Asset("Bitcoin Cash", 400.0, 0.04, ("BCH",)),
    "DOT": _Asset("Polkadot", 5.0, 0.045, ("DOT",)),
    "USDC": _Asset("USD Coin", 1.0, 0.0001, ("ETH", "SOL")),
}

_NETWORKS: dict[str, tuple[str, int]] = {
    "BTC": ("Bitcoin", 1),
    "ETH": ("Ethereum (ERC20)", 6),
    "BSC": ("BNB Smart Chain (BEP20)", 5),
    "TRX": ("Tron (TRC20)", 1),
    "SOL": ("Solana", 1),
    "XRP": ("Ripple", 1),
    "DOGE": ("dogecoin", 50),
    "ADA": ("Cardano", 30),
    "AVAXC": ("AVAX C-Chain", 12),
    "LTC": ("Litecoin", 4),
    "BCH": ("Bitcoin Cash", 2),
    "DOT": ("Polkadot", 25),
}

_SYMBOLS: dict[str, tuple[str, str, int]] = {
    "BTC/USDT": ("0.01", "0.00001", 120_000),
    "ETH/USDT": ("0.01", "0.0001", 80_000),
    "BNB/USDT": ("0.01", "0.001", 30_000),
    "SOL/USDT": ("0.01", "0.001", 40_000),
    "XRP/USDT": ("0.0001", "0.1", 30_000),
    "DOGE/USDT": ("0.00001", "1", 25_000),
    "ADA/USDT": ("0.0001", "0.1", 15_000),
    "TRX/USDT": ("0.0001", "0.1", 15_000),
    "AVAX/USDT": ("0.01", "0.01", 12_000),
    "LINK/USDT": ("0.01", "0.01", 12_000),
    "LTC/USDT": ("0.01", "0.001", 12_000),
    "BCH/USDT": ("0.1", "0.001", 10_000),
    "DOT/USDT": ("0.001", "0.01", 10_000),
    "USDC/USDT": ("0.0001", "1", 20_000),
    "ETH/BTC": ("0.00001", "0.001", 20_000),
    "BNB/BTC": ("0.000001", "0.01", 10_000),
    "XRP/BTC": ("0.00000001", "1", 8_000),
    "BTC/USDC": ("0.01", "0.00001", 25_000),
    "ETH/USDC": ("0.01", "0.0001", 20_000),
    "BNB/ETH": ("0.0001", "0.001", 8_000),
}
"""Tick, lot, trades per day. Tick times lot must be whole 1e-8 of the quote, so some lots are coarser than usual."""

_MIN_NOTIONAL = {"USDT": "5", "USDC": "5", "BTC": "0.0001", "ETH": "0.001"}
_MAX_NOTIONAL = {"USDT": "9000000", "USDC": "9000000", "BTC": "150", "ETH": "3000"}


def assets() -> list[AssetSpec]:
    """The standard assets."""
    return [
        AssetSpec(asset, row.name, tuple(_network(asset, network) for network in row.networks))
        for asset, row in _ASSETS.items()
    ]


def _network(asset: str, network: str) -> NetworkSpec:
    name, confirmations = _NETWORKS[network]
    dollars = _ASSETS[asset].dollars
    return NetworkSpec(
        network=network,
        name=name,
        withdraw_fee=_round_number(0.8 / dollars),
        withdraw_min=_round_number(10 / dollars),
        withdraw_max=_round_number(5_000_000 / dollars),
        confirmations=confirmations,
        needs_tag=network == "XRP",
    )


def _round_number(value: float) -> Decimal:
    """A value to one significant digit and at most 8 decimal places."""
    return Decimal(f"{Decimal(f'{value:.0e}'):.8f}").normalize() + 0


def symbols() -> list[SymbolSpec]:
    """The standard symbols."""
    found: list[SymbolSpec] = []
    for symbol, (tick, lot, _) in _SYMBOLS.items():
        base, quote = symbol.split("/")
        found.append(
            SymbolSpec(
                symbol=symbol,
                base=base,
                quote=quote,
                tick=Decimal(tick),
                lot=Decimal(lot),
                min_price=Decimal(tick),
                max_price=Decimal(tick) * 100_000_000,
                min_amount=Decimal(lot),
                max_amount=Decimal(lot) * 900_000_000,
                market_max_amount=Decimal(lot) * 10_000_000,
                min_notional=Decimal(_MIN_NOTIONAL[quote]),
                max_notional=Decimal(_MAX_NOTIONAL[quote]),
                maker_fee=_FEE,
                taker_fee=_FEE,
            )
        )
    return found


def profiles() -> Mapping[str, MarketProfile]:
    """How the standard symbols behave."""
    found: dict[str, MarketProfile] = {}
    for symbol, (tick, _, trades_per_day) in _SYMBOLS.items():
        base, quote = symbol.split("/")
        dollars = _ASSETS[quote].dollars
        price = _ASSETS[base].dollars / dollars
        found[symbol] = MarketProfile(
            reference_price=price,
            trades_per_day=trades_per_day,
            trade_notional=_TRADE_DOLLARS / dollars,
            spread_ticks=max(1, round(price * _SPREAD / float(tick))),
            level_gap_ticks=max(1, round(price * _LEVEL_GAP / float(tick))),
            level_notional=_LEVEL_DOLLARS / dollars,
        )
    return found


def volatilities() -> Mapping[str, float]:
    """Daily volatility of the assets, as a fraction."""
    return {asset: row.daily_volatility for asset, row in _ASSETS.items()}
