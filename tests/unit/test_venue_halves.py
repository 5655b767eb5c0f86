"""What the private halves of all venues share: fence, order socket, clock and toll, and what an answer means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from exchanges.adapters import NATIVE, trading_venue
from exchanges.binance.codes import CODES
from exchanges.binance.tongue import BinanceHttp, BinanceOrders, refusal_in
from exchanges.cost import Cost
from exchanges.errors import BadReply, OutcomeUnknown, Refusal, VenueError, VenueRefused, VenueUnreachable
from exchanges.hosts import HostPolicy
from exchanges.port import ConfigurationChanged, PrivateEvent
from exchanges.session.answers import Answer, batch_answers
from exchanges.session.buffers import Closed, WholeBuffer
from exchanges.session.calls import VenueCalls
from exchanges.session.settings import AdapterSettings, Credentials
from exchanges.session.trading_half import TradingHalf
from exchanges.wire import UnknownSymbol
from grid.order import OrderReport, OrderStatus, Side
from tests.unit.okx_messages import btc
from tests.venue.adapter_rig import settings

CLOSED_REST, CLOSED_WS = "http://127.0.0.1:9", "ws://127.0.0.1:9"
CLOCK = VenueRefused("-1021", "time stamp", Refusal.CLOCK)
EXPECTED_TOLL = {"okx": 18}
"""Weight of three readings of the clock, where one costs more than one."""

Send = Callable[[Any], Awaitable[Any]]
BY_REST: dict[str, Send] = {
    "binanceusdm": lambda calls: calls.write("POST", "leverage", {"symbol": "ETHUSDT", "leverage": 5}),
    "bybit": lambda calls: calls.write("position/set-leverage", {"symbol": "ETHUSDT"}),
    "gate": lambda calls: calls.write("POST", "positions/ETH_USDT/leverage", {"leverage": 5}),
    "okx": lambda calls: calls.write("account/set-leverage", {"instId": "ETH-USDT-SWAP"}),
    "bitget": lambda calls: calls.write("account/set-leverage", {"symbol": "ETHUSDT"}),
}
BY_SOCKET: dict[str, Send] = {
    "binanceusdm": lambda calls: calls.order("order.cancel", "DELETE", {"symbol": "ETHUSDT"}),
    "bybit": lambda calls: calls.order("order.cancel", {"symbol": "ETHUSDT"}, 2000),
    "gate": lambda calls: calls.cancel("g1", 2000),
    "okx": lambda calls: calls.order("cancel-order", {"clOrdId": "g1"}, btc()),
    "bitget": lambda calls: calls.order("cancel-order", "ETHUSDT", {"clientOid": "g1"}, {"clientOid": "g1"}),
}


class Shut(Exception):
    """Nothing may be written."""


def shut() -> None:
    raise Shut


def closed_venue(**changes: Any) -> AdapterSettings:
    """Return settings of a venue at which nobody listens."""
    keys = Credentials(api_key="key", api_secret="secret", passphrase="words")
    return replace(settings(CLOSED_REST, CLOSED_WS), credentials=keys, **changes)


@pytest.fixture(params=NATIVE)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def venue(name: str) -> AsyncIterator[TradingHalf[Any]]:
    made = trading_venue(name, closed_venue())
    assert isinstance(made, TradingHalf)
    yield made
    await made.close()


async def test_a_closed_fence_stops_what_goes_by_rest(name: str, venue: TradingHalf[Any]) -> None:
    with pytest.raises(VenueUnreachable, match="not sent"):
        await BY_REST[name](venue._calls)
    venue.fence_by(shut)

    with pytest.raises(Shut):
        await BY_REST[name](venue._calls)


async def test_a_closed_fence_stops_an_order_before_its_way_is_chosen(name: str, venue: TradingHalf[Any]) -> None:
    venue.fence_by(shut)

    with pytest.raises(Shut):
        BY_SOCKET[name](venue._calls)


async def test_a_reader_that_broke_by_a_bug_is_not_hidden_behind_rest(name: str, venue: TradingHalf[Any]) -> None:
    async def broken() -> None:
        raise ZeroDivisionError

    venue._calls._entry_task = asyncio.create_task(broken())
    await asyncio.wait([venue._calls._entry_task])

    with pytest.raises(ZeroDivisionError):
        BY_SOCKET[name](venue._calls)


async def test_measuring_the_clock_is_paid_for_before_it_is_asked(name: str, venue: TradingHalf[Any]) -> None:
    paid = list[Cost]()

    async def toll(cost: Cost) -> None:
        paid.append(cost)

    venue.toll = toll
    with pytest.raises(VenueUnreachable):
        await venue.measure_clock()

    assert paid == [Cost(weight=EXPECTED_TOLL.get(name, 3))]


async def test_an_unknown_symbol_has_the_rules_read_anew_at_their_cost(venue: TradingHalf[Any]) -> None:
    paid = list[Cost]()

    async def toll(cost: Cost) -> None:
        paid.append(cost)

    def unknown() -> list[int]:
        raise UnknownSymbol("NEWUSDT")

    venue.toll = toll
    with pytest.raises(VenueUnreachable):
        await venue._parsed(unknown)

    assert paid == [venue.costs.rules]


async def test_changed_rules_are_told_once_to_whoever_listens(venue: TradingHalf[Any]) -> None:
    await venue._tell({"ETHUSDT": "the tick is 0.1 now"})
    venue._events = heard = WholeBuffer[PrivateEvent](10)

    for _ in range(2):
        await venue._tell({"ETHUSDT": "the tick is 0.1 now"})
    await venue._tell({"ETHUSDT": "the step is 0.1 now"})
    heard.end(None)

    assert [await heard.get(), await heard.get()] == [
        ConfigurationChanged(what="the tick is 0.1 now", symbol="ETHUSDT"),
        ConfigurationChanged(what="the step is 0.1 now", symbol="ETHUSDT"),
    ]
    with pytest.raises(Closed):
        await heard.get()


class Told(VenueCalls):
    """Calls of a venue whose clock reads as it was told to."""

    def __init__(self, *readings: int | VenueError) -> None:
        told = closed_venue(now_ms=lambda: 1_000, time_probes=1)
        policy = HostPolicy.of((CLOSED_REST, CLOSED_WS))
        super().__init__(
            told, policy, http=BinanceHttp(), orders_url=CLOSED_WS, orders=BinanceOrders(), on_quota=lambda _: None
        )
        self.readings = list(readings)

    async def _read_venue_ms(self) -> int:
        reading = self.readings.pop(0)
        if isinstance(reading, VenueError):
            raise reading
        return reading

    def refused(self, refusal: VenueRefused) -> Coroutine[Any, Any, None]:
        async def answer() -> None:
            raise refusal

        return self._minding_clock(answer())


async def test_a_refusal_of_our_time_has_the_clock_measured_and_reaches_the_caller() -> None:
    calls = Told(1_250)

    with pytest.raises(VenueRefused) as caught:
        await calls.refused(CLOCK)

    assert caught.value is CLOCK
    assert (calls.readings, calls.venue_now_ms()) == ([], 1_250)


async def test_a_refusal_for_anything_else_measures_nothing() -> None:
    calls = Told(1_250)

    with pytest.raises(VenueRefused):
        await calls.refused(VenueRefused("-2019", "margin", Refusal.MARGIN))

    assert (calls.readings, calls.venue_now_ms()) == ([1_250], 1_000)


async def test_a_clock_that_does_not_answer_leaves_the_offset_and_the_refusal() -> None:
    calls = Told(1_250, VenueUnreachable("down"))
    await calls.measure_clock()

    with pytest.raises(VenueRefused):
        await calls.refused(CLOCK)

    assert calls.venue_now_ms() == 1_250


def taken(client_id: str) -> OrderReport:
    return OrderReport(
        symbol="ETHUSDT",
        order_id="1",
        client_id=client_id,
        side=Side.BUY,
        status=OrderStatus.NEW,
        price=290000,
        quantity=10,
        filled=0,
        closing=False,
        venue_ms=1,
    )


async def answers_to(reply: Any) -> list[Answer]:
    async def answer() -> Any:
        if isinstance(reply, VenueError):
            raise reply
        return reply

    def report(row: Any, client_id: str) -> OrderReport:
        if row["id"] != client_id:
            raise OutcomeUnknown(f"{client_id} is not {row['id']}")
        return taken(client_id)

    return await batch_answers(answer(), ["a", "b"], "batch", CODES, refusal_in, report)


async def test_each_item_of_a_batch_is_judged_by_itself() -> None:
    refused, unknown = await answers_to([{"code": -2019, "msg": "margin"}, {"id": "z"}])
    assert isinstance(refused, VenueRefused)
    assert refused.refusal is Refusal.MARGIN
    assert isinstance(unknown, OutcomeUnknown)

    assert await answers_to([{"id": "a"}, {"id": "b"}]) == [taken("a"), taken("b")]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ([{"id": "a"}], OutcomeUnknown),
        ("nothing", OutcomeUnknown),
        (BadReply("shape"), OutcomeUnknown),
        (VenueUnreachable("not sent"), VenueUnreachable),
        (CLOCK, VenueRefused),
    ],
)
async def test_a_failure_of_the_whole_batch_is_the_answer_to_each_of_its_orders(reply: Any, kind: type) -> None:
    assert [type(answer) for answer in await answers_to(reply)] == [kind, kind]
