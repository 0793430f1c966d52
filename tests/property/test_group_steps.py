"""Linked orders that this program links: whatever happens at the venue, and whenever the program dies, the pair ends, and
nothing is done on a guess."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from planar.models import Amount, OrderState
from planar.models.groups import Role
from planar.orders.group_steps import Leg, next_step

NONE, ONE = Amount(0), Amount(1)
OPEN, FILLED, CANCELED = OrderState.OPEN, OrderState.FILLED, OrderState.CANCELED
HAPPENINGS = ("nothing", "fill stop_loss", "fill take_profit", "part stop_loss", "part take_profit", "cancel stop_loss")
HAPPENINGS += ("cancel take_profit", "lose", "refuse", "unsent", "restart")


def leg(state: OrderState, filled: Amount = NONE, *, never: bool = False, refused: bool = False) -> Leg:
    return Leg("x", state, filled, never, refused)


class World:
    """Two exits at a venue, as far as the program may know them."""

    def __init__(self, legs: dict[Role, Leg], contingency: str) -> None:
        self.legs = legs
        self.contingency = contingency
        self.sends = 0

    def happen(self, what: str) -> None:
        word, _, name = what.partition(" ")
        role: Role = "take_profit" if name == "take_profit" else "stop_loss"
        found = self.legs.get(role)
        if found is None or found.state is not OPEN:
            return
        if word == "fill":
            self.legs[role] = leg(FILLED, ONE)
        elif word == "part":
            self.legs[role] = leg(OPEN, ONE / 2)
        elif word == "cancel":
            self.legs[role] = leg(CANCELED, found.filled)

    def send(self, role: Role, what: str) -> None:
        self.sends += 1
        other = self.legs.get("stop_loss" if role == "take_profit" else "take_profit")
        assert other is None or not other.traded, "an exit was sent though the other had traded"
        known = self.legs.get(role)
        assert known is None or known.never, "an order was sent again that may exist"
        results = {
            "lose": leg(OrderState.UNKNOWN),
            "refuse": leg(OrderState.REJECTED, refused=True),
            "unsent": leg(OrderState.REJECTED, never=True),
        }
        self.legs[role] = results.get(what, leg(OPEN))


@given(
    st.sampled_from(["oco", "bracket"]),
    st.lists(st.tuples(st.sampled_from(HAPPENINGS), st.sampled_from(HAPPENINGS)), max_size=30),
    st.sampled_from(["both", "first", "none"]),
)
def test_a_pair_ends_whatever_happens(contingency: str, happenings: list[tuple[str, str]], begun: str) -> None:
    """Each step comes with what becomes of it, and with what happens at the venue before the next one."""
    legs: dict[Role, Leg] = {}
    if contingency == "bracket":
        legs["entry"] = leg(FILLED, ONE)
    if begun != "none":
        legs["stop_loss"] = leg(OPEN)
        legs["take_profit"] = leg(OPEN) if begun == "both" else leg(OrderState.REJECTED, never=True)
    elif contingency == "oco":
        legs["stop_loss"] = legs["take_profit"] = leg(OrderState.REJECTED, never=True)
    world, queue = World(legs, contingency), iter(happenings)
    for _ in range(200):
        what, meanwhile = next(queue, ("end", "nothing"))
        step = next_step(contingency, world.legs)  # type: ignore[arg-type]
        if step.do == "done":
            break
        if step.do == "send":
            assert step.role is not None
            world.send(step.role, what)
        elif step.do == "cancel":
            # only one order stands, or the other is the one that is kept: it is the one that is canceled
            roles = [role for role in ("stop_loss", "take_profit") if (one := world.legs.get(role)) and one.live]
            target = next(role for role in roles if not world.legs[role].traded)
            world.legs[target] = leg(FILLED, ONE) if what.startswith("fill") else leg(CANCELED)
        else:
            unknown = [role for role, one in world.legs.items() if one.state is OrderState.UNKNOWN]
            for role in unknown:  # the resolver finds out, one way or the other
                world.legs[role] = leg(OPEN) if what != "unsent" else leg(OrderState.NEVER_ACCEPTED, never=True)
            world.happen("fill take_profit" if what == "end" else what)
            if what == "end":
                world.happen("fill stop_loss")
        world.happen(meanwhile)
    else:
        raise AssertionError(f"it does not end: {world.legs}")
    live = [role for role, one in world.legs.items() if one.live and not one.traded]
    refused = [role for role, one in world.legs.items() if one.refused]
    # what still stands is the exit of a bracket whose partner the venue refused, and somebody is told
    assert not live or (contingency == "bracket" and refused and step.alarm)
    traded = [role for role, one in world.legs.items() if role != "entry" and one.traded]
    assert (len(traded) == 2) == (step.note == "both exits traded")


def test_nothing_is_done_while_an_order_is_unknown() -> None:
    for other in (leg(OPEN), leg(FILLED, ONE), leg(CANCELED), leg(OPEN, ONE)):
        for state in (OrderState.UNKNOWN, OrderState.PENDING):
            assert next_step("oco", {"stop_loss": leg(state), "take_profit": other}).do == "wait"


def test_an_entry_without_a_fill_starts_nothing() -> None:
    assert next_step("bracket", {"entry": leg(OPEN)}).do == "wait"
    assert next_step("bracket", {"entry": leg(OPEN, ONE / 2)}).do == "wait"
    assert next_step("bracket", {"entry": leg(CANCELED)}).do == "done"
    assert next_step("bracket", {"entry": leg(OrderState.REJECTED, refused=True)}).do == "done"
    assert next_step("bracket", {"entry": leg(CANCELED, ONE / 2)}).role == "stop_loss"


def test_a_part_that_has_traded_voids_the_other_and_is_followed_by_nothing() -> None:
    part, never = leg(OPEN, ONE / 2), leg(OrderState.REJECTED, never=True)
    for one, other in (("stop_loss", "take_profit"), ("take_profit", "stop_loss")):
        assert next_step("oco", {one: part, other: leg(OPEN)}).do == "cancel"  # type: ignore[dict-item]
        assert next_step("oco", {one: part, other: never}).do == "wait"  # type: ignore[dict-item]
        assert next_step("oco", {one: part, other: leg(CANCELED)}).do == "wait"  # type: ignore[dict-item]


def test_what_is_closing_sends_nothing_more() -> None:
    legs: dict[Role, Leg] = {"stop_loss": leg(OPEN), "take_profit": leg(OrderState.REJECTED, never=True)}
    assert next_step("oco", legs).do == "send"
    assert next_step("oco", legs, closing=True).do == "cancel"
