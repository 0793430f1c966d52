"""SOCKS 5 (RFC 1928, RFC 1929): ask a proxy for a way to a host. Knows nothing of HTTP or TLS, which come after.

The socket is non-blocking and connected to the proxy; when `open_way` returns, what is written to it reaches the host.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Final

VERSION: Final = 5
NO_LOGIN: Final = 0
LOGIN: Final = 2
NONE_FITS: Final = 0xFF
CONNECT: Final = 1
IPV4: Final = 1
NAME: Final = 3
IPV6: Final = 4

REPLIES: Final = {
    1: "general failure",
    2: "its rules do not allow it",
    3: "the network cannot be reached",
    4: "the host cannot be reached",
    5: "the host takes no connection",
    6: "the way is too long (TTL expired)",
    7: "it does not know CONNECT",
    8: "it does not know this kind of address",
}
"""The reply field of RFC 1928, section 6."""


class SocksRefusal(ConnectionError):
    """The proxy answered, and will not.

    Attributes:
        host: what it was asked for.
        login: it is the user or the password that it does not take.
    """

    def __init__(self, text: str, host: str, *, login: bool = False) -> None:
        super().__init__(text)
        self.host = host
        self.login = login


async def open_way(sock: socket.socket, host: str, port: int, login: tuple[str, str] | None) -> None:
    """Ask the proxy behind `sock` for a connection to `host`, a name (which it resolves) or an IP address.

    Raises:
        SocksRefusal: it will not, or it does not speak SOCKS 5.
        ConnectionError: it closed the connection.
    """
    loop = asyncio.get_running_loop()
    methods = bytes([NO_LOGIN, LOGIN]) if login else bytes([NO_LOGIN])
    await loop.sock_sendall(sock, bytes([VERSION, len(methods)]) + methods)
    version, method = await _read(sock, 2)
    if version != VERSION:
        raise SocksRefusal("it does not speak SOCKS 5", host)
    if method == LOGIN and login:
        user, password = (part.encode() for part in login)
        if len(user) > 255 or len(password) > 255:
            raise SocksRefusal("user or password is longer than 255 bytes, more than SOCKS 5 can say", host, login=True)
        await loop.sock_sendall(sock, bytes([1, len(user)]) + user + bytes([len(password)]) + password)
        _, status = await _read(sock, 2)
        if status != 0:
            raise SocksRefusal("it refused the user or the password", host, login=True)
    elif method != NO_LOGIN:
        raise SocksRefusal("it wants a user and a password" if not login else "it takes no password", host, login=True)
    await loop.sock_sendall(sock, bytes([VERSION, CONNECT, 0]) + _address(host) + port.to_bytes(2))
    version, reply, _, kind = await _read(sock, 4)
    if version != VERSION or reply != 0:
        raise SocksRefusal(REPLIES.get(reply, f"reply {reply}"), host)
    length = {IPV4: 4, IPV6: 16}.get(kind) or (await _read(sock, 1))[0]
    await _read(sock, length + 2)  # where it connects from; nobody needs it


def _address(host: str) -> bytes:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode("idna") if not host.isascii() else host.encode()
        return bytes([NAME, len(name)]) + name
    return bytes([IPV4 if address.version == 4 else IPV6]) + address.packed


async def _read(sock: socket.socket, count: int) -> bytes:
    loop, data = asyncio.get_running_loop(), b""
    while len(data) < count:
        # never more than asked for: what follows belongs to the host
        chunk = await loop.sock_recv(sock, count - len(data))
        if not chunk:
            raise ConnectionResetError("the connection was closed")
        data += chunk
    return data
