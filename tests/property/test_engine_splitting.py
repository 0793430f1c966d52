"""Cutting a bar: whatever its numbers, the parts add up to it, down to single trades."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from planar.venue.engine.bars import Bar, flat, merge
from planar.venue.engine.noise import Stream
from planar.venue.engine.splitting import LOTS_PER_TRADE, MIN_TRADES, split, trades_of


@st.composite
def bars(draw):
    low = draw(st.integers(1, 10**7))
    high = low + draw(st.one_of(st.just(0), st.integers(1, 50), st.integers(1, 10**6)))
    trades = draw(st.integers(MIN_TRADES, 1_000))
    spare = draw(st.sampled_from([1, 2, 1_000]))
    buys = LOTS_PER_TRADE * trades * spare + draw(st.integers(0, 1_000))
    sells = LOTS_PER_TRADE * trades * spare + draw(st.integers(0, 1_000))
    prices = st.integers(low, high)

    def quote(lots):
        """Two lots' range away from both ends, which is what a bar promises."""
        return low * lots + 2 * (high - low) + draw(st.integers(0, (high - low) * (lots - 4)))

    return Bar(draw(prices), high, low, draw(prices), trades, buys, quote(buys), sells, quote(sells))


def check(bar):
    """The promises that a bar with trades makes."""
    assert bar.low <= min(bar.open, bar.close)
    assert max(bar.open, bar.close) <= bar.high
    assert bar.trades >= MIN_TRADES
    for lots, quote in ((bar.buy_lots, bar.buy_quote), (bar.sell_lots, bar.sell_quote)):
        assert lots >= LOTS_PER_TRADE * bar.trades
        margin = 2 * (bar.high - bar.low)
        assert bar.low * lots + margin <= quote <= bar.high * lots - margin


@settings(deadline=None, max_examples=150)
@given(bar=bars(), slots=st.sampled_from([5, 12, 24, 60]), seed=st.integers(0, 10**6))
def test_parts_add_up_to_the_whole_and_keep_its_promises(bar, slots, seed):
    check(bar)
    parts = split(bar, slots, Stream(seed))
    assert len(parts) == slots
    assert merge(parts) == bar
    price = bar.open
    for part in parts:
        if part.trades:
            check(part)
            assert part.open == price
            price = part.close
        else:
            assert part == flat(price)


@settings(deadline=None, max_examples=150)
@given(bar=bars(), seed=st.integers(0, 10**6))
def test_single_trades_add_up_to_the_bar(bar, seed):
    trades = trades_of(bar, Stream(seed))
    assert len(trades) == bar.trades
    assert min(lots for _, lots, _ in trades) >= 1
    assert (trades[0][0], trades[-1][0]) == (bar.open, bar.close)
    assert max(price for price, _, _ in trades) == bar.high
    assert min(price for price, _, _ in trades) == bar.low
    bought = [(price, lots) for price, lots, is_buy in trades if is_buy]
    sold = [(price, lots) for price, lots, is_buy in trades if not is_buy]
    for part, lots, quote in ((bought, bar.buy_lots, bar.buy_quote), (sold, bar.sell_lots, bar.sell_quote)):
        assert sum(n for _, n in part) == lots
        assert sum(price * n for price, n in part) == quote


@settings(deadline=None, max_examples=50)
@given(bar=bars(), seed=st.integers(0, 10**6), data=st.data())
def test_a_given_path_is_followed(bar, seed, data):
    inner = data.draw(st.lists(st.integers(bar.low, bar.high), min_size=2, max_size=2))
    path = [bar.open, *inner, bar.close]
    if bar.trades >= 3 * MIN_TRADES:
        parts = split(bar, 3, Stream(seed), path)
        followed = [(part.open, part.close) for part in parts if part.trades]
        assert len(followed) < 3 or followed == list(pairwise(path))
