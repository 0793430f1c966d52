"""Kraken's names: assets (`XXBT`, alternative name `XBT`), pairs (`XXBTZUSD`, `XBTUSD`, `XBT/USD`), and their decimals.

Of the pairs named by their assets' ids only those remain whose two assets both have a class prefix; all others are
called by the alternative names (AssetPairs). The WebSocket v2 calls assets as everybody does: `BTC/USD`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from planar.venue.engine.specs import AssetSpec, SymbolSpec
from planar.venue.wire.kraken import errors
from planar.venue.wire.kraken.formats import places_of

_IDS: Final = {
    "BTC": ("XXBT", "XBT"),
    "ETH": ("XETH", "ETH"),
    "XRP": ("XXRP", "XRP"),
    "DOGE": ("XXDG", "XDG"),
    "LTC": ("XLTC", "LTC"),
}
"""Id and alternative name of the assets that have a class prefix or another name."""
_DECIMALS_PREFIXED: Final = 10
_DECIMALS: Final = 8
_NETWORKS: Final = {
    "BTC": "Bitcoin",
    "ETH": "Ethereum",
    "TRX": "Tron",
    "BSC": "BNB Smart Chain",
    "SOL": "Solana",
    "XRP": "Ripple",
    "DOGE": "Dogecoin",
    "ADA": "Cardano",
    "AVAXC": "Avalanche C-Chain",
    "LTC": "Litecoin",
    "BCH": "Bitcoin Cash",
    "DOT": "Polkadot",
}
_METHODS: Final = {
    ("USDT", "ETH"): "Tether USD (ERC20)",
    ("USDT", "TRX"): "Tether USD (TRC20)",
    ("USDT", "BSC"): "Tether USD (BEP20)",
    ("USDC", "ETH"): "USDC",
    ("USDC", "SOL"): "USDC (SPL)",
    ("ETH", "ETH"): "Ether (Hex)",
    ("LINK", "ETH"): "Link",
    ("XRP", "XRP"): "Ripple XRP",
    ("ADA", "ADA"): "ADA",
}
"""By asset and network, where it is not the network's own name."""


class Asset(msgspec.Struct, frozen=True):
    """An asset under Kraken's names.

    Attributes:
        code: the engine's name, which is the WebSocket v2's too.
        decimals: places of its amounts.
    """

    code: str
    id: str
    altname: str
    decimals: int
    display_decimals: int
    spec: AssetSpec


class Pair(msgspec.Struct, frozen=True):
    """A market under Kraken's names.

    Attributes:
        symbol: the engine's name, which is the WebSocket v2's too.
    """

    symbol: str
    id: str
    altname: str
    wsname: str
    base: Asset
    quote: Asset
    price_decimals: int
    lot_decimals: int
    spec: SymbolSpec


class Names:
    """Assets and pairs in the order of the engine.

    Attributes:
        assets: by the engine's code.
        pairs: by the engine's symbol, listed or not.
        listed: those that are listed.
    """

    def __init__(self, assets: Mapping[str, AssetSpec], symbols: Mapping[str, SymbolSpec]) -> None:
        self.assets = {code: _asset(spec) for code, spec in assets.items()}
        self.pairs = {symbol: _pair(spec, self.assets) for symbol, spec in symbols.items()}
        self.listed = dict(self.pairs)
        self._assets: dict[str, Asset] = {}
        for asset in self.assets.values():
            self._assets |= {asset.id: asset, asset.altname: asset, asset.code: asset}
        self._pairs: dict[str, Pair] = {}
        for pair in self.pairs.values():
            joined = pair.symbol.replace("/", "")
            self._pairs |= dict.fromkeys((pair.id, pair.altname, pair.wsname, pair.symbol, joined), pair)

    def refresh(self, spec: SymbolSpec) -> None:
        """A market has other filters from now on. The decimals in which its figures are written stay."""
        pair = msgspec.structs.replace(self.pairs[spec.symbol], spec=spec)
        self.pairs[spec.symbol] = pair
        if spec.symbol in self.listed:
            self.listed[spec.symbol] = pair
        self._pairs = {name: pair if known.symbol == spec.symbol else known for name, known in self._pairs.items()}

    def drop(self, symbol: str) -> None:
        """A market is not listed any more; its old orders keep its name."""
        self.listed.pop(symbol, None)
        self._pairs = {name: known for name, known in self._pairs.items() if known.symbol != symbol}

    def pair(self, name: object) -> Pair:
        """The pair of any of its names.

        Raises:
            ApiError: EQuery:Unknown asset pair.
        """
        found = self._pairs.get(str(name))
        if found is None:
            raise errors.ApiError(errors.UNKNOWN_PAIR)
        return found

    def asset(self, name: object) -> Asset:
        """The asset of any of its names.

        Raises:
            ApiError: EQuery:Unknown asset.
        """
        found = self._assets.get(str(name))
        if found is None:
            raise errors.ApiError(errors.UNKNOWN_ASSET)
        return found


def method_of(asset: Asset, network: str) -> str:
    """Kraken's name of the way by which an asset comes and goes."""
    return _METHODS.get((asset.code, network), _NETWORKS[network])


def network_name(network: str) -> str:
    """Kraken's name of a chain."""
    return _NETWORKS[network]


def _asset(spec: AssetSpec) -> Asset:
    known = _IDS.get(spec.asset)
    identity, altname = known or (spec.asset, spec.asset)
    return Asset(
        code=spec.asset,
        id=identity,
        altname=altname,
        decimals=_DECIMALS_PREFIXED if known else _DECIMALS,
        display_decimals=5,
        spec=spec,
    )


def _pair(spec: SymbolSpec, assets: Mapping[str, Asset]) -> Pair:
    base, quote = assets[spec.base], assets[spec.quote]
    altname = base.altname + quote.altname
    prefixed = spec.base in _IDS and spec.quote in _IDS
    return Pair(
        symbol=spec.symbol,
        id=base.id + quote.id if prefixed else altname,
        altname=altname,
        wsname=f"{base.altname}/{quote.altname}",
        base=base,
        quote=quote,
        price_decimals=places_of(spec.tick),
        lot_decimals=places_of(spec.lot),
        spec=spec,
    )


def percent(fraction: Decimal) -> Decimal:
    """A fee of the engine in Kraken's percent."""
    return fraction * 100
