"""The commands that stop the market, let it run on, or turn it by hand."""

from __future__ import annotations

from typing import Any

from planar.errors import BadRequest
from planar.venue.steering.bench import Bench, SteeringCommand


class Freeze(SteeringCommand, frozen=True, kw_only=True):
    """Stop the market model: prices and books stand still, clients' orders still trade."""

    everywhere = True

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Stop it."""
        bench.model.frozen = True
        return {"frozen": True}


class Resume(SteeringCommand, frozen=True, kw_only=True):
    """Let a frozen market run on. No trades make up for the time that it stood still; its prices catch up."""

    everywhere = True

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Let it run."""
        bench.model.frozen = False
        return {"frozen": False}


class Step(SteeringCommand, frozen=True, kw_only=True):
    """Let a time pass in a frozen market at once.

    Attributes:
        ms: how much, at least 1.
    """

    everywhere = True

    ms: int

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Let it pass."""
        if self.ms < 1:
            raise BadRequest(f"ms = {self.ms} is no duration", hint="a whole number of milliseconds, at least 1")
        if not bench.model.frozen:
            raise BadRequest(f"the market of {bench.venue} is running", hint="freeze it first")
        bench.model.advance(self.ms)
        return {"frozen": True}
