"""One function per kind of setting: a raw TOML value in, the typed value out, or `Wrong` with the right form.

Raw values come from `planar.toml`, from environment variables (made raw by `from_text`) and from keyword arguments.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from planar.config.document import as_list, as_table, type_name
from planar.config.schema import ENVIRONMENTS
from planar.config.secret_type import Secret
from planar.config.suggest import nearest

Parse = Callable[[object], object]
Kind = Literal["boolean", "integer", "duration", "text", "ids", "table"]


class Wrong(Exception):
    """A value of the wrong type or out of range.

    Attributes:
        text: what is wrong, to follow the key's name: `is "yes"; it must be true or false`.
        fix: the right form, where it can be told.
    """

    def __init__(self, text: str, fix: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.fix = fix


def written(value: object) -> str:
    """`value` as it looks in TOML, shortened, for messages."""
    if isinstance(value, bool | str | int | float):
        text = json.dumps(value, ensure_ascii=False) if not isinstance(value, float) else repr(value)
        return text if len(text) <= 60 else f"{text[:57]}..."
    return type_name(value)


def from_text(kind: Kind, text: str) -> object:
    """The raw value that the text of an environment variable stands for. What does not fit stays text."""
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if kind in ("integer", "duration") and re.fullmatch(r"-?\d{1,18}", text):
        return int(text)
    if kind == "ids":
        return [part.strip() for part in text.split(",")]
    return text


def boolean(value: object) -> bool:
    """true or false; nothing else is taken for one."""
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else None
    fixes = {"true": "true", "yes": "true", "on": "true", "1": "true"} | dict.fromkeys(
        ("false", "no", "off", "0"), "false"
    )
    fix = f"write {fixes[word]}{' without quotes' if value == fixes[word] else ''}" if word in fixes else None
    raise Wrong(f"is {written(value)}; it must be true or false", fix)


def sandbox_switch(value: object) -> str:
    """The environment that `sandbox = true|false` means."""
    return "sandbox" if boolean(value) else "live"


def choice(options: tuple[str, ...], synonyms: dict[str, str] | None = None) -> Parse:
    """One of `options`. `synonyms` are not accepted, but lead to the right word."""
    listed = ", ".join(f'"{option}"' for option in options)

    def parse(value: object) -> object:
        if isinstance(value, str) and value in options:
            return value
        fix = None
        if isinstance(value, str):
            near = (synonyms or {}).get(value.lower()) or nearest(value, options)
            fix = f'did you mean "{near}"?' if near else None
        raise Wrong(f"is {written(value)}; it must be one of {listed}", fix)

    return parse


environment = choice(
    ENVIRONMENTS,
    {
        "testnet": "sandbox",
        "test": "sandbox",
        "production": "live",
        "prod": "live",
        "mainnet": "live",
        "real": "live",
        "dry-run": "paper",
        "simulation": "paper",
    },
)

_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000}


def milliseconds(low: int, high: int) -> Parse:
    """Milliseconds as an integer, or a text with a unit: "500ms", "30s", "1.5s", "2m". Within `low` and `high`."""

    def parse(value: object) -> object:
        match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?) ?(ms|s|m)", value) if isinstance(value, str) else None
        if match:
            amount = round(float(match[1]) * _UNITS_MS[match[2]])
        elif isinstance(value, int) and not isinstance(value, bool):
            amount = value
        else:
            fix = f"write {value} without quotes" if isinstance(value, str) and value.isdecimal() else None
            raise Wrong(
                f'is {written(value)}; it must be whole milliseconds, or a text with a unit such as "30s" or "500ms"',
                fix,
            )
        if low <= amount <= high:
            return amount
        fix = None
        if isinstance(value, int) and value > 0 and value * 1000 <= high:
            fix = f'the unit is milliseconds; for {value} seconds write {value * 1000} or "{value}s"'
        raise Wrong(f"is {written(value)}; it must be between {low} and {high} milliseconds", fix)

    return parse


def milliseconds_or_never(low: int, high: int) -> Parse:
    """The same; "never" is 0."""
    parse = milliseconds(low, high)
    return lambda value: 0 if value == "never" else parse(value)


def whole(low: int, high: int) -> Parse:
    """A whole number within `low` and `high`."""

    def parse(value: object) -> object:
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        raise Wrong(f"is {written(value)}; it must be a whole number between {low} and {high}")

    return parse


PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
_PROXY_EXAMPLE = 'for example "http://127.0.0.1:3128" or "socks5h://127.0.0.1:1080"'


def proxy_url(value: object) -> Secret:
    """URL of an HTTP, HTTPS or SOCKS 5 proxy. The URL is never repeated in a message: it may hold a password."""
    if not isinstance(value, str):
        raise Wrong(f"is {type_name(value)}; it must be a URL", _PROXY_EXAMPLE)
    try:
        url = urlsplit(value)
        host, _ = url.hostname, url.port
    except ValueError:
        raise Wrong("is not a URL", _PROXY_EXAMPLE) from None
    if url.scheme in ("socks", "socks4", "socks4a"):
        raise Wrong(f"is a {url.scheme} proxy, which Planar does not speak", "use socks5:// or socks5h://")
    if url.scheme not in PROXY_SCHEMES or not host:
        raise Wrong(f"must begin with {':// or '.join(PROXY_SCHEMES)}:// and name a host", _PROXY_EXAMPLE)
    if url.path not in ("", "/") or url.query or url.fragment:
        raise Wrong("must end after the host and the port", _PROXY_EXAMPLE)
    return Secret(value)


def has_password(proxy: Secret) -> bool:
    """Whether a proxy's URL carries a user or a password."""
    return "@" in urlsplit(proxy.reveal()).netloc


