"""Addresses as the chains write them: published examples, and checksums checked by another way than they were made."""

from __future__ import annotations

import hashlib

import pytest

from planar.venue.engine import addresses, listing
from planar.venue.engine.keccak import keccak_256
from planar.venue.engine.noise import Stream

ALPHABETS = {
    "TRX": "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
    "DOGE": "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
    "XRP": "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz",
}
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
NETWORKS = sorted({network.network for spec in listing.assets() for network in spec.networks})


class Fixed(Stream):
    """Draws that are these bytes."""

    def __init__(self, data: bytes) -> None:
        super().__init__("unused")
        self._data = list(data)

    def below(self, bound: int) -> int:
        return self._data.pop(0)


def test_keccak() -> None:
    assert keccak_256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak_256(b"abc").hex() == "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"
    long = b"The quick brown fox jumps over the lazy dog" * 7
    assert keccak_256(long) != keccak_256(long[:-1])


@pytest.mark.parametrize(
    ("network", "payload", "text"),
    [
        ("BTC", "751e76e8199196d454941c45d1b3a323f1433bd6", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        ("ETH", "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
        ("BCH", "f5bf48b397dae70be82b3cca4793f8eb2b6cdac9", "bitcoincash:qr6m7j9njldwwzlg9v7v53unlr4jkmx6eylep8ekg2"),
        (
            "DOT",
            "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d",
            "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5",
        ),
        ("SOL", "00" * 32, "1" * 32),
    ],
)
def test_published_examples(network: str, payload: str, text: str) -> None:
    assert addresses.address(network, Fixed(bytes.fromhex(payload))) == text


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_has_addresses_of_its_own_form(network: str) -> None:
    made = {addresses.address(network, Stream(network, number)) for number in range(25)}
    assert len(made) == 25
    assert all(addresses.is_address(network, one) for one in made)
    assert not addresses.is_address(network, "nowhere")
    assert not any(addresses.is_address(network, one + "0") for one in made if network in ("ETH", "BSC", "TRX"))
    assert len(addresses.transaction_id(network, Stream("tx"))) in (64, 66, 87, 88)


@pytest.mark.parametrize("network", sorted(ALPHABETS))
def test_base58_checksums(network: str) -> None:
    alphabet = ALPHABETS[network]
    for number in range(25):
        value = 0
        for character in addresses.address(network, Stream(network, number)):
            value = value * 58 + alphabet.index(character)
        data = value.to_bytes(25, "big")
        assert hashlib.sha256(hashlib.sha256(data[:21]).digest()).digest()[:4] == data[21:]


@pytest.mark.parametrize(("network", "prefix"), [("BTC", "bc"), ("LTC", "ltc"), ("ADA", "addr")])
def test_bech32_checksums(network: str, prefix: str) -> None:
    for number in range(25):
        text = addresses.address(network, Stream(network, number))
        human, _, data = text.rpartition("1")
        assert human == prefix
        state = 1
        values = [ord(c) >> 5 for c in human] + [0] + [ord(c) & 31 for c in human] + [BECH32.index(c) for c in data]
        for value in values:
            top, state = state >> 25, (state & 0x1FFFFFF) << 5 ^ value
            for bit, tap in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
                state ^= tap if top >> bit & 1 else 0
        assert state == 1
