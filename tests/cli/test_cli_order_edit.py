"""`planar order edit`: a preview that says how, and the change."""

from __future__ import annotations

from cli_kit import Venue

FAR = ("BTC/USDT", "0.002", "--price", "20000", "--yes")


def test_a_preview_changes_nothing_and_the_change_is_shown(venue: Venue) -> None:
    ordered = venue.home.run("order", "buy", *FAR, "--json")
    assert ordered.code == 0, ordered
    order_id, name = ordered.json["id"], ordered.json["clientOrderId"]
    seen = venue.home.run("order", "edit", "BTC/USDT", order_id, "--amount", "0.001", "--preview")
    assert seen.code == 0, seen
    assert "in place" in seen.out
    assert "keeps its place in the queue" in seen.out
    assert "buy 0.002 BTC/USDT at 20000" in seen.out
    assert venue.home.run("order", "show", "BTC/USDT", order_id, "--json").json["amount"] == "0.002"
    changed = venue.home.run("order", "edit", "BTC/USDT", name, "--amount", "0.001", "--yes", "--json")
    assert changed.code == 0, changed
    assert (changed.json["id"], changed.json["amount"]) == (order_id, "0.001")
    other = venue.home.run("order", "edit", "BTC/USDT", order_id, "--price", "20001", "--preview", "--json").json
    assert (other["how"], other["before"]["amount"], other["order"]["price"]) == ("replace", "0.001", "20001")
    journaled = venue.home.run("journal", "show", "--order", name, "--json").json["events"]
    kinds = [event["kind"] for event in journaled if event.get("action") == "amend" or event["kind"] == "amending"]
    assert kinds == ["amending", "sending", "acked"]
    nothing = venue.home.run("order", "edit", "BTC/USDT", order_id)
    assert nothing.code != 0
    assert "nothing is to be changed" in nothing.err
