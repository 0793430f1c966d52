"""Addresses and transaction ids as each chain writes them, with true checksums, so that clients' own checks pass.

Nobody has a key to any of them: the payload is drawn from the venue's seed. Sources: BIP-173 (Bitcoin, Litecoin),
EIP-55 (Ethereum and its kin), base58check (Tron, Dogecoin, XRP with its own alphabet), SS58 (Polkadot), CIP-19
(Cardano), the CashAddr specification (Bitcoin Cash). Solana's addresses have no checksum.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Final

from planar.venue.engine.keccak import keccak_256
from planar.venue.engine.noise import Stream

_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_RIPPLE58: Final = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_TAPS: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CASH_TAPS: Final = (0x98F2BC8E61, 0x79B76D99E2, 0xF33E5FB3C4, 0xAE2EABE2A8, 0x1E4F43E470)
_HEX: Final = "0123456789abcdef"
_HEX_WITH_PREFIX: Final = ("ETH", "BSC", "AVAXC", "DOT")
"""Chains whose transaction ids begin with 0x."""

Maker = Callable[[Stream], str]

_PATTERNS: Final = {
    "BTC": r"[13][a-km-zA-HJ-NP-Z1-9]{25,34}|bc1[02-9ac-hj-np-z]{11,87}",
    "LTC": r"[LM3][a-km-zA-HJ-NP-Z1-9]{26,33}|ltc1[02-9ac-hj-np-z]{11,87}",
    "ETH": r"0x[0-9A-Fa-f]{40}",
    "BSC": r"0x[0-9A-Fa-f]{40}",
    "AVAXC": r"0x[0-9A-Fa-f]{40}",
    "TRX": r"T[1-9A-HJ-NP-Za-km-z]{33}",
    "SOL": r"[1-9A-HJ-NP-Za-km-z]{32,44}",
    "XRP": r"r[1-9A-HJ-NP-Za-km-z]{24,34}",
    "DOGE": r"[DA9][1-9A-HJ-NP-Za-km-z]{25,34}",
    "ADA": r"addr1[02-9ac-hj-np-z]{53,98}|(Ae2|DdzFF)[1-9A-HJ-NP-Za-km-z]{20,100}",
    "BCH": r"[13][a-km-zA-HJ-NP-Z1-9]{25,34}|(bitcoincash:)?[qp][02-9ac-hj-np-z]{41}",
    "DOT": r"1[1-9A-HJ-NP-Za-km-z]{46,47}",
}


def pattern(network: str) -> str:
    """The form of an address of a chain, as a regular expression for the whole address.

    Raises:
        KeyError: a chain that nothing is known of.
    """
    return _PATTERNS[network]


def is_address(network: str, text: str) -> bool:
    """Whether a text has the form of an address of the chain."""
    return re.fullmatch(_PATTERNS[network], text) is not None


def address(network: str, draws: Stream) -> str:
    """An address of a chain.

    Raises:
        KeyError: a chain that nothing is known of.
    """
    return _MAKERS[network](draws)


def transaction_id(network: str, draws: Stream) -> str:
    """The id of a transaction on a chain: base58 on Solana, elsewhere 64 hexadecimal digits."""
    if network == "SOL":
        return _base58(_draw(draws, 64), _BASE58)
    digits = draws.text(64, _HEX)
    if network == "XRP":
        return digits.upper()
    return f"0x{digits}" if network in _HEX_WITH_PREFIX else digits


def _draw(draws: Stream, length: int) -> bytes:
    return bytes(draws.below(256) for _ in range(length))


def _base58(data: bytes, alphabet: str) -> str:
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = alphabet[digit] + text
    return alphabet[0] * (len(data) - len(data.lstrip(b"\0"))) + text


def _with_sha_checksum(data: bytes) -> bytes:
    return data + hashlib.sha256(hashlib.sha256(data).digest()).digest()[:4]


def _base58check(version: int, alphabet: str = _BASE58) -> Maker:
    return lambda draws: _base58(_with_sha_checksum(bytes([version]) + _draw(draws, 20)), alphabet)


def _ethereum(draws: Stream) -> str:
    digits = _draw(draws, 20).hex()
    capitals = keccak_256(digits.encode()).hex()
    return "0x" + "".join(c.upper() if int(mark, 16) > 7 else c for c, mark in zip(digits, capitals, strict=False))


def _solana(draws: Stream) -> str:
    return _base58(_draw(draws, 32), _BASE58)


def _polkadot(draws: Stream) -> str:
    data = b"\0" + _draw(draws, 32)
    return _base58(data + hashlib.blake2b(b"SS58PRE" + data).digest()[:2], _BASE58)


def _five_bits(data: bytes) -> list[int]:
    """Groups of five bits, the last filled up with zeros."""
    bits = len(data) * 8
    groups = -(-bits // 5)
    number = int.from_bytes(data, "big") << (groups * 5 - bits)
    return [number >> (5 * index) & 31 for index in reversed(range(groups))]


def _remainder(values: Sequence[int], taps: Sequence[int], width: int) -> int:
    """The polynomial remainder of both bech32 (30 bits) and CashAddr (40 bits)."""
    kept = (1 << (width - 5)) - 1
    state = 1
    for value in values:
        top = state >> (width - 5)
        state = (state & kept) << 5 ^ value
        for bit, tap in enumerate(taps):
            if top >> bit & 1:
                state ^= tap
    return state ^ 1


def _bech32(prefix: str, values: list[int]) -> str:
    spread = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    rest = _remainder([*spread, *values, *[0] * 6], _BECH32_TAPS, 30)
    check = [rest >> (5 * index) & 31 for index in reversed(range(6))]
    return f"{prefix}1" + "".join(_BECH32[value] for value in values + check)


def _segwit(prefix: str) -> Maker:
    """A pay-to-witness-public-key-hash address: version 0, 20 bytes."""
    return lambda draws: _bech32(prefix, [0, *_five_bits(_draw(draws, 20))])


def _cardano(draws: Stream) -> str:
    """A base address of the main network: payment key and stake key."""
    return _bech32("addr", _five_bits(b"\x01" + _draw(draws, 56)))


def _bitcoin_cash(draws: Stream) -> str:
    values = _five_bits(b"\0" + _draw(draws, 20))
    spread = [ord(c) & 31 for c in "bitcoincash"] + [0]
    rest = _remainder([*spread, *values, *[0] * 8], _CASH_TAPS, 40)
    check = [rest >> (5 * index) & 31 for index in reversed(range(8))]
    return "bitcoincash:" + "".join(_BECH32[value] for value in values + check)


_MAKERS: Final[dict[str, Maker]] = {
    "BTC": _segwit("bc"),
    "LTC": _segwit("ltc"),
    "ETH": _ethereum,
    "BSC": _ethereum,
    "AVAXC": _ethereum,
    "TRX": _base58check(0x41),
    "SOL": _solana,
    "XRP": _base58check(0x00, _RIPPLE58),
    "DOGE": _base58check(0x1E),
    "ADA": _cardano,
    "BCH": _bitcoin_cash,
    "DOT": _polkadot,
}
