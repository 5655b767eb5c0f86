"""Over real sockets: replies and frames that no sound venue sends end as a named error or a new connection."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchanges.binance.trading import BinanceTrading
from exchanges.errors import OutcomeUnknown, VenueError
from exchanges.port import StreamDown
from grid.order import Fill, OrderUpdate, Quote
from tests.mutants import mutants, spoilt_text
from tests.unit.binance_messages import exchange_info, order_event, order_reply
from tests.venue.adapter_rig import PATIENCE_S, approved, market, trading
from tests.venue.adapter_rig import settings as adapter
from tests.venue.scripted_venue import book_frame, scripted

DEADLINE_MS = 20_000


def http(body: bytes, *, status: str = "200 OK", kind: str = "application/json", **headers: str) -> bytes:
    """Return a whole reply as it goes over the wire."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


DOUBLED = b'{"orderId":1,"symbol":"ETHUSDT","symbol":null,"status":"NEW","status":7}'
HTML = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>"
GARBAGE = {
    "nothing": b"",
    "no http": b"\x16\x03\x01 hello, is this https?\r\n\r\n",
    "half a header": b"HTTP/1.1 200 O",
    "a page of a proxy": http(HTML, kind="text/html"),
    "a page under an error": http(HTML, status="503 Service Unavailable", kind="text/html"),
    "an empty body": http(b""),
    "null": http(b"null"),
    "a list for an object": http(b"[[[]]]"),
    "an object for a list": http(b'{"a": 1}'),
    "cut off": http(orjson.dumps(order_reply()))[:-40],
    "cut off, of a stated length": http(orjson.dumps(order_reply())[:-40]),
    "no zip": http(b"plain", Content_Encoding="gzip"),
    "half a zip": http(gzip.compress(b"x" * 5000)[:30], Content_Encoding="gzip"),
    "no chunks": http(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked") + b"zz\r\nabc\r\n",
    "doubled keys": http(DOUBLED),
    "not a number": http(b'{"orderId": NaN, "serverTime": Infinity}'),
    "of another kind": http(b"order accepted", kind="image/png"),
    "a redirect": http(b"", status="302 Found", Location="http://127.0.0.1:1/"),
    "a status of its own": http(b"{}", status="799 Whatever"),
    "an odd pause": http(b"{}", status="429 Too Many", Retry_After="²"),
    "an odd count": http(b"{}", X_MBX_USED_WEIGHT_1M="9" * 5000),
    "a deep nest": http(b"[" * 100_000),
}
READS: dict[str, Callable[[BinanceTrading], Awaitable[Any]]] = {
    "rules": lambda venue: venue.rules(),
    "clock": lambda venue: venue.measure_clock(),
    "open orders": lambda venue: venue.open_orders(),
    "one order": lambda venue: venue.order("ETHUSDT", "a1"),
    "positions": lambda venue: venue.positions(),
    "account": lambda venue: venue.account(),
    "fees": lambda venue: venue.fee_rates("ETHUSDT"),
    "tiers": lambda venue: venue.maintenance_tiers("ETHUSDT"),
    "trades": lambda venue: venue.fills_since("ETHUSDT", 0),
    "orders": lambda venue: venue.orders_since("ETHUSDT", 0),
    "income": lambda venue: venue.income_since(0),
}
WRITES: dict[str, Callable[[BinanceTrading], Awaitable[Any]]] = {
    "place": lambda venue: venue.place(approved("a1")),
    "cancel": lambda venue: venue.cancel("ETHUSDT", "a1"),
    "countdown": lambda venue: venue.set_countdown("ETHUSDT", 30_000),
    "leverage": lambda venue: venue.set_leverage("ETHUSDT", 5),
}
NOTHING_HAPPENED = {"an odd pause"}
"""A 429 says that the venue did not act."""


@asynccontextmanager
async def raw_server(said: list[bytes]) -> AsyncIterator[str]:
    """A server that answers every connection's first request with the last bytes of `said`, and closes."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(said[-1])
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def desk(said: list[bytes]) -> AsyncIterator[BinanceTrading]:
    """The trading half, its rules read, its order socket down, against a server that says what stands in `said`."""
    async with raw_server(said) as place:
        venue = BinanceTrading(adapter(f"http://{place}", f"ws://{place}", order_timeout_s=5.0))
        said.append(http(orjson.dumps(exchange_info())))
        try:
            await venue.rules()
            yield venue
        finally:
            await venue.close()


@pytest.mark.parametrize("name", GARBAGE)
async def test_a_garbled_reply_to_a_question_is_an_error_of_the_venue(name: str) -> None:
    said: list[bytes] = []
    async with desk(said) as venue:
        said.append(GARBAGE[name])
        for question, ask in READS.items():
            with pytest.raises(VenueError) as refused:
                await ask(venue)
            assert not isinstance(refused.value, OutcomeUnknown), question


@pytest.mark.parametrize("name", GARBAGE)
async def test_a_garbled_reply_to_an_act_leaves_its_outcome_unknown(name: str) -> None:
    said: list[bytes] = []
    async with desk(said) as venue:
        said.append(GARBAGE[name])
        for what, act in WRITES.items():
            with pytest.raises(VenueError) as refused:
                await act(venue)
            assert isinstance(refused.value, OutcomeUnknown) or name in NOTHING_HAPPENED, (what, refused.value)


async def test_a_body_without_end_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exchanges.session.http.BODY_BYTES_MAX", 1000)
    said: list[bytes] = []
    async with raw_server(said) as place:
        venue = BinanceTrading(adapter(f"http://{place}", f"ws://{place}"))
        said.append(http(b" " * 2000 + b"{}"))
        with pytest.raises(VenueError, match="more than 1000 bytes"):
            await venue.rules()
        await venue.close()


def over_sockets(test: Callable[[], Awaitable[None]]) -> None:
    """Run one example on a loop of its own: hypothesis knows no coroutines."""
    asyncio.run(asyncio.wait_for(test(), PATIENCE_S * 2))


FRAMES = st.one_of(
    mutants(order_event(t=2)).map(lambda one: json.dumps(one).encode()),
    spoilt_text(orjson.dumps(order_event(t=2))),
    mutants({"e": "ACCOUNT_UPDATE", "E": 1, "T": 1, "a": {"P": [{"s": "ETHUSDT", "pa": "1", "ps": "BOTH"}]}}).map(
        lambda one: json.dumps(one).encode()
    ),
).filter(lambda frame: frame.decode("utf-8", "replace").isprintable() and bool(frame.strip()))


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(frame=FRAMES)
def test_a_spoilt_private_frame_costs_a_connection_at_most(frame: bytes) -> None:
    async def play() -> None:
        async with scripted() as venue:
            text = frame.decode("utf-8", "replace").encode()
            venue.frames.extend([[orjson.dumps(order_event(t=1)), text, orjson.dumps(order_event(t=8))]])
            venue.frames.extend([[orjson.dumps(order_event(t=9))]])
            async with trading(adapter(venue.rest_url, venue.ws_url), over_socket=False) as connected:
                events = connected.private_events()
                fills: list[Fill] = []
                downs = 0
                # either the frame was read, and the one behind it comes, or the stream went down and came up anew
                while not (fills and fills[-1].trade_id in ("8", "9")):
                    event = await anext(events)
                    downs += isinstance(event, StreamDown)
                    if isinstance(event, OrderUpdate) and event.fill is not None:
                        fills.append(event.fill)
                await events.aclose()
            assert downs == (fills[-1].trade_id == "9"), "what was not read was said"

    over_sockets(play)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(frame=mutants(orjson.loads(book_frame(2))))
def test_a_spoilt_quote_costs_a_connection_at_most(frame: Any) -> None:
    async def play() -> None:
        async with scripted() as venue:
            last = book_frame(2**62, bid="2888.88")
            venue.frames.extend([[book_frame(1), json.dumps(frame).encode(), last], [last]])
            async with market(adapter(venue.rest_url, venue.ws_url)) as public:
                quotes = public.quotes(["ETHUSDT"])
                while not (isinstance(event := await anext(quotes), Quote) and event.bid == 288888):
                    pass
                await quotes.aclose()

    over_sockets(play)
