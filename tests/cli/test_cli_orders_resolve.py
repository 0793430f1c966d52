"""`planar orders resolve`: a decision about an unknown order, journaled; only about one."""

from __future__ import annotations

from cli_kit import Venue

FAR = ("BTC/USDT", "0.001", "--price", "20000", "--yes")


def test_only_an_unknown_order_is_decided_and_the_list_of_orders_stays(venue: Venue) -> None:
    ordered = venue.home.run("order", "buy", *FAR, "--json")
    assert ordered.code == 0, ordered
    name = ordered.json["clientOrderId"]
    refused = venue.home.run("orders", "resolve", "binance", name, "--as", "canceled", "--reason", "seen", "--yes")
    assert refused.code != 0
    assert "is no unknown order" in refused.err
    unasked = venue.home.run("orders", "resolve", "binance", name, "--as", "canceled", "--reason", "seen")
    assert "--yes" in unasked.err
    assert unasked.code != 0
    assert name in venue.home.run("orders", "BTC/USDT", "--json").out
