"""`planar reconcile`: where the journal and the exchange differ."""

from __future__ import annotations

from cli_kit import Venue

FAR = ("BTC/USDT", "0.001", "--price", "20000", "--yes")


def test_nothing_differs_and_other_orders_are_left_alone(venue: Venue) -> None:
    assert venue.home.run("order", "buy", *FAR).code == 0
    shown = venue.home.run("reconcile", "binance")
    assert shown.code == 0, shown
    assert "no differences; 1 open orders of this journal" in shown.out
    document = venue.home.run("reconcile", "--json").json[0]
    assert (document["differences"], document["failed"], document["read_only"]) == ([], [], False)
    assert document["foreign"] > 0


def test_an_order_that_the_journal_has_lost_is_shown_previewed_and_canceled(venue: Venue) -> None:
    (path,) = (venue.home.path / "state" / "journal").rglob("*.db")
    copy = path.read_bytes()
    ordered = venue.home.run("order", "buy", *FAR, "--json")
    name = ordered.json["clientOrderId"]
    path.write_bytes(copy)

    shown = venue.home.run("reconcile")
    assert shown.code == 4
    assert "orphan" in shown.out
    assert name in shown.out
    preview = venue.home.run("reconcile", "--policy", "cancel", "--dry-run", "--json")
    assert preview.code == 4
    (found,) = preview.json[0]["differences"]
    assert (found["kind"], found["client_id"], found["action"]) == ("orphan", name, "would be canceled")
    assert name in venue.home.run("orders", "--json").out

    done = venue.home.run("reconcile", "--policy", "cancel", "--json")
    assert (done.code, done.json[0]["differences"][0]["action"]) == (4, "canceled")
    assert name not in venue.home.run("orders", "--json").out
    assert venue.home.run("reconcile").code == 0


def test_a_part_that_is_not_answered_is_an_exit_code_of_its_own(venue: Venue) -> None:
    fault = (
        "venue",
        "fault",
        "add",
        "refuse-request",
        "--path",
        "/api/v3/account",
        "--status",
        "503",
        "--body",
        "down",
    )
    added = venue.home.run(*fault, "--count", "100")
    assert added.code == 0, added
    shown = venue.home.run("reconcile")
    assert venue.home.run("venue", "fault", "clear").code == 0
    assert shown.code == 1, shown
    assert "balances" in shown.out