def exchange_id(value: object) -> str:
    """An exchange's id as text."""
    if isinstance(value, str) and value:
        return value
    raise Wrong(f"is {written(value)}; it must be an exchange's id in quotes")


def exchange_ids(value: object) -> tuple[str, ...]:
    """A list of exchange ids."""
    if isinstance(value, list | tuple):
        return tuple(exchange_id(item) for item in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    fix = f"write [{written(value)}]" if isinstance(value, str) else None
    raise Wrong(f"is {written(value)}; it must be a list of exchange ids", fix)


def fraction(low: float, high: float) -> Parse:
    """A number within `low` and `high`."""

    def parse(value: object) -> object:
        if isinstance(value, str):  # of an environment variable
            try:
                value = float(value)
            except ValueError:
                raise Wrong(f"is {written(value)}; it must be a number between {low:g} and {high:g}") from None
        if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
            return float(value)
        raise Wrong(f"is {written(value)}; it must be a number between {low:g} and {high:g}")

    return parse


def sharing(value: object) -> bool | Secret:
    """true, false, or the URL of a Redis. The URL is never repeated in a message: it may hold a password."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and _leads_to_a_redis(value):
        return Secret(value)
    shown = "a text that is no URL of a Redis" if isinstance(value, str) else written(value)
    raise Wrong(f"is {shown}; it must be true, false or a URL", 'for example "redis://127.0.0.1:6379/0"')


def _leads_to_a_redis(text: str) -> bool:
    """redis and rediss name a host, perhaps a port and the number of a database; unix the path of a socket."""
    try:
        url = urlsplit(text)
        _ = url.port  # ValueError for what is no port
    except ValueError:
        return False
    if url.scheme == "unix":
        return bool(url.path)
    return url.scheme in ("redis", "rediss") and bool(url.hostname) and re.fullmatch(r"/?\d*", url.path) is not None


def name(value: object) -> str:
    """A name of one's own choice."""
    if isinstance(value, str) and re.fullmatch(r"[\w.:-]{1,64}", value):
        return value
    raise Wrong(f"is {written(value)}; it must be a name of letters, digits, '.', ':', '-' and '_' in quotes")


def file_path(value: object) -> str:
    """A path of a file, `~` for the home directory."""
    if isinstance(value, str) and value.strip():
        return str(Path(value).expanduser())
    raise Wrong(f"is {written(value)}; it must be a path in quotes")


def host_names(value: object) -> tuple[str, ...]:
    """Host names; one with a leading dot means all below it, "*" means every host."""
    if isinstance(value, list | tuple):
        return tuple(_host_name(item) for item in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    fix = f"write [{written(value)}]" if isinstance(value, str) else None
    raise Wrong(f"is {written(value)}; it must be a list of host names", fix)


def _host_name(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"\*|\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|[0-9A-Fa-f:]+", value):
        return value.lower()
    raise Wrong(
        f"holds {written(value)}; each must be a host name",
        'for example "api.example.com"; ".example.com" means all hosts below it, "*" all hosts',
    )


def withdrawal_addresses(value: object) -> tuple[str, ...]:
    """Addresses that money may be withdrawn to, each with its tag after a blank where it needs one."""
    if isinstance(value, list | tuple):
        return tuple(_withdrawal_address(item) for item in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    fix = f"write [{written(value)}]" if isinstance(value, str) else None
    raise Wrong(f"is {written(value)}; it must be a list of addresses", fix)


def _withdrawal_address(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[!-~]{4,}( [!-~]+)?", value):
        return value
    raise Wrong(
        f"holds {written(value)}; each must be an address, or an address and its tag with one blank between",
        'for example "0x52908400098527886E0F7030069857D2E4169EE7"',
    )


def ca_path(value: object) -> str:
    """A file of certificates in PEM form, made absolute. It is read here, so that a wrong one is found at once."""
    import ssl  # loads a library that only this needs

    path = Path(file_path(value)).absolute()
    fix = "give the path of a file that begins with -----BEGIN CERTIFICATE-----"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        raise Wrong(f"is {written(value)}, which holds no certificate in PEM form", fix) from None
    except OSError as error:
        raise Wrong(f"is {written(value)}, which cannot be read: {error.strerror}", fix) from None
    return str(path)


def source_address(value: object) -> str:
    """An IP address of this machine."""
    try:
        return str(ipaddress.ip_address(value if isinstance(value, str) else ""))
    except ValueError:
        raise Wrong(f"is {written(value)}; it must be an IP address", 'for example "192.0.2.10"') from None


def command(value: object) -> tuple[str, ...]:
    """A program and its arguments. Not one text: nothing here goes through a shell."""
    items = as_list(value)
    texts = [item for item in items or () if isinstance(item, str) and item]
    if items and len(texts) == len(items):
        return tuple(texts)
    fix = f"write [{written(value)}]" if isinstance(value, str) else None
    raise Wrong(f"is {written(value)}; it must be a list: the program, then its arguments", fix)


def webhook_url(value: object) -> Secret:
    """The URL of a webhook. It is never repeated in a message: who knows it can post there."""
    if isinstance(value, str) and urlsplit(value).scheme in ("http", "https") and urlsplit(value).netloc:
        return Secret(value)
    raise Wrong("is no URL", 'for example "https://alarms.example.org/planar"')


def secret_text(value: object) -> Secret:
    """A token."""
    if isinstance(value, str) and value.strip():
        return Secret(value.strip())
    raise Wrong("is no text; it must be the token in quotes")


def chat(value: object) -> str:
    """The id of a chat: a number, or a name with @."""
    if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
        return str(value).strip()
    raise Wrong(f"is {written(value)}; it must be the id of a chat", 'for example "-1001234567890"')


def table(value: object) -> dict[str, object]:
    """A table, as it is."""
    found = as_table(value)
    if found is None:
        raise Wrong(f"is {written(value)}; it must be a table")
    return found
