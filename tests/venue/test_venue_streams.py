"""The stream doors: roots, names, conversations, pings, ends, and listen keys."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import aiohttp
import pytest

from exchanges.sim.server.options import Behaviour
from grid.order import Side
from tests.venue.running_venue import PlainClient, RunningVenue, quote, running, still_options, trade


@pytest.fixture(scope="module")
def started() -> Iterator[RunningVenue]:
    with running(still_options()) as venue:
        yield venue


@pytest.fixture
def venue(started: RunningVenue) -> RunningVenue:
    started.heal()
    return started


@pytest.fixture
def client(venue: RunningVenue, session: aiohttp.ClientSession) -> PlainClient:
    return PlainClient(session, venue.rest_url)


async def heard(socket: aiohttp.ClientWebSocketResponse, *, least: int = 0, wait_s: float = 0.3) -> list[Any]:
    """Return what the socket says, at least so many frames, until it is silent for a while."""
    frames: list[Any] = []
    while True:
        try:
            message = await socket.receive(timeout=wait_s if len(frames) >= least else 60)
        except TimeoutError:
            return frames
        if message.type is not aiohttp.WSMsgType.TEXT:
            return frames
        frames.append(json.loads(message.data))


async def moved(venue: RunningVenue, bid: str) -> None:
    ask = f"{float(bid) + 0.01:.2f}"
    await asyncio.to_thread(venue.play, quote("ETHUSDT", bid, ask, size="7"), trade("ETHUSDT", bid, "0.5", Side.SELL))


@pytest.mark.parametrize(
    ("address", "events"),
    [
        ("/public/ws/ethusdt@bookTicker", {"bookTicker"}),
        ("/public/ws/!bookTicker", {"bookTicker"}),
        ("/public/ws/ethusdt@depth5@100ms", {"depthUpdate"}),
        ("/public/ws/ethusdt@depth@100ms", {"depthUpdate"}),
        ("/market/ws/ethusdt@aggTrade", {"aggTrade"}),
        ("/market/ws/ethusdt@kline_1m/ethusdt@markPrice@1s", {"kline", "markPriceUpdate"}),
        ("/market/ws/ethusdt@ticker/ethusdt@miniTicker", {"24hrTicker", "24hrMiniTicker"}),
        ("/public/ws/ethusdt@aggTrade", set()),
        ("/market/ws/ethusdt@bookTicker", set()),
        ("/ws/ethusdt@kline_1m", set()),
        ("/ws/ethusdt@aggTrade", set()),
        ("/ws/ethusdt@bookTicker", {"bookTicker"}),
        ("/market/ws/nosuchusdt@kline_1m", set()),
    ],
)
async def test_a_root_serves_its_own_streams_and_the_retired_one_no_candles(
    venue: RunningVenue, session: aiohttp.ClientSession, address: str, events: set[str]
) -> None:
    async with session.ws_connect(venue.ws_url + address) as socket:
        await moved(venue, "3001.00")
        await moved(venue, "3002.00")
        frames = [await socket.receive_json(timeout=60)] if events else []
        while not {frame["e"] for frame in frames} >= events:
            frames.append(await socket.receive_json(timeout=60))
        frames += await heard(socket)

    assert {frame["e"] for frame in frames} == events


async def test_the_retired_root_takes_subscriptions_and_stays_silent(
    venue: RunningVenue, session: aiohttp.ClientSession
) -> None:
    async with session.ws_connect(f"{venue.ws_url}/ws") as socket:
        await socket.send_json({"method": "SUBSCRIBE", "params": ["ethusdt@kline_1m"], "id": 7})
        answer = await socket.receive_json(timeout=60)
        await moved(venue, "3003.00")

        assert answer == {"result": None, "id": 7}
        assert await heard(socket) == []


async def test_the_retired_root_can_be_brought_back(session: aiohttp.ClientSession) -> None:
    with running(still_options(behaviour=Behaviour(legacy_is_retired=False))) as old:
        key = await PlainClient(session, old.rest_url).listen_key()
        async with (
            session.ws_connect(f"{old.ws_url}/ws/ethusdt@kline_1m") as candles,
            session.ws_connect(f"{old.ws_url}/ws/{key}") as account,
        ):
            await PlainClient(session, old.rest_url).place("legacy")

            assert (await candles.receive_json(timeout=60))["e"] == "kline"
            assert (await account.receive_json(timeout=60))["o"]["c"] == "legacy"


async def test_a_conversation_about_subscriptions(venue: RunningVenue, session: aiohttp.ClientSession) -> None:
    async with session.ws_connect(f"{venue.ws_url}/public/stream") as socket:

        async def ask(method: str, number: int, *params: str) -> Any:
            await socket.send_json({"method": method, "params": list(params), "id": number})
            return await socket.receive_json(timeout=60)

        await ask("SUBSCRIBE", 1, "ethusdt@bookTicker", "btcusdt@bookTicker")
        listed = await ask("LIST_SUBSCRIPTIONS", 2)
        await ask("UNSUBSCRIBE", 3, "btcusdt@bookTicker")
        await asyncio.to_thread(venue.play, quote("BTCUSDT", "60020", "60020.1"))
        await moved(venue, "3004.00")
        frame = await socket.receive_json(timeout=60)
        wrong = await ask("SHOUT", 4)
        await socket.send_str("{")
        broken = await socket.receive_json(timeout=60)

    assert listed == {"result": ["ethusdt@bookTicker", "btcusdt@bookTicker"], "id": 2}
    assert (frame["stream"], frame["data"]["b"], frame["data"]["B"]) == ("ethusdt@bookTicker", "3004.00", "7.000")
    assert wrong["error"]["code"] == 2
    assert broken["error"]["code"] == 3


async def test_our_own_orders_are_inside_the_published_quote(
    venue: RunningVenue, client: PlainClient, session: aiohttp.ClientSession
) -> None:
    await asyncio.to_thread(venue.play, quote("ETHUSDT", "3000", "3010", size="7"))
    async with session.ws_connect(f"{venue.ws_url}/public/ws/ethusdt@bookTicker") as socket:
        await client.place("inside", price="3005", quantity="0.02")
        frame = await socket.receive_json(timeout=60)

    assert (frame["b"], frame["B"], frame["a"]) == ("3005.00", "0.020", "3010.00")


async def test_a_candle_closes_once_and_the_next_one_begins(
    venue: RunningVenue, session: aiohttp.ClientSession
) -> None:
    async with session.ws_connect(f"{venue.ws_url}/market/ws/ethusdt@kline_1s") as socket:
        frames: list[Any] = []
        for step in range(8):
            await moved(venue, f"{3005 + step}.00")
            frames += await heard(socket, wait_s=0.3)

    closed = [frame["k"]["t"] for frame in frames if frame["k"]["x"]]
    running_ = [frame["k"]["t"] for frame in frames if not frame["k"]["x"]]
    assert len(closed) >= 2
    assert closed == sorted(set(closed))
    assert all(opened % 1000 == 0 for opened in closed)
    assert running_ == sorted(running_)
    last_of = {frame["k"]["t"]: frame["k"]["x"] for frame in frames}
    assert all(last_of[opened] for opened in closed)


async def test_several_connections_share_one_listen_key(
    venue: RunningVenue, client: PlainClient, session: aiohttp.ClientSession
) -> None:
    key = await client.listen_key()
    assert await client.listen_key() == key
    async with (
        session.ws_connect(f"{venue.ws_url}/private/ws?listenKey={key}") as one,
        session.ws_connect(f"{venue.ws_url}/private/ws/{key}") as two,
        session.ws_connect(f"{venue.ws_url}/private/stream?streams={key}") as three,
    ):
        await client.place("shared")
        first, second, third = [await socket.receive_json(timeout=60) for socket in (one, two, three)]

    assert first == second == third["data"]
    assert third["stream"] == key


async def test_only_the_events_asked_for_are_sent(
    venue: RunningVenue, client: PlainClient, session: aiohttp.ClientSession
) -> None:
    key = await client.listen_key()
    address = f"{venue.ws_url}/private/ws?listenKey={key}&events=ACCOUNT_UPDATE/TRADE_LITE"
    async with session.ws_connect(address) as socket:
        await client.place("filtered", price="3100", timeInForce="IOC")
        frames = await heard(socket, least=2)

    assert {frame["e"] for frame in frames} == {"ACCOUNT_UPDATE", "TRADE_LITE"}


@pytest.mark.parametrize("comes_first", [False, True])
async def test_the_account_update_follows_or_precedes_its_order_update(
    session: aiohttp.ClientSession, comes_first: bool
) -> None:
    with running(still_options(behaviour=Behaviour(account_update_first=comes_first))) as venue:
        client = PlainClient(session, venue.rest_url)
        key = await client.listen_key()
        async with session.ws_connect(f"{venue.ws_url}/private/ws?listenKey={key}") as socket:
            await client.place("order", price="2999.9")
            await asyncio.to_thread(venue.play, trade("ETHUSDT", "2999.8", "1", Side.SELL))
            frames = await heard(socket, least=4)

    kinds = [frame["e"] for frame in frames if frame["e"] != "TRADE_LITE"]
    order_first = ["ORDER_TRADE_UPDATE", "ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE"]
    account_first = ["ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"]
    assert kinds == (account_first if comes_first else order_first)


async def test_the_server_pings_and_cuts_who_does_not_answer(session: aiohttp.ClientSession) -> None:
    with running(still_options(behaviour=Behaviour(ping_interval_s=0.1, pong_wait_s=4.0))) as venue:
        address = f"{venue.ws_url}/public/ws/ethusdt@bookTicker"
        async with (
            session.ws_connect(address) as polite,
            session.ws_connect(address, autoping=False) as rude,
        ):
            polite_reading = asyncio.create_task(polite.receive())
            first = await rude.receive(timeout=60)
            last = first
            while last.type is aiohttp.WSMsgType.PING:
                last = await rude.receive(timeout=60)

            assert first.type is aiohttp.WSMsgType.PING
            assert last.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
            assert not polite_reading.done()
            polite_reading.cancel()


async def test_a_connection_ends_with_its_lifetime(session: aiohttp.ClientSession) -> None:
    with running(still_options(behaviour=Behaviour(connection_lifetime_s=0.3))) as venue:
        for path in ("/public/ws/ethusdt@bookTicker", "/ws-fapi/v1"):
            async with session.ws_connect(venue.ws_url + path) as socket:
                message = await socket.receive(timeout=60)

                assert message.type is aiohttp.WSMsgType.CLOSE


async def test_a_listen_key_runs_out_and_its_socket_stays_open(session: aiohttp.ClientSession) -> None:
    ahead_ms = 0

    def venue_ms() -> int:
        return time.time_ns() // 1_000_000 + ahead_ms

    with running(still_options(behaviour=Behaviour(listen_key_validity_ms=100_000)), venue_ms) as venue:
        client = PlainClient(session, venue.rest_url)
        key = await client.listen_key()
        async with session.ws_connect(f"{venue.ws_url}/private/ws?listenKey={key}") as socket:
            ahead_ms += 60_000
            assert (await client.ask("PUT", "/fapi/v1/listenKey", sign=False))[0] == 200
            ahead_ms += 60_000
            await client.place("stillAlive", at_ms=venue_ms())
            alive = await socket.receive_json(timeout=60)
            ahead_ms += 60_000
            event = await socket.receive_json(timeout=60)
            await client.place("unheard", at_ms=venue_ms())

            assert alive["o"]["c"] == "stillAlive"
            assert (event["e"], event["listenKey"]) == ("listenKeyExpired", key)
            assert await heard(socket) == []
        assert (await client.ask("PUT", "/fapi/v1/listenKey", sign=False))[1]["code"] == -1125
        assert await client.listen_key() != key


async def test_who_talks_too_fast_is_cut(venue: RunningVenue, session: aiohttp.ClientSession) -> None:
    async with session.ws_connect(f"{venue.ws_url}/public/ws") as socket:
        with suppress(ConnectionError):
            for number in range(400):
                await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": number})
        frames = await heard(socket, least=400)

        assert 10 <= len(frames) < 400
        assert socket.close_code == aiohttp.WSCloseCode.POLICY_VIOLATION
