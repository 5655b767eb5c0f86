"""Each kind of fault is seen by a client at the wire, and the venue's truth says what really happened."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from exchanges.sim.server.faults import Delay, FaultKind, FaultRule, Loss, Scope
from exchanges.sim.server.options import Behaviour
from grid.order import Side
from tests.venue.frames import order_frame
from tests.venue.running_venue import PlainClient, RunningVenue, running, still_options, trade

PLACE = Scope(endpoint="order.place")

STALL_MS = 3_000
"""So long a fault lasts: a machine that stalls must not see its end before the test has looked."""


@pytest.fixture(scope="module")
def started() -> Iterator[RunningVenue]:
    with running(still_options(behaviour=Behaviour(hang_s=5.0))) as venue:
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


@pytest.mark.parametrize(
    ("kind", "status", "code", "is_live"),
    [
        (FaultKind.SERVICE_UNAVAILABLE, 503, -1001, False),
        (FaultKind.OVERLOADED, 503, -1008, False),
        (FaultKind.UNKNOWN_ERROR, 503, -1000, True),
        (FaultKind.UNEXPECTED_RESPONSE, 400, -1006, True),
        (FaultKind.BACKEND_TIMEOUT, 408, -1007, True),
        (FaultKind.LOGIN_REFUSED, 401, -2015, False),
        (FaultKind.RATE_LIMITED, 429, -1003, False),
    ],
)
async def test_an_error_answer_says_nothing_of_the_outcome_but_the_truth_does(
    venue: RunningVenue, client: PlainClient, kind: FaultKind, status: int, code: int, is_live: bool
) -> None:
    venue.fault(rule(kind))

    answer = await client.place(f"answer{kind.value}")

    assert (answer[0], answer[1]["code"]) == (status, code)
    assert len(venue.orders(f"answer{kind.value}")) == is_live
    assert ("Retry-After" in client.headers) is (status == 429)


async def test_both_meanings_of_503_are_worded_as_the_venue_words_them(
    venue: RunningVenue, client: PlainClient
) -> None:
    venue.fault(rule(FaultKind.UNKNOWN_ERROR))
    _, executed = await client.place("worded1")
    venue.fault(rule(FaultKind.SERVICE_UNAVAILABLE))
    _, refused = await client.place("worded2")

    assert executed["msg"].startswith("Unknown error")
    assert refused["msg"] == "Service Unavailable."


async def test_an_overloaded_venue_still_takes_what_reduces(venue: RunningVenue, client: PlainClient) -> None:
    await client.place("reduce1", price="3001", timeInForce="IOC")
    venue.fault(rule(FaultKind.OVERLOADED, count=None))

    reducing = await client.place("reduce2", side="SELL", price="3100", reduceOnly="true")
    opening = await client.place("reduce3")

    assert reducing[0] == 200
    assert opening[1]["code"] == -1008


async def test_a_bad_gateway_answers_in_html_and_the_order_lives(venue: RunningVenue, client: PlainClient) -> None:
    venue.fault(rule(FaultKind.BAD_GATEWAY))

    with pytest.raises(json.JSONDecodeError):
        await client.place("gateway")

    assert client.headers["Content-Type"].startswith("text/html")
    assert len(venue.orders("gateway")) == 1


async def test_a_reply_is_lost_by_closing_after_the_order_was_taken(venue: RunningVenue, client: PlainClient) -> None:
    venue.fault(rule(FaultKind.REPLY_LOST))

    with pytest.raises(aiohttp.ClientConnectionError):
        await client.place("lost")

    assert len(venue.orders("lost")) == 1


async def test_a_reply_is_lost_by_hanging_after_the_order_was_taken(venue: RunningVenue, client: PlainClient) -> None:
    venue.fault(rule(FaultKind.REPLY_LOST, loss=Loss.HANG))

    placing = asyncio.create_task(client.place("hung"))

    assert await _eventually(lambda: len(venue.orders("hung")) == 1)
    await asyncio.wait([placing], timeout=0.5)
    assert not placing.done()
    placing.cancel()


async def test_a_reply_is_truncated(venue: RunningVenue, client: PlainClient) -> None:
    venue.fault(rule(FaultKind.REPLY_TRUNCATED))

    with pytest.raises(aiohttp.ClientPayloadError):
        await client.place("half")

    assert len(venue.orders("half")) == 1


async def test_a_request_is_lost_before_the_venue_acts(venue: RunningVenue, client: PlainClient) -> None:
    venue.fault(rule(FaultKind.REQUEST_LOST))

    with pytest.raises(aiohttp.ClientConnectionError):
        await client.place("never")

    assert venue.orders("never") == []


@pytest.mark.parametrize("loss", [Loss.CLOSE, Loss.TIMEOUT])
async def test_an_order_is_accepted_late(venue: RunningVenue, client: PlainClient, loss: Loss) -> None:
    client_id = f"late{loss.value}"
    venue.fault(rule(FaultKind.ACCEPTED_LATE, until_healed=True, loss=loss))

    if loss is Loss.CLOSE:
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.place(client_id)
    else:
        assert (await client.place(client_id))[1]["code"] == -1007
    absent = await client.ask("GET", "/fapi/v1/order", symbol="ETHUSDT", origClientOrderId=client_id)

    assert absent[1]["code"] == -2013
    release(venue)
    assert await _eventually(lambda: len(venue.orders(client_id)) == 1)


async def test_an_order_that_arrives_late_is_refused_where_its_window_is_judged_again(
    session: aiohttp.ClientSession,
) -> None:
    with running(still_options(behaviour=Behaviour(recv_window_at_matching=True))) as strict:
        client = PlainClient(session, strict.rest_url)
        strict.fault(rule(FaultKind.REQUEST_LATENCY, delay=Delay(low_ms=400)))
        strict.fault(rule(FaultKind.ACCEPTED_LATE, delay=Delay(low_ms=400), loss=Loss.TIMEOUT, after=1))

        judged = await client.place("tooLate", recvWindow=200)
        await client.place("tooLate2", recvWindow=200)
        await asyncio.sleep(0.6)

        assert judged[1]["code"] == -1021
        assert strict.orders("tooLate") == strict.orders("tooLate2") == []


async def test_latency_before_matching_decides_what_an_order_meets(venue: RunningVenue, client: PlainClient) -> None:
    venue.fault(rule(FaultKind.REQUEST_LATENCY, until_healed=True))
    placing = asyncio.create_task(client.place("slow", price="2999.5"))
    assert await _eventually(lambda: [rule for rule in venue.server.venue.plan.standing() if rule[2]])

    await asyncio.to_thread(venue.play, trade("ETHUSDT", "2999", "1", Side.SELL))
    release(venue)
    status, _ = await placing

    assert status == 200
    assert venue.orders("slow")[0].filled == 0


async def test_latency_of_the_reply_lets_the_stream_overtake_it(
    venue: RunningVenue, client: PlainClient, session: aiohttp.ClientSession
) -> None:
    venue.fault(rule(FaultKind.REPLY_LATENCY, until_healed=True))
    key = await client.listen_key()
    async with session.ws_connect(f"{venue.ws_url}/private/ws?listenKey={key}") as socket:
        placing = asyncio.create_task(client.place("overtaken"))
        first = await socket.receive_json(timeout=60)

        assert first["o"]["c"] == "overtaken"
        assert not placing.done()
        release(venue)
        await placing


async def test_a_new_order_is_invisible_to_queries_for_a_while(venue: RunningVenue, client: PlainClient) -> None:
    venue.fault(rule(FaultKind.LATE_VISIBILITY, until_healed=True))
    status, _ = await client.place("hidden")

    early = await client.ask("GET", "/fapi/v1/order", symbol="ETHUSDT", origClientOrderId="hidden")
    resting = await client.ask("GET", "/fapi/v1/openOrders", symbol="ETHUSDT")
    release(venue)
    later = await client.ask("GET", "/fapi/v1/order", symbol="ETHUSDT", origClientOrderId="hidden")

    assert status == 200
    assert (early[1]["code"], resting[1]) == (-2013, [])
    assert later[1]["status"] == "NEW"


async def test_reads_lag_behind_the_stream(venue: RunningVenue, client: PlainClient) -> None:
    await client.place("stale", price="2999.7")
    await asyncio.sleep(STALL_MS / 1000 + 0.2)
    await asyncio.to_thread(venue.play, trade("ETHUSDT", "2999.6", "5", Side.SELL))
    venue.fault(
        FaultRule(
            name="lag", kind=FaultKind.STALE_READ, scope=Scope(endpoint="orders.open"), delay=Delay(low_ms=STALL_MS)
        )
    )

    stale = await client.ask("GET", "/fapi/v1/openOrders", symbol="ETHUSDT")
    fresh = await client.ask("GET", "/fapi/v1/order", symbol="ETHUSDT", origClientOrderId="stale")

    assert [row["clientOrderId"] for row in stale[1]] == ["stale"]
    assert fresh[1]["status"] == "FILLED"


async def test_positions_lag_behind_the_stream(venue: RunningVenue, client: PlainClient) -> None:
    before = await client.ask("GET", "/fapi/v2/positionRisk", symbol="ETHUSDT")
    await asyncio.sleep(STALL_MS / 1000 + 0.2)
    await client.place("stalePosition", price="3001", timeInForce="IOC")
    venue.fault(
        FaultRule(
            name="lag",
            kind=FaultKind.STALE_READ,
            scope=Scope(endpoint="positions.*"),
            count=1,
            delay=Delay(low_ms=STALL_MS),
        )
    )

    stale = await client.ask("GET", "/fapi/v2/positionRisk", symbol="ETHUSDT")
    fresh = await client.ask("GET", "/fapi/v2/positionRisk", symbol="ETHUSDT")

    assert stale[1][0]["positionAmt"] == before[1][0]["positionAmt"] != fresh[1][0]["positionAmt"]


async def test_one_reading_is_wrong_and_the_next_is_right(venue: RunningVenue, client: PlainClient) -> None:
    await client.place("there", price="3001", timeInForce="IOC")
    await client.place("resting")
    venue.fault(FaultRule(name="empty1", kind=FaultKind.EMPTY_POSITIONS, count=1))
    venue.fault(FaultRule(name="empty2", kind=FaultKind.EMPTY_OPEN_ORDERS, count=1))

    positions = [(await client.ask("GET", "/fapi/v3/positionRisk", symbol="ETHUSDT"))[1] for _ in range(2)]
    orders = [(await client.ask("GET", "/fapi/v1/openOrders", symbol="ETHUSDT"))[1] for _ in range(2)]

    assert [len(rows) for rows in positions] == [0, 1]
    assert [len(rows) for rows in orders] == [0, 1]


async def test_the_candles_of_one_coin_are_missing(venue: RunningVenue, client: PlainClient) -> None:
    venue.fault(FaultRule(name="none", kind=FaultKind.CANDLES_MISSING, scope=Scope(symbol="BTCUSDT")))

    btc = await client.ask("GET", "/fapi/v1/klines", sign=False, symbol="BTCUSDT", interval="1m")
    eth = await client.ask("GET", "/fapi/v1/klines", sign=False, symbol="ETHUSDT", interval="1m")

    assert btc == (200, [])
    assert eth[1]


async def test_the_venue_s_clock_is_wrong(venue: RunningVenue, client: PlainClient) -> None:
    venue.fault(FaultRule(name="skew", kind=FaultKind.CLOCK_SKEW, delay=Delay(low_ms=-3000)))

    refused = await client.place("skewed")
    _, told = await client.ask("GET", "/fapi/v1/time", sign=False)
    taken = await client.ask("GET", "/fapi/v1/openOrders", at_ms=told["serverTime"], symbol="ETHUSDT")

    assert refused[1]["code"] == -1021
    assert taken[0] == 200


async def test_an_address_is_banned_for_a_time(venue: RunningVenue, client: PlainClient) -> None:
    venue.fault(rule(FaultKind.BANNED, delay=Delay(low_ms=1500)))

    first = await client.place("banned")
    second = await client.ask("GET", "/fapi/v1/time", sign=False)

    assert (first[0], second[0], second[1]["code"]) == (418, 418, -1003)
    assert int(client.headers["Retry-After"]) in (1, 2)
    assert venue.orders("banned") == []


@pytest.mark.parametrize(
    ("kind", "loss", "is_live"),
    [
        (FaultKind.REPLY_LOST, Loss.CLOSE, True),
        (FaultKind.REQUEST_LOST, Loss.CLOSE, False),
        (FaultKind.REPLY_TRUNCATED, Loss.CLOSE, True),
        (FaultKind.BAD_GATEWAY, Loss.CLOSE, True),
    ],
)
async def test_the_websocket_api_loses_replies_too(
    venue: RunningVenue, session: aiohttp.ClientSession, kind: FaultKind, loss: Loss, is_live: bool
) -> None:
    client_id = f"frame{kind.value}"
    venue.fault(rule(kind, loss=loss))
    async with session.ws_connect(f"{venue.ws_url}/ws-fapi/v1") as socket:
        await socket.send_json(order_frame(client_id))
        message = await socket.receive(timeout=60)

    if kind is FaultKind.REPLY_TRUNCATED:
        with pytest.raises(json.JSONDecodeError):
            json.loads(message.data)
    else:
        assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
    assert len(venue.orders(client_id)) == is_live


async def test_two_runs_of_one_seed_lose_the_same_replies(session: aiohttp.ClientSession) -> None:
    half = FaultRule(name="half", kind=FaultKind.UNKNOWN_ERROR, scope=PLACE, probability=0.5)

    async def run() -> list[int]:
        with running(still_options(faults=(half,))) as started:
            client = PlainClient(session, started.rest_url)
            return [(await client.place(f"seed{number}"))[0] for number in range(16)]

    first, second = await run(), await run()

    assert first == second
    assert set(first) == {200, 503}


def release(venue: RunningVenue) -> None:
    """Take the faults away, and leave the orders."""
    venue.within(lambda server: server.venue.plan.clear())


async def _eventually(is_so: Any) -> bool:
    for _ in range(3_000):
        if is_so():
            return True
        await asyncio.sleep(0.02)
    return False
