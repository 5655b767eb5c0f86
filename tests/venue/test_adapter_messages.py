"""Messages that no sound venue sends: nothing is believed, nothing dies in silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from exchanges.binance import wire_orders
from exchanges.errors import OutcomeUnknown
from exchanges.port import ConfigurationChanged, StreamDown, StreamUp, TradingVenue
from grid.order import OrderUpdate, Quote
from tests.unit.binance_messages import order_event, order_reply
from tests.venue.adapter_rig import approved, eventually, market, of, settings, trading, until
from tests.venue.scripted_venue import ScriptedVenue, book_frame, scripted


@pytest.fixture
async def venue() -> AsyncIterator[ScriptedVenue]:
    async with scripted() as started:
        yield started


@pytest.fixture
async def desk(venue: ScriptedVenue) -> AsyncIterator[TradingVenue]:
    async with trading(settings(venue.rest_url, venue.ws_url), over_socket=False) as connected:
        yield connected


def event(trade_id: int, **changes: object) -> bytes:
    return orjson.dumps(order_event(t=trade_id, **changes))


BROKEN = [
    (b'{"e": "ORDER_TRADE_UPDATE", "o": {"s": "ETHUSDT"', "no JSON"),
    (b"[1, 2]", "expected an object"),
    (b"{}", "without its kind"),
    (event(1, L="2996.005"), "o.L"),
    (event(1, X="HALF"), "unknown order status"),
    (event(1, s="NOPEUSDT"), "no instrument NOPEUSDT"),
]


@pytest.mark.parametrize(("frame", "words"), BROKEN, ids=[words for _, words in BROKEN])
async def test_a_broken_private_message_brings_the_stream_down_by_name_and_up_again(
    venue: ScriptedVenue, desk: TradingVenue, frame: bytes, words: str
) -> None:
    venue.frames.extend([[event(1), frame, event(2)], [event(3)]])
    events = desk.private_events()
    first = await until(events, of(StreamDown))
    second = await until(events, of(OrderUpdate))
    await events.aclose()

    assert [type(one) for one in first] == [StreamUp, OrderUpdate, StreamDown]
    assert words in first[-1].reason
    assert isinstance(second[0], StreamUp)
    assert second[-1].fill is not None
    assert second[-1].fill.trade_id == "3"


async def test_kinds_that_we_have_no_use_for_are_counted_and_passed_over(
    venue: ScriptedVenue, desk: TradingVenue
) -> None:
    lite = b'{"e": "TRADE_LITE", "E": 1, "T": 1, "s": "ETHUSDT"}'
    news = b'{"e": "SOMETHING_NEW"}'
    venue.frames.append([lite, news, lite, event(7)])
    events = desk.private_events()
    seen = await until(events, of(OrderUpdate))
    counted = desk.ignored_events()  # type: ignore[attr-defined]
    await events.aclose()

    assert [type(one) for one in seen] == [StreamUp, OrderUpdate]
    assert counted == {"TRADE_LITE": 2, "SOMETHING_NEW": 1}


async def test_a_change_of_configuration_and_a_hedge_are_told(venue: ScriptedVenue, desk: TradingVenue) -> None:
    row = {"s": "ETHUSDT", "pa": "0.010", "ep": "3000", "up": "0", "mt": "cross", "iw": "0", "ps": "LONG"}
    hedge = {"e": "ACCOUNT_UPDATE", "T": 1, "E": 1, "a": {"m": "ORDER", "B": [], "P": [row]}}
    leverage = {"e": "ACCOUNT_CONFIG_UPDATE", "T": 1, "E": 1, "ac": {"s": "ETHUSDT", "l": 50}}
    venue.frames.append([orjson.dumps(hedge), orjson.dumps(leverage)])
    events = desk.private_events()
    seen = await until(events, lambda one: isinstance(one, ConfigurationChanged) and "leverage" in one.what)
    await events.aclose()

    assert "hedge mode" in seen[1].what


async def test_a_stream_is_not_up_while_the_venue_keeps_another_key(venue: ScriptedVenue, desk: TradingVenue) -> None:
    venue.kept_key = "key2"
    events = desk.private_events()
    failed = [await anext(events), await anext(events)]
    venue.kept_key = "key1"
    seen = await until(events, of(StreamUp))
    await events.aclose()

    assert all(isinstance(one, StreamDown) and "keeps another one" in one.reason for one in failed)
    assert all(isinstance(one, StreamDown) for one in seen[:-1])


async def test_the_listen_key_is_never_deleted(venue: ScriptedVenue, desk: TradingVenue) -> None:
    events = desk.private_events()
    await until(events, of(StreamUp))
    await events.aclose()
    await desk.close()

    assert venue.methods == ["POST", "PUT"]


async def test_a_full_private_buffer_holds_the_venue_back_and_loses_nothing(venue: ScriptedVenue) -> None:
    count = 30_000
    venue.frames.append([event(number) for number in range(count)])
    chosen = settings(venue.rest_url, venue.ws_url, private_buffer=5, ping_interval_s=60.0)
    async with trading(chosen, over_socket=False) as desk:
        events = desk.private_events()
        await until(events, of(StreamUp))
        before = -1
        while venue.sent != before:
            before = venue.sent
            await asyncio.sleep(0.3)
        assert before < count, "the venue was not held back: the test proves nothing"
        seen = [await anext(events) for _ in range(count)]
        await events.aclose()

    assert [one.fill.trade_id for one in seen if isinstance(one, OrderUpdate) and one.fill] == [
        str(number) for number in range(count)
    ]


async def test_a_mistake_of_ours_reaches_the_consumer(
    venue: ScriptedVenue, desk: TradingVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(wire_orders, "update", wrong)
    venue.frames.append([event(1)])
    events = desk.private_events()

    with pytest.raises(ZeroDivisionError):
        await until(events, of(OrderUpdate))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"clientOrderId": "another"}, "answered another"),
        ({"status": "HALF"}, "unknown order status"),
        ({"executedQty": "0.0005"}, "executedQty"),
        ({"orderId": None}, "orderId"),
    ],
)
async def test_an_answer_that_is_not_about_our_order_leaves_it_unknown(
    venue: ScriptedVenue, desk: TradingVenue, changes: dict[str, Any], words: str
) -> None:
    venue.order_reply = order_reply(**{"clientOrderId": "mine1", **changes})

    with pytest.raises(OutcomeUnknown, match=words):
        await desk.place(approved("mine1"))


async def test_a_slow_reader_of_quotes_gets_the_latest_of_each_symbol(venue: ScriptedVenue) -> None:
    frames = [book_frame(n, bid=f"{2000 + n}.00", symbol=s) for n in range(500) for s in ("ETHUSDT", "BTCUSDT")]
    venue.frames.append(frames)
    async with market(settings(venue.rest_url, venue.ws_url)) as feed:
        events = feed.quotes(["ETHUSDT", "BTCUSDT"])
        await until(events, of(StreamUp))
        await eventually(lambda: venue.sent == len(frames))
        for _ in range(3_000):  # turns of this loop, not time: what was sent is read in some of them
            await asyncio.sleep(0)
        seen = await until(events, lambda one: isinstance(one, Quote) and one.symbol == "BTCUSDT")
        await events.aclose()

    quotes = [one for one in seen if isinstance(one, Quote)]
    assert [(quote.symbol, quote.bid) for quote in quotes] == [("ETHUSDT", 249900), ("BTCUSDT", 249900)]


async def test_doubled_and_late_quotes_never_go_back_in_time(venue: ScriptedVenue) -> None:
    order = [1, 2, 2, 1, 4, 3, 5]
    venue.pause_s = 0.02
    venue.frames.append([book_frame(number, bid=f"{2000 + number}.00") for number in order])
    async with market(settings(venue.rest_url, venue.ws_url)) as feed:
        events = feed.quotes(["ETHUSDT"])
        seen = await until(events, lambda one: isinstance(one, Quote) and one.bid == 200500)
        await events.aclose()

    bids = [one.bid for one in seen if isinstance(one, Quote)]
    assert bids == sorted(set(bids))


async def test_update_numbers_may_start_anew_with_a_connection(venue: ScriptedVenue) -> None:
    venue.frames.extend([[book_frame(100)], [book_frame(1, bid="2500.00")]])
    async with market(settings(venue.rest_url, venue.ws_url)) as feed:
        events = feed.quotes(["ETHUSDT"])
        await until(events, of(Quote))
        await venue.cut()
        seen = await until(events, of(Quote))
        await events.aclose()

    assert [type(one) for one in seen] == [StreamDown, StreamUp, Quote]
    assert seen[-1].bid == 250000


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (book_frame(1, bid="3000.02"), "crossed"),
        (book_frame(1, bid="oops"), "expected a number"),
        (book_frame(1, u=None), "bookTicker.u"),
    ],
)
async def test_a_broken_quote_brings_the_stream_down_by_name(venue: ScriptedVenue, frame: bytes, words: str) -> None:
    venue.frames.append([book_frame(0), frame])
    async with market(settings(venue.rest_url, venue.ws_url)) as feed:
        events = feed.quotes(["ETHUSDT"])
        down = (await until(events, of(StreamDown)))[-1]
        await events.aclose()

    assert (down.name, words in down.reason) == ("quote/ETHUSDT", True)


async def test_a_subscription_that_is_refused_is_never_up(venue: ScriptedVenue) -> None:
    venue.acknowledgement = {"error": {"code": 2, "msg": "Invalid request: unknown variant"}}
    async with market(settings(venue.rest_url, venue.ws_url)) as feed:
        events = feed.quotes(["ETHUSDT"])
        failed = [await anext(events) for _ in range(2)]
        await events.aclose()

    assert all(isinstance(one, StreamDown) and "not confirmed" in one.reason for one in failed)


async def test_a_quote_before_the_confirmation_comes_after_the_stream_is_up(venue: ScriptedVenue) -> None:
    venue.early = [book_frame(1)]
    async with market(settings(venue.rest_url, venue.ws_url)) as feed:
        events = feed.quotes(["ETHUSDT"])
        seen = await until(events, of(Quote))
        await events.aclose()

    assert [type(one) for one in seen] == [StreamUp, Quote]


async def test_rules_that_cannot_be_read_yet_are_a_failed_attempt_and_no_end(venue: ScriptedVenue) -> None:
    venue.frames.append([book_frame(1)])
    venue.is_ready = False
    async with market(settings(venue.rest_url, venue.ws_url)) as feed:
        events = feed.quotes(["ETHUSDT"])
        failed = await anext(events)
        venue.is_ready = True
        seen = await until(events, of(Quote))
        await events.aclose()

    assert isinstance(failed, StreamDown)
    assert "503" in failed.reason
    assert any(isinstance(one, StreamUp) for one in seen)
