"""The files that `planar init` writes: every key with its meaning, all of it as comments."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from planar.config.aliases import EXAMPLE_EXCHANGE
from planar.config.discovery import CONFIG_NAME, SECRETS_NAME

_CONFIG = """\
# Planar's settings. Secrets never stand here: they belong in secrets.toml.
# `planar config check` tells what is wrong or doubtful, with line and remedy.

[{id}]
# Where signed calls go. Nothing written: public calls go to live, signed calls are refused.
# environment = "local"      # Planar's own exchange on this machine: play money, no network
# environment = "paper"      # live data, simulated fills, no credentials
# environment = "sandbox"    # the exchange's testnet; sandbox = true and testnet = true mean the same
# environment = "demo"       # the exchange's demo trading
# environment = "live"       # real money

# futures = true             # linear derivatives are the default market type; false refuses them
# leveraged = "from"         # margin: "from" longs may borrow, "to" shorts may, "both"; not written: nobody
# timeout = "10s"            # one call, all in all; a number is milliseconds
# rateLimit = 100            # extra milliseconds between requests; the exchange's own limits always hold
# enableRateLimit = true     # false removes pacing (never the stop after a ban)
# read_only = true           # refuse every call that changes something at the exchange
# dry_run = true             # check and preview every order, send none
# audit = true               # keep a trail of every request that changes something
# durability = "disk"        # an order is on the disk before it is sent: it survives a power failure
# order_entry = "websocket"  # orders over the exchange's socket; "rest"; "auto": the socket for what REST would make wait
# markets_refresh = "60m"    # the markets are loaded again when they are so old; "never": only when the program asks
# reconcile = "report"       # orders at the exchange that the journal has lost: "adopt" takes them in, "cancel" ends them
# withdrawals = false        # true allows withdrawals, and only to:
# withdraw_to = ["0x...", "r... 12345"]   # addresses, a tag after a blank
# allow_unjournaled = false  # true lets orders through exchange.ccxt, past the journal
# verify_ssl = true          # false accepts any certificate
# proxy = "http://127.0.0.1:3128"   # or https://, socks5://, socks5h:// (the proxy resolves names)
# no_proxy = ["api.example.com"]    # reached without the proxy; ".example.com" all below, "*" all
# ca_file = "company-ca.pem"        # certificates trusted besides the usual ones
# source_address = "192.0.2.10"     # the address of this machine that connections leave from
# secrets_mode = "private"   # "mounted" accepts secret files with open modes (containers)
# enabled = true
# primary = true
# backup = false

# [{id}.limits]            # what an account may order; [{id}.limits.NAME] for the account NAME
# max_order_value = "1000 USDT"
# max_open_orders = 20
# max_position = {{ BTC = "0.5" }}
# max_orders_per_minute = 60
# price_collar = "5%"      # how much worse than the market a price may be

# [{id}.paper]             # environment = "paper": how orders are simulated
# balances = {{ USDT = 10000 }}   # what a new account holds
# latency = "50ms"         # how long orders are on their way
# taker = "0.1%"           # fees, if not the exchange's own
# maker = "0.1%"
# data = "live"            # where market data comes from

# [{id}.ccxt]              # passed to CCXT's constructor as it is
# options = {{ adjustForTimeDifference = true }}

# [exchanges]
# default = "{id}"         # used where no exchange is named
# primary = "{id}"
# backup = []
# enabled = ["{id}"]       # only these may be opened

# [workspace]                # for every exchange that does not say otherwise
# environment = "local"
# timeout = "10s"
# proxy = "http://127.0.0.1:3128"
# no_proxy = ["api.example.com"]
# ca_file = "company-ca.pem"
# source_address = "192.0.2.10"
# verify_ssl = true
# audit = true
# durability = "process"
# secrets_mode = "private"

# [budget]                   # how what the exchanges allow is shared
# shared = true              # by all processes of this machine; false: by none; "redis://..." by machines
# reserve = 0.02             # part of each limit that only cancels may use
# share = 1.0                # part of each limit that may be used at all
# address = "office"         # with a Redis: name of the address that this machine's requests leave from

# [alarms]                   # where what you must hear of is told
# log = true                 # the logger planar.alarms
# command = ["notify-me"]    # a program: the alarm as JSON on its standard input
# webhook = "https://alarms.example.org/planar"
# telegram_token_file = "telegram.token"
# telegram_chat = "-1001234567890"

# [venue]                    # the local venue
# port = 0                   # 0 takes a free port
# seed = 1
# shape = "shape.toml"       # how its markets behave
"""

_SECRETS = """\
# Planar's secrets. Keep this file to yourself: mode 0600, in no repository.
# A section is [exchanges.<id>[_<account>][_sandbox|_testnet|_demo|_local]]; without a suffix it is live.
# Credentials of one environment are never used in another.
# Every key also exists with _file: the path of a file that holds the value, relative to this file.
# Create keys without the right to withdraw, bound to your address.

# [exchanges.{id}_sandbox]
# apiKey = ""
# secret = ""

# [exchanges.{id}]
# apiKey = ""
# secret_file = "{id}.pem"   # a private key in PEM form
# passphrase = ""              # where the exchange issues one

# [exchanges.{id}_hedge]     # the account named hedge
# apiKey = ""
# secret = ""

# Further keys: uid, walletAddress, privateKey, accountId, login, twofa.
"""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What `write_init` did.

    Attributes:
        created: files that were written.
        kept: files that existed and were left alone.
    """

    created: tuple[Path, ...]
    kept: tuple[Path, ...]


def config_text(exchange: str = EXAMPLE_EXCHANGE) -> str:
    """A commented `planar.toml`."""
    return _CONFIG.format(id=exchange)


def secrets_text(exchange: str = EXAMPLE_EXCHANGE) -> str:
    """A commented `secrets.toml`."""
    return _SECRETS.format(id=exchange)


def write_init(directory: Path, exchange: str = EXAMPLE_EXCHANGE) -> Written:
    """Write `user/planar.toml`, `user/secrets.toml` (mode 0600) and `user/.gitignore` below `directory`.

    A file that exists is never touched. Where `directory/planar.toml` exists already, the secrets go beside it.

    Raises:
        OSError: a file cannot be written.
    """
    base = directory if (directory / CONFIG_NAME).exists() else directory / "user"
    base.mkdir(parents=True, exist_ok=True)
    files = (
        (base / CONFIG_NAME, config_text(exchange), 0o644),
        (base / SECRETS_NAME, secrets_text(exchange), 0o600),
        (base / ".gitignore", f"{SECRETS_NAME}\n*.pem\n", 0o644),
    )
    created = [path for path, text, mode in files if _create(path, text, mode)]
    return Written(created=tuple(created), kept=tuple(path for path, _, _ in files if path not in created))


def _create(path: Path, text: str, mode: int) -> bool:
    """Write a new file that has its mode from the first byte on; False if there is one already."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        return False
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return True
