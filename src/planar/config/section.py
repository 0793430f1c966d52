"""Names of credential sections: `binance_main_sandbox` is the account `main` of binance in its sandbox.

The same names, in upper case, begin the credential variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from planar.config.aliases import ALIASES
from planar.config.credentials import section_name
from planar.config.findings import Findings, Place
from planar.config.layers import Ids
from planar.config.schema import Environment

_SUFFIXES: dict[str, Environment] = {"sandbox": "sandbox", "testnet": "sandbox", "demo": "demo", "local": "local"}
_WORDS = {*_SUFFIXES, "live", "paper", "prod", "production", "mainnet", "real", "test"}


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """What a section's name says: exchange (alias resolved), account ("" is the unnamed one), environment."""

    exchange: str
    account: str
    environment: Environment


def parse_section(name: str, ids: Ids, own_ids: Iterable[str], at: Place, findings: Findings) -> Section | None:
    """The section that `name` means; None, with an error, if it means none.

    Args:
        name: without `exchanges.`.
        ids: the ids that exist.
        own_ids: further ids, from `planar.toml`; they may hold underscores.
        at: where the name stands.
        findings: gets what is wrong.
    """
    if name != name.lower():
        findings.error(
            "section-name", f"[exchanges.{name}] has capitals", at=at, fix=f"write [exchanges.{name.lower()}]"
        )
        return None
    if not re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name):
        fix = "the form is <id>[_<account>][_sandbox|_testnet|_demo|_local], of letters, digits and _"
        findings.error("section-name", f"[exchanges.{name}] names no credentials", at=at, fix=fix)
        return None
    every_id = sorted({*(ids.known or ()), *own_ids, *ALIASES}, key=len, reverse=True)
    written = next((one for one in every_id if name == one or name.startswith(f"{one}_")), name.split("_")[0])
    exchange = ids.resolve(written, at, findings)
    if exchange is None:
        return None
    parts = name[len(written) + 1 :].split("_")
    environment = _SUFFIXES.get(parts[-1])
    account = "_".join(parts[:-1] if environment else parts)
    section = Section(exchange=exchange, account=account, environment=environment or "live")
    return section if _good_account(name, section, every_id, at, findings) else None


def _good_account(name: str, section: Section, every_id: list[str], at: Place, findings: Findings) -> bool:
    account = section.account
    word = next((part for part in account.split("_") if part in _WORDS), None)
    if word is not None:
        rest = "_".join(part for part in account.split("_") if part != word)
        if word in ("live", "prod", "production", "mainnet", "real"):
            fix = f"live credentials have no suffix: [exchanges.{section_name(section.exchange, rest, 'live')}]"
        elif word == "paper":
            fix = "remove it: paper needs no credentials"
        else:
            right = section_name(section.exchange, rest, _SUFFIXES.get(word, "sandbox"))
            fix = f"the environment comes last: [exchanges.{right}]"
        text = f'[exchanges.{name}]: "{word}" is an environment and cannot be part of an account\'s name'
        findings.error("account-name", text, at=at, fix=fix)
        return False
    if account in every_id:
        text = f'[exchanges.{name}]: "{account}" is an exchange and cannot be an account\'s name'
        fix = f"choose another name, or write [exchanges.{account}] for the credentials of {account}"
        findings.error("account-name", text, at=at, fix=fix)
        return False
    return True
