"""What public streams share: the number that was overtaken, the candle that the next one closes, the forgetting."""

from __future__ import annotations

from decimal import Decimal

from exchanges.port import StreamDown, StreamUp
from exchanges.session.market_half import Newest, RunningCandles, forgetting
from risk.candle import Candle

MINUTE_MS = 60_000


def candle(minute: int, close: int = 100, *, is_closed: bool = False, symbol: str = "ETHUSDT") -> Candle:
    price = Decimal(close)
    return Candle(
        symbol=symbol,
        open_ms=minute * MINUTE_MS,
        close_ms=(minute + 1) * MINUTE_MS - 1,
        open=price,
        high=price,
        low=price,
        close=price,
        volume=Decimal(1),
        is_closed=is_closed,
    )


def test_a_candle_is_closed_by_the_next_one_as_it_was_last_told() -> None:
    running = RunningCandles()
    assert running.take(candle(1, 100)) == (candle(1, 100),)
    assert running.take(candle(1, 105)) == (candle(1, 105),)
    assert running.take(candle(2)) == (candle(1, 105, is_closed=True), candle(2))


def test_a_candle_that_was_told_as_closed_is_not_closed_again() -> None:
    running = RunningCandles()
    running.take(candle(1, is_closed=True))
    assert running.take(candle(2)) == (candle(2),)


def test_a_late_candle_closes_nothing_and_does_not_run_again() -> None:
    running = RunningCandles()
    running.take(candle(2))
    assert running.take(candle(1)) == ()
    assert running.take(candle(3)) == (candle(2, is_closed=True), candle(3))


def test_a_candle_that_its_successor_closed_is_not_told_as_running_again() -> None:
    running = RunningCandles()
    running.take(candle(1, 100))
    running.take(candle(2))
    assert running.take(candle(1, 101)) == ()
    assert running.take(candle(1, 102, is_closed=True)) == (candle(1, 102, is_closed=True),)


def test_a_candle_that_the_venue_closed_is_not_told_as_running_again() -> None:
    running = RunningCandles()
    running.take(candle(1, 102, is_closed=True))
    assert running.take(candle(1, 101)) == ()


def test_each_symbol_has_a_running_candle_and_its_stream_forgets_only_that() -> None:
    running = RunningCandles()
    running.take(candle(1))
    running.take(candle(1, symbol="BTCUSDT"))
    running.forget("candle/ETHUSDT")
    assert running.take(candle(2)) == (candle(2),)
    assert running.take(candle(2, symbol="BTCUSDT")) == (
        candle(1, is_closed=True, symbol="BTCUSDT"),
        candle(2, symbol="BTCUSDT"),
    )


def test_a_number_is_taken_once_and_none_before_it() -> None:
    newest = Newest()
    assert [newest.takes("quote/A", number) for number in (5, 5, 4, 6, 1)] == [True, False, False, True, False]
    assert newest.takes("quote/B", 1)


def test_a_venue_that_counts_anew_is_followed_once() -> None:
    newest = Newest(first_number=1)
    assert [newest.takes("quote/A", number) for number in (7, 1, 1, 2, 2)] == [True, True, False, True, False]


async def test_a_stream_forgets_before_its_state_is_told() -> None:
    newest, told = Newest(), []

    async def announce(event: StreamUp | StreamDown) -> None:
        told.append((event.name, newest.takes(event.name, 1)))

    newest.takes("quote/A", 9)
    newest.takes("quote/B", 9)
    await forgetting(newest.forget, announce)(StreamDown(name="quote/A", reason="gone"))
    assert told == [("quote/A", True)]
    assert not newest.takes("quote/B", 1)
