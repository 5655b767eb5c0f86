"""The rarer events of the private stream, each caused by what causes it at the venue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

import aiohttp
import pytest

from exchanges.sim.market import Mark
from exchanges.sim.server.options import demo_account
from exchanges.sim.server.server import SimVenue
from grid.order import Side
from tests.venue.running_venue import PlainClient, RunningVenue, quote, running, still_options, trade


@pytest.fixture
def venue() -> Iterator[RunningVenue]:
    with running(still_options(accounts=(demo_account(deposit=Decimal(1_000)),))) as started:
        yield started


@pytest.fixture
def client(venue: RunningVenue, session: aiohttp.ClientSession) -> PlainClient:
    return PlainClient(session, venue.rest_url)


@pytest.fixture
async def stream(
    venue: RunningVenue, client: PlainClient, session: aiohttp.ClientSession
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    key = await client.listen_key()
    async with session.ws_connect(f"{venue.ws_url}/private/ws?listenKey={key}") as socket:
        yield socket


async def until(
    stream: aiohttp.ClientWebSocketResponse, is_it: Callable[[dict[str, Any]], bool]
) -> list[dict[str, Any]]:
    """Return the events up to the first that is it."""
    seen: list[dict[str, Any]] = []
    while not seen or not is_it(seen[-1]):
        seen.append(await stream.receive_json(timeout=60))
    return seen


async def stop_order(client: PlainClient, **changes: Any) -> Any:
    order = {
        "algoType": "CONDITIONAL",
        "symbol": "ETHUSDT",
        "side": "SELL",
        "type": "STOP_MARKET",
        "triggerPrice": "2950",
        "closePosition": "true",
        "clientAlgoId": "stop1",
    }
    return (await client.ask("POST", "/fapi/v1/algoOrder", **{**order, **changes}))[1]


def mark_at(price: int, server: SimVenue) -> None:
    server.tape.play(Mark(symbol="ETHUSDT", time_ms=server.venue.now_ms(), price=Decimal(price)))


async def test_leverage_is_told(client: PlainClient, stream: aiohttp.ClientWebSocketResponse) -> None:
    await client.ask("POST", "/fapi/v1/leverage", symbol="ETHUSDT", leverage=11)

    event = await stream.receive_json(timeout=60)

    assert (event["e"], event["ac"]) == ("ACCOUNT_CONFIG_UPDATE", {"s": "ETHUSDT", "l": 11})


async def test_an_amendment_is_told(client: PlainClient, stream: aiohttp.ClientWebSocketResponse) -> None:
    await client.place("amended")
    await client.ask(
        "PUT",
        "/fapi/v1/order",
        symbol="ETHUSDT",
        origClientOrderId="amended",
        side="BUY",
        quantity="0.02",
        price="2901",
    )

    placed, amended = [await stream.receive_json(timeout=60) for _ in range(2)]

    assert (placed["o"]["x"], amended["o"]["x"], amended["o"]["X"]) == ("NEW", "AMENDMENT", "NEW")
    assert (amended["o"]["p"], amended["o"]["q"]) == ("2901.00", "0.020")


async def test_a_stop_goes_through_its_states_and_closes_the_position(
    venue: RunningVenue, client: PlainClient, stream: aiohttp.ClientWebSocketResponse
) -> None:
    await client.place("held", price="3001", timeInForce="IOC", quantity="0.1")
    placed = await stop_order(client)
    await asyncio.to_thread(venue.play, quote("ETHUSDT", "2949", "2949.01"), trade("ETHUSDT", "2949", "1", Side.SELL))

    seen = await until(stream, lambda event: event["e"] == "ALGO_UPDATE" and event["o"]["X"] == "FINISHED")

    states = [event["o"]["X"] for event in seen if event["e"] == "ALGO_UPDATE"]
    assert states == ["NEW", "TRIGGERING", "TRIGGERED", "FINISHED"]
    assert {event["o"]["aid"] for event in seen if event["e"] == "ALGO_UPDATE"} == {placed["algoId"]}
    closing = [event["o"] for event in seen if event["e"] == "ORDER_TRADE_UPDATE" and event["o"]["S"] == "SELL"]
    assert (closing[-1]["X"], closing[-1]["z"], closing[-1]["R"]) == ("FILLED", "0.100", True)


async def test_a_triggered_order_that_is_refused_is_told(
    venue: RunningVenue, client: PlainClient, stream: aiohttp.ClientWebSocketResponse
) -> None:
    placed = await stop_order(client, closePosition="false", quantity="1", reduceOnly="true")
    assert placed["algoStatus"] == "NEW", placed
    await asyncio.to_thread(venue.play, quote("ETHUSDT", "2949", "2949.01"), trade("ETHUSDT", "2949", "1", Side.SELL))

    seen = await until(stream, lambda event: event["e"] == "CONDITIONAL_ORDER_TRIGGER_REJECT")

    assert seen[-1]["or"]["s"] == "ETHUSDT"
    assert "ReduceOnly" in seen[-1]["or"]["r"]


async def test_a_margin_call_and_then_the_liquidation_are_told(
    venue: RunningVenue,
    client: PlainClient,
    stream: aiohttp.ClientWebSocketResponse,
    session: aiohttp.ClientSession,
) -> None:
    async with session.ws_connect(f"{venue.ws_url}/market/ws/ethusdt@forceOrder") as public:
        status, answer = await client.place("much", price="3001", timeInForce="IOC", quantity="6")
        assert status == 200, answer
        for price in range(2990, 2800, -1):
            await asyncio.to_thread(
                venue.play,
                quote("ETHUSDT", f"{price}", f"{price}.01"),
                trade("ETHUSDT", f"{price}", "1", Side.SELL),
            )
            await asyncio.to_thread(venue.within, partial(mark_at, price))
        seen = await until(
            stream, lambda event: event["e"] == "ORDER_TRADE_UPDATE" and event["o"]["c"].startswith("autoclose-")
        )
        forced = await public.receive_json(timeout=60)

    call = next(event for event in seen if event["e"] == "MARGIN_CALL")
    assert (call["p"][0]["s"], call["p"][0]["ps"], call["p"][0]["mt"]) == ("ETHUSDT", "BOTH", "CROSSED")
    assert Decimal(call["p"][0]["up"]) < 0
    assert (forced["e"], forced["o"]["s"], forced["o"]["S"]) == ("forceOrder", "ETHUSDT", "SELL")


async def test_a_countdown_cancels_everything_on_the_symbol(
    client: PlainClient, stream: aiohttp.ClientWebSocketResponse
) -> None:
    await client.place("counted1")
    await client.place("counted2", price="2901")
    await client.ask("POST", "/fapi/v1/countdownCancelAll", symbol="ETHUSDT", countdownTime=200)

    seen = [await stream.receive_json(timeout=60) for _ in range(4)]

    assert [event["o"]["X"] for event in seen] == ["NEW", "NEW", "CANCELED", "CANCELED"]
