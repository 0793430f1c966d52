"""Checks of all credentials together: halves of different keys, one key in two environments."""

from __future__ import annotations

import msgspec

from planar.config.credentials import section_name
from planar.config.findings import Findings, Place
from planar.config.schema import Environment
from planar.config.secret_type import Secret


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """One credential as it was found.

    Attributes:
        secret: the value.
        place: where it was written.
        variable: True when it comes from an environment variable.
    """

    secret: Secret
    place: Place
    variable: bool = False


SectionKey = tuple[str, str, Environment]
"""Exchange, account, environment."""

Sections = dict[SectionKey, dict[str, Given]]
"""Credentials by section and CCXT's name, in the order of writing."""

_PAIR = ("apiKey", "secret")


def check_mixtures(sections: Sections, findings: Findings) -> None:
    """Warn when one half of a key comes from a variable and the other from the file: they are easily of two keys."""
    for key, given in sections.items():
        pair = [given[name] for name in _PAIR if name in given]
        if len(pair) == 2 and pair[0].variable != pair[1].variable:
            text = f"apiKey of [exchanges.{section_name(*key)}] comes from {pair[0].place}, secret from {pair[1].place}"
            findings.warn("mixed-origins", text, at=pair[0].place, fix="give both in the same place")


def check_same_key(sections: Sections, findings: Findings) -> None:
    """An API key is valid in one environment: in two sections of one exchange, one of them is wrong."""
    seen: list[tuple[SectionKey, Given]] = []
    for key, given in sections.items():
        one = given.get("apiKey")
        if one is None:
            continue
        for other_key, other in seen:
            if other_key[0] != key[0] or other.secret != one.secret:
                continue
            here, there = section_name(*key), section_name(*other_key)
            if other_key[2] != key[2]:
                text = f"[exchanges.{here}] and [exchanges.{there}] ({other.place}) have the same apiKey"
                fix = f"a key of {key[2]} is never one of {other_key[2]}: remove it from the wrong section"
                findings.error("wrong-environment", text, at=one.place, fix=fix)
            else:
                text = f"the accounts [exchanges.{here}] and [exchanges.{there}] ({other.place}) have the same apiKey"
                findings.warn("same-key", text, at=one.place, fix="keep one of them")
        seen.append((key, one))
