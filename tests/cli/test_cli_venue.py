"""The commands against a running `planar venue up`, as a user types them."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

from cli_kit import Here, Home, Ran, Venue, wait_until

from planar.cli import exits

ORDER_KEYS = {"id", "clientOrderId", "symbol", "side", "type", "state", "status", "amount", "price", "filled"}
SOUND = {"ok": True, "problems": []}

Inside = Callable[[Home], Here]


def planar(venue: Venue, *args: str, **environ: str) -> Ran:
    return venue.home.run(*args, **environ)


def test_market_data(venue: Venue, inside: Inside) -> None:
    planar = inside(venue.home).run
    ticker = planar("ticker", "BTC/USDT", "ETH-USDT", "--json").json
    assert [one["symbol"] for one in ticker] == ["BTC/USDT", "ETH/USDT"]
    assert ticker[0]["bid"] < ticker[0]["ask"]
    book = planar("book", "BTCUSDT", "--limit", "3")
    assert book.code == 0
    assert "BTC/USDT, spread" in book.out
    assert len(book.out.strip().splitlines()) == 3 + 4
    wrong = planar("trades", "BTC/USD")
    assert wrong.code == exits.REFUSED
    assert wrong.err == "planar: binance: there is no market 'BTC/USD'\n  -> did you mean BTC/USDT?\n"


def test_keys_are_a_keys_file(venue: Venue, inside: Inside) -> None:
    planar = inside(venue.home).run
    keys = planar("venue", "keys", "--json").json
    assert list(keys) == ["binance"]
    first = keys["binance"]
    assert set(first) == {"account", "apiKey", "secret", "accounts"}
    assert len(first["apiKey"]) == len(first["secret"]) == 64
    names = [account["account"] for account in first["accounts"]]
    assert names == ["alice", "bob", "carol"]
    assert {name: first[name] for name in ("account", "apiKey", "secret")} == {
        name: first["accounts"][0][name] for name in ("account", "apiKey", "secret")
    }


def test_live_orders_are_told_one_by_one(venue: Venue) -> None:
    order = planar(venue, "order", "buy", "BTC/USDT", "0.01", "--price", "20000", "--yes", "--json").json
    told = planar(venue, "orders", "BTC/USDT", "--live", "--seconds", "1", "--json").out.splitlines()
    assert order["id"] in [json.loads(line)["id"] for line in told]
    assert f"{order['id']} buy 0.01 BTC/USDT" in planar(venue, "orders", "--live", "--seconds", "1").out
    planar(venue, "cancel", "BTC/USDT", order["id"])


def test_the_life_of_an_order(venue: Venue) -> None:
    look = planar(venue, "order", "buy", "BTC/USDT", "0.01", "--price", "20000", "--dry-run", "--json").json
    assert (look["sent"], look["environment"], look["value"], look["takes"]) == (False, "local", "200.00", False)
    asked = planar(venue, "order", "buy", "BTC/USDT", "0.01", "--price", "20000")
    assert asked.code == exits.USAGE
    assert "add --yes to send it" in asked.err
    assert "binance (local)" in asked.out
    assert "200 USDT" in asked.out
    order = planar(venue, "order", "buy", "BTC/USDT", "0.01", "--price", "20000", "--yes", "--json").json
    assert set(order) >= ORDER_KEYS
    assert (order["state"], order["amount"], order["price"]) == ("open", "0.01", "20000")
    mine = [one for one in planar(venue, "orders", "BTC/USDT", "--json").json if one["id"] == order["id"]]
    assert mine[0]["clientOrderId"] == order["clientOrderId"]
    canceled = planar(venue, "cancel", "BTC/USDT", order["clientOrderId"])
    assert canceled.code == 0
    assert "1 canceled" in canceled.out
    again = planar(venue, "cancel", "BTC/USDT", order["id"], "--json")
    assert (again.code, again.error["class"]) == (exits.REFUSED, "OrderNotFound")


def test_an_intent_is_ordered_once(venue: Venue, inside: Inside) -> None:
    planar = inside(venue.home).run
    args = ("order", "sell", "BTC/USDT", "0.01", "--market", "--yes", "--json", "--intent", "once")
    first, second = planar(*args).json, planar(*args).json
    assert (first["state"], first["clientOrderId"]) == ("filled", second["clientOrderId"])
    fills = planar("venue", "ledger", "fills", "--client-id", first["clientOrderId"], "--json").json["fills"]
    assert [(fill["amount"], fill["side"]) for fill in fills] == [("0.01", "sell")]


def test_refusals_say_what_became_of_the_order(venue: Venue, inside: Inside) -> None:
    planar = inside(venue.home).run
    poor = planar("order", "buy", "BTC/USDT", "80", "--price", "60000", "--yes")
    assert poor.code == exits.REFUSED
    assert "the exchange refused it; nothing was ordered" in poor.err
    uneven = planar("order", "buy", "BTC/USDT", "0.0000001", "--price", "60000", "--yes")
    assert uneven.code == exits.REFUSED
    assert "lot size" in uneven.err
    assert "nothing was sent" in uneven.err


def test_a_swallowed_answer_is_found_out(venue: Venue, inside: Inside) -> None:
    planar = inside(venue.home).run
    rule = ("--method", "POST", "--path", "/api/v3/order")
    assert planar("venue", "fault", "add", "drop-answer", *rule).code == 0
    ran = planar("order", "buy", "BTC/USDT", "0.001", "--market", "--yes", "--json")
    assert (ran.code, ran.json["state"]) == (exits.OK, "filled")
    listed = planar("venue", "fault", "list", "--json").json
    assert [(one["seen"], one["fired"]) for one in listed["rules"]] == [(1, 1)]
    assert planar("venue", "fault", "clear", "--json").json == {"cleared": 1}


def test_an_order_that_nobody_tells_about_has_a_code_of_its_own(venue: Venue) -> None:
    for kind, method in (("hang-answer", "POST"), ("drop-answer", "GET")):
        rule = ("--method", method, "--path", "/api/v3/order", "--count", "1000")
        assert planar(venue, "venue", "fault", "add", kind, *rule).code == 0
    args = ("order", "buy", "BTC/USDT", "0.001", "--price", "20000", "--yes", "--json")
    unknown = planar(venue, *args, PLANAR__BINANCE__TIMEOUT="300")
    assert (unknown.code, unknown.error["class"]) == (exits.UNKNOWN, "OrderUnknown")
    client_id = unknown.error["client_order_id"]
    assert "do not send it again" in unknown.error["hint"]
    assert planar(venue, "venue", "fault", "clear").code == 0
    assert planar(venue, "order", "show", "BTC/USDT", client_id, "--json").json["state"] == "open"
    assert planar(venue, "cancel", "BTC/USDT", "--all", "--yes").code == 0


def test_watching(venue: Venue) -> None:
    """One exchange's error does not stop the other's data."""
    args = (
        "BTC/USDT",
        "--exchange",
        "binance,krakken",
        "--channels",
        "book",
        "--depth",
        "2",
        "--seconds",
        "1",
        "--json",
    )
    ran = planar(venue, "watch", *args)
    assert ran.code == 0
    error, *lines = ran.lines
    assert error["error"]["hint"] == "did you mean kraken?"
    assert len(lines) > 3
    assert {(one["exchange"], one["channel"], one["state"]) for one in lines} == {("binance", "book", "live")}
    assert {len(one["data"]["bids"]) for one in lines} == {2}


def test_steering_the_venue(venue: Venue, inside: Inside) -> None:
    planar = inside(venue.home).run
    assert planar("venue", "market", "freeze", "--json").json == {"binance": {"frozen": True}}
    assert planar("venue", "market", "step", "--ms", "1000").code == 0
    assert planar("venue", "market", "resume", "--json").json == {"binance": {"frozen": False}}
    running = planar("venue", "market", "step", "--ms", "1")
    assert (running.code, "freeze it first" in running.err) == (exits.REFUSED, True)
    held = planar("venue", "balance", "carol", "USDT", "12.5", "--json").json
    assert (held["account"], held["free"]) == ("carol", "12.5")
    check = planar("venue", "ledger", "--json")
    assert (check.code, check.json) == (0, {"ok": True, "problems": []})
    bad = planar("venue", "fault", "add", "delay-answer")
    assert (bad.code, "delay_ms" in bad.err) == (exits.USAGE, True)


def test_the_ledger_testifies(venue: Venue, inside: Inside, tmp_path: Path) -> None:
    planar = inside(venue.home).run
    rule = ("--method", "POST", "--path", "/api/v3/order", "--id", "swallow")
    assert planar("venue", "fault", "add", "drop-answer", *rule).code == 0
    assert planar("ticker", "BTC/USDT").code == 0
    since = planar("venue", "ledger", "requests", "--limit", "1", "--json").json["requests"][-1]["id"]
    order = planar("order", "buy", "BTC/USDT", "0.001", "--market", "--yes", "--json").json
    asked = ("venue", "ledger", "requests", "--since-id", str(since), "--client-id", order["clientOrderId"])
    lost, *found = planar(*asked, "--json").json["requests"]
    assert (lost["method"], lost["client_id"], lost["verdict"]) == ("POST", order["clientOrderId"], "done")
    assert (lost["sent"], lost["faults"]) == (None, ["swallow (drop_answer)"])
    assert {one["method"] for one in found} == {"GET"}
    text = planar(*asked).out
    assert "swallow (drop_answer)" in text
    assert "HTTP requests" in text
    assert "REQUEST_WEIGHT 1M" in planar("venue", "ledger", "meters").out
    assert planar("venue", "balance", "carol", "ETH", "3").code == 0
    told = planar("venue", "ledger", "commands", "--json").json["commands"][-1]["command"]
    assert told == {"action": "set_balance", "account": "carol", "asset": "ETH", "free": "3"}
    assert "account carol, asset ETH, free 3" in planar("venue", "ledger", "commands").out
    assert planar("venue", "ledger", "violations").out.startswith("0 violations ever")
    refused = planar("venue", "ledger", "requests", "--asset", "BTC")
    assert (refused.code, "does not restrict requests" in refused.err) == (exits.REFUSED, True)
    account = planar("venue", "keys", "--json").json["binance"]["account"]
    belief = {"state": "filled", "filled": "0.001", "order_id": order["id"]}
    history = tmp_path / "history.jsonl"
    operations = [
        {"kind": "create", "client_id": name, "symbol": "BTC/USDT", "result": "ok", **belief}
        for name in (order["clientOrderId"], "invented")
    ]
    history.write_text("".join(json.dumps(one) + "\n" for one in operations))
    judged = planar("venue", "check", str(history), "--account", account, "--since-ms", str(lost["ts_ms"]), "--json")
    assert (judged.code, judged.json["seed"]) == (exits.REFUSED, 1)
    assert [(one["problem"], one["client_id"]) for one in judged.json["findings"]] == [("lost", "invented")]
    assert planar("venue", "fault", "clear").code == 0


def test_one_venue_at_a_time(venue: Venue) -> None:
    second = planar(venue, "venue", "up")
    assert second.code == exits.REFUSED
    assert "running already" in second.err
    told = planar(venue, "venue", "up", "--json")
    assert (told.code, told.err, told.error["class"]) == (exits.REFUSED, "", "VenueUnavailable")
    assert "running already" in told.error["message"]
    status = planar(venue, "venue", "status", "--json").json
    assert status["instance"] == venue.record["instance"]
    other = Home(venue.home.path / "tmp")
    taken = other.run("venue", "up", "--port", str(venue.record["port"]))
    assert (taken.code, "cannot be used" in taken.err) == (exits.REFUSED, True)
    strange = other.run("venue", "up", "--venues", "krakken", "--json")
    assert (strange.code, strange.error["class"]) == (exits.USAGE, "ConfigError")
    for path in sorted(other.path.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def test_an_interrupted_watch_leaves_nothing(home: Home) -> None:
    """Without a running venue a private one is started; Ctrl-C ends both."""
    args = ("watch", "BTC/USDT", "-e", "binance", "--environment", "local", "--channels", "book")
    process = home.start(*args)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("binance BTC/USDT  bid ")
    assert home.leftovers() != []
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == exits.INTERRUPTED
    assert "Traceback" not in err
    assert "started for this command alone" in err
    wait_until(lambda: home.leftovers() == [])


def test_two_exchanges_and_none_named(home: Home, inside: Inside) -> None:
    """Reading asks each exchange; what changes one wants its name."""
    planar = inside(home).run
    started = Venue(home, "--bind", "127.0.0.2", venues="binance,kraken")
    try:
        assert started.record["address"] == "127.0.0.2"
        assert f"http://127.0.0.2:{started.record['port']}" in planar("venue", "status").out
        both = planar("venue", "ledger", "--json")
        assert (both.code, both.json) == (0, {"binance": SOUND, "kraken": SOUND})
        shown = planar("venue", "ledger", "orders", "--limit", "2").out.splitlines()
        assert [line for line in shown if line in ("binance", "kraken")] == ["binance", "kraken"]
        assert sum(line.startswith("2 orders") for line in shown) == 2
        assert planar("venue", "ledger", "check", "--venue", "kraken", "--json").json == SOUND
        unnamed = planar("venue", "balance", "carol", "USDT", "5")
        assert unnamed.code == exits.REFUSED
        assert "several exchanges run here\n  -> add --venue" in unnamed.err
    finally:
        started.interrupt()
