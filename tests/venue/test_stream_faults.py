"""Each kind of fault of streams, sockets and listen keys is seen by a client."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from exchanges.sim.server.faults import Delay, FaultKind, FaultRule, Scope
from exchanges.sim.server.options import Behaviour
from tests.venue.frames import order_frame
from tests.venue.running_venue import PlainClient, RunningVenue, quote, running, still_options

PLACE = Scope(endpoint="order.place")


@pytest.fixture(scope="module")
def started() -> Iterator[RunningVenue]:
    with running(still_options(behaviour=Behaviour(hang_s=1.0))) as venue:
        yield venue


@pytest.fixture
def venue(started: RunningVenue) -> RunningVenue:
    started.heal()
    return started


@pytest.fixture
def client(venue: RunningVenue, session: aiohttp.ClientSession) -> PlainClient:
    return PlainClient(session, venue.rest_url)


def rule(kind: FaultKind, **terms: Any) -> FaultRule:
    return FaultRule(name=kind.value, kind=kind, **{"scope": PLACE, "count": 1, **terms})


async def heard(
    socket: aiohttp.ClientWebSocketResponse, *, least: int = 0, wait_s: float = 0.4
) -> list[dict[str, Any]]:
    """Return what the socket says, at least so many frames, until it is silent for a while."""
    frames: list[dict[str, Any]] = []
    while True:
        try:
            message = await socket.receive(timeout=wait_s if len(frames) >= least else 60)
        except TimeoutError:
            return frames
        if message.type is not aiohttp.WSMsgType.TEXT:
            return frames
        frames.append(json.loads(message.data))


def executions(frames: list[dict[str, Any]], client_id: str) -> list[str]:
    return [row["o"]["X"] for row in frames if row["e"] == "ORDER_TRADE_UPDATE" and row["o"]["c"] == client_id]


@pytest.mark.parametrize(
    ("kind", "delay_ms", "expected"),
    [
        (FaultKind.EVENT_DROPPED, 0, ["CANCELED"]),
        (FaultKind.EVENT_DOUBLED, 0, ["NEW", "NEW", "CANCELED"]),
        (FaultKind.EVENT_DOUBLED, 2_500, ["NEW", "CANCELED", "NEW"]),
        (FaultKind.EVENT_REORDERED, 2_500, ["CANCELED", "NEW"]),
    ],
)
async def test_an_event_is_dropped_doubled_delayed_or_overtaken(
    venue: RunningVenue,
    client: PlainClient,
    session: aiohttp.ClientSession,
    kind: FaultKind,
    delay_ms: int,
    expected: list[str],
) -> None:
    client_id = f"{kind.value}{delay_ms}"
    venue.fault(rule(kind, scope=Scope(stream="ORDER_TRADE_UPDATE", client_id=client_id), delay=Delay(low_ms=delay_ms)))
    key = await client.listen_key()
    async with session.ws_connect(f"{venue.ws_url}/private/ws?listenKey={key}") as socket:
        await client.place(client_id)
        await client.ask("DELETE", "/fapi/v1/order", symbol="ETHUSDT", origClientOrderId=client_id)

        frames = await heard(socket, least=len(expected))

    assert executions(frames, client_id) == expected


async def test_an_event_that_is_delayed_holds_up_those_behind_it(
    venue: RunningVenue, client: PlainClient, session: aiohttp.ClientSession
) -> None:
    venue.fault(rule(FaultKind.EVENT_DELAYED, scope=Scope(client_id="stalled"), delay=Delay(low_ms=1_000)))
    key = await client.listen_key()
    async with session.ws_connect(f"{venue.ws_url}/private/ws?listenKey={key}") as socket:
        began = time.monotonic()
        await client.place("stalled")
        await client.place("behind")
        late = await heard(socket, least=2)
        waited_s = time.monotonic() - began

    assert waited_s > 0.95
    assert [frame["o"]["c"] for frame in late] == ["stalled", "behind"]


async def test_every_event_has_the_stream_s_latency_and_keeps_its_place(
    venue: RunningVenue, client: PlainClient, session: aiohttp.ClientSession
) -> None:
    venue.fault(rule(FaultKind.STREAM_LATENCY, scope=Scope(path="/private"), delay=Delay(low_ms=300)))
    key = await client.listen_key()
    async with session.ws_connect(f"{venue.ws_url}/private/ws?listenKey={key}") as socket:
        began = time.monotonic()
        await client.place("latent")
        await client.ask("DELETE", "/fapi/v1/order", symbol="ETHUSDT", origClientOrderId="latent")
        await socket.receive(timeout=60)
        waited_s = time.monotonic() - began
        rest = await heard(socket, least=1)

    assert waited_s > 0.25
    assert executions(rest, "latent") == ["CANCELED"]


async def test_a_price_stream_is_frozen_for_one_symbol_and_the_socket_answers_pings(
    venue: RunningVenue, session: aiohttp.ClientSession
) -> None:
    venue.fault(FaultRule(name="frozen", kind=FaultKind.FROZEN_STREAM, scope=Scope(stream="ethusdt@*")))
    address = f"{venue.ws_url}/public/stream?streams=ethusdt@bookTicker/btcusdt@bookTicker"
    async with session.ws_connect(address, autoping=False) as socket:
        await asyncio.to_thread(venue.play, quote("ETHUSDT", "3010", "3010.01"), quote("BTCUSDT", "60010", "60010.1"))
        first = await socket.receive_json(timeout=60)
        await socket.ping(b"alive?")
        second = await socket.receive(timeout=60)

    assert first["data"]["s"] == "BTCUSDT"
    assert (second.type, second.data) == (aiohttp.WSMsgType.PONG, b"alive?")


async def test_a_half_open_socket_is_silent_and_does_not_close(
    venue: RunningVenue, client: PlainClient, session: aiohttp.ClientSession
) -> None:
    venue.fault(FaultRule(name="dead", kind=FaultKind.HALF_OPEN, scope=Scope(path="/private"), count=1))
    key = await client.listen_key()
    async with (
        session.ws_connect(f"{venue.ws_url}/private/ws?listenKey={key}", autoping=False, timeout=_quick()) as dead,
        session.ws_connect(f"{venue.ws_url}/private/ws?listenKey={key}") as alive,
    ):
        await client.place("halfOpen")
        assert (await alive.receive_json(timeout=60))["o"]["c"] == "halfOpen"
        await dead.ping(b"alive?")

        with pytest.raises(TimeoutError):
            await dead.receive(timeout=0.4)
        assert not dead.closed
        for connection in venue.server.connections("/private"):
            venue.loop.call_soon_threadsafe(connection.cut)


async def test_a_socket_is_cut_by_force(
    venue: RunningVenue, client: PlainClient, session: aiohttp.ClientSession
) -> None:
    venue.fault(FaultRule(name="cut", kind=FaultKind.FORCED_CUT, scope=Scope(stream="ORDER_TRADE_UPDATE"), count=1))
    key = await client.listen_key()
    async with session.ws_connect(f"{venue.ws_url}/private/ws?listenKey={key}") as socket:
        await client.place("cut")
        message = await socket.receive(timeout=60)

    assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


@pytest.mark.parametrize("kind", [FaultKind.FORCED_CUT, FaultKind.HALF_OPEN])
async def test_the_order_socket_is_cut_or_goes_deaf_after_the_order_was_taken(
    venue: RunningVenue, session: aiohttp.ClientSession, kind: FaultKind
) -> None:
    venue.fault(FaultRule(name="spoiled", kind=kind, scope=Scope(path="/ws-fapi"), count=1))
    async with session.ws_connect(f"{venue.ws_url}/ws-fapi/v1", timeout=_quick()) as socket:
        await socket.send_json(order_frame(f"spoiled{kind.value}"))
        if kind is FaultKind.FORCED_CUT:
            message = await socket.receive(timeout=60)
            assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        else:
            with pytest.raises(TimeoutError):
                await socket.receive(timeout=0.4)
            for connection in venue.server.connections("/ws-fapi"):
                venue.loop.call_soon_threadsafe(connection.cut)

    assert len(venue.orders(f"spoiled{kind.value}")) == 1


async def test_a_listen_key_runs_out_before_its_hour(
    venue: RunningVenue, client: PlainClient, session: aiohttp.ClientSession
) -> None:
    key = await client.listen_key()
    async with session.ws_connect(f"{venue.ws_url}/private/ws?listenKey={key}") as socket:
        venue.fault(FaultRule(name="expired", kind=FaultKind.LISTEN_KEY_EXPIRED, count=1))
        event = await socket.receive_json(timeout=60)
        await client.place("unheard")
        silence = await heard(socket, wait_s=0.2)
    renewed = await client.ask("PUT", "/fapi/v1/listenKey", sign=False)

    assert (event["e"], event["listenKey"]) == ("listenKeyExpired", key)
    assert silence == []
    assert renewed[1]["code"] == -1125


def _quick() -> aiohttp.ClientWSTimeout:
    return aiohttp.ClientWSTimeout(ws_close=0.1)
