"""Stream names mean what the venue's documents say."""

from __future__ import annotations

import pytest

from exchanges.sim.binance.stream_names import Root, StreamName, Topic, parse_stream


@pytest.mark.parametrize(
    ("name", "topic", "root"),
    [
        ("ethusdt@bookTicker", Topic.BOOK_TICKER, Root.PUBLIC),
        ("!bookTicker", Topic.BOOK_TICKER, Root.PUBLIC),
        ("ethusdt@depth", Topic.DEPTH, Root.PUBLIC),
        ("ethusdt@depth20@100ms", Topic.DEPTH, Root.PUBLIC),
        ("ethusdt@aggTrade", Topic.AGGREGATE_TRADE, Root.MARKET),
        ("ethusdt@kline_1s", Topic.KLINE, Root.MARKET),
        ("ethusdt@markPrice@1s", Topic.MARK_PRICE, Root.MARKET),
        ("!markPrice@arr@1s", Topic.MARK_PRICE, Root.MARKET),
        ("ethusdt@miniTicker", Topic.MINI_TICKER, Root.MARKET),
        ("!ticker@arr", Topic.TICKER, Root.MARKET),
    ],
)
def test_a_stream_has_a_topic_and_the_topic_a_root(name: str, topic: Topic, root: Root) -> None:
    stream = parse_stream(name)

    assert stream is not None
    assert (stream.name, stream.topic, stream.topic.root) == (name, topic, root)


def test_a_depth_stream_tells_levels_and_speed() -> None:
    assert parse_stream("ethusdt@depth5@500ms") == StreamName(
        name="ethusdt@depth5@500ms", topic=Topic.DEPTH, symbol="ETHUSDT", levels=5, speed_ms=500
    )


@pytest.mark.parametrize("name", ["ETHUSDT@bookTicker", "ethusdt", "ethusdt@kline_7m", "ethusdt@kline", "x@depth7", ""])
def test_other_names_are_no_streams(name: str) -> None:
    assert parse_stream(name) is None
