"""What every trading half keeps, against a simulated venue of its language: orders and the account."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal

import pytest

from exchanges.errors import Refusal, VenueRefused
from exchanges.port import ConfigurationChanged, TradingVenue, UsedQuota
from exchanges.session.settings import Credentials
from exchanges.sim.server.faults import Delay, FaultKind, FaultRule
from exchanges.sim.server.options import DEMO_KEY, DEMO_SECRET
from exchanges.sim.server.server import SimVenue
from grid.order import OrderReport, OrderStatus, OrderUpdate, Side, TimeInForce
from tests.venue.adapter_rig import approved, settings, trading
from tests.venue.contract import VENUES, VenueUnderTest
from tests.venue.running_venue import RunningVenue, running, still_options

SOCKET, REST = "socket", "rest"


@pytest.fixture(scope="module", params=VENUES, ids=str)
def kind(request: pytest.FixtureRequest) -> VenueUnderTest:
    chosen: VenueUnderTest = request.param
    return chosen


@pytest.fixture(scope="module", params=[SOCKET, REST])
def door(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def venue(kind: VenueUnderTest, door: str) -> Iterator[RunningVenue]:
    """A venue for each door: some take a client id once only, for ever."""
    with running(still_options(protocol=kind.language, windows=kind.windows)) as started:
        yield started


@pytest.fixture(autouse=True)
def healed(venue: RunningVenue) -> Iterator[None]:
    yield
    venue.heal()


@pytest.fixture
async def desk(venue: RunningVenue, kind: VenueUnderTest, door: str) -> AsyncIterator[TradingVenue]:
    over_socket = door == SOCKET
    if over_socket and not kind.order_path:
        pytest.skip(f"{kind} takes orders over REST only")
    chosen = settings(venue.rest_url, venue.ws_url)
    async with trading(chosen, name=kind.name, over_socket=over_socket) as connected:
        assert connected.orders_by_socket == over_socket
        yield connected


async def refusal_of(desk: TradingVenue, client_id: str, **changes: object) -> Refusal:
    with pytest.raises(VenueRefused) as caught:
        await desk.place(approved(client_id, **changes))  # type: ignore[arg-type]
    return caught.value.refusal


async def test_an_order_lives_is_found_and_is_cancelled(desk: TradingVenue) -> None:
    placed = await desk.place(approved("life1"))
    found = await desk.order("ETHUSDT", "life1")
    resting = await desk.open_orders("ETHUSDT")
    cancelled = await desk.cancel("ETHUSDT", "life1")

    assert (placed.status, placed.price, placed.quantity, placed.filled) == (OrderStatus.NEW, 290000, 10, 0)
    assert found.order_id == placed.order_id
    assert [report.client_id for report in resting] == ["life1"]
    assert cancelled.status is OrderStatus.CANCELED
    assert await desk.open_orders() == []


async def test_each_refusal_has_its_word(desk: TradingVenue, kind: VenueUnderTest) -> None:
    await desk.place(approved("twin"))

    if kind.refuses_post_only:
        assert await refusal_of(desk, "taker", price=310000) is Refusal.POST_ONLY_WOULD_TAKE
    if kind.refuses_duplicates:
        assert await refusal_of(desk, "twin") is Refusal.DUPLICATE_ID
    if kind.has_minimum:
        assert await refusal_of(desk, "small", quantity=1) is Refusal.FILTER
    assert await refusal_of(desk, "rich", quantity=9_000_000) in (Refusal.MARGIN, Refusal.FILTER)
    closing = await refusal_of(desk, "close", side=Side.SELL, price=310000, closing=True)
    assert closing is Refusal.REDUCE_ONLY_CONFLICT


async def test_an_order_that_nobody_knows_is_unknown(desk: TradingVenue) -> None:
    for ask in (desk.order, desk.cancel):
        with pytest.raises(VenueRefused) as caught:
            await ask("ETHUSDT", "never")
        assert caught.value.refusal is Refusal.UNKNOWN_ORDER


async def test_a_batch_answers_each_order_in_its_place(desk: TradingVenue) -> None:
    prices = [290000, 31000000, 289900, 289800, 289700, 289600, 289500]
    answers = await desk.place_batch([approved(f"batch{n}", price) for n, price in enumerate(prices)])
    gone = await desk.cancel_batch("ETHUSDT", ["batch0", "never", *(f"batch{n}" for n in range(2, 7))])

    refused = answers[1]
    assert isinstance(refused, VenueRefused)
    assert refused.refusal is Refusal.FILTER
    placed = [answer for answer in answers if isinstance(answer, OrderReport)]
    assert [report.client_id for report in placed] == [f"batch{n}" for n in (0, 2, 3, 4, 5, 6)]
    assert isinstance(gone[1], VenueRefused)
    assert sum(isinstance(answer, OrderReport) for answer in gone) == 6
    assert await desk.open_orders() == []


async def test_a_position_is_opened_read_and_closed_reduce_only(desk: TradingVenue, venue: RunningVenue) -> None:
    since_ms = settings(venue.rest_url, venue.ws_url).now_ms() - 5_000
    bought = await desk.place(approved("in", 310000, time_in_force=TimeInForce.IOC))
    (held,) = await desk.positions()
    sold = await desk.place(approved("out", 290000, Side.SELL, closing=True, time_in_force=TimeInForce.IOC))
    (flat,) = await desk.positions()

    assert (bought.status, bought.filled, held.quantity) == (OrderStatus.FILLED, 10, 10)
    assert (sold.status, sold.closing, flat.quantity) == (OrderStatus.FILLED, True, 0)
    assert flat.symbol == "ETHUSDT"
    fills = await desk.fills_since("ETHUSDT", since_ms)
    mine = [fill for fill in fills if fill.order_id in (bought.order_id, sold.order_id)]
    assert [fill.side for fill in mine] == [Side.BUY, Side.SELL]
    assert await desk.fills_since("ETHUSDT", since_ms, bought.order_id) == mine[:1]
    income = await desk.income_since(since_ms)
    assert sum(row.amount for row in income if row.kind == "COMMISSION") <= -sum(fill.fee for fill in mine)


async def test_the_account_and_its_rates_are_read(desk: TradingVenue) -> None:
    account = await desk.account()
    rates = await desk.fee_rates("ETHUSDT")
    tiers = await desk.maintenance_tiers("ETHUSDT")

    assert account.is_one_way
    assert account.can_trade
    assert account.wallet > 99_000
    assert Decimal(0) < rates.maker < rates.taker
    assert tiers[0].notional_floor == 0
    assert [tier.notional_floor for tier in tiers[1:]] == [tier.notional_cap for tier in tiers[:-1]]


async def test_leverage_and_margin_type_may_be_set_twice(desk: TradingVenue, kind: VenueUnderTest) -> None:
    for _ in range(2):
        await desk.set_leverage("ETHUSDT", 7)
        if kind.has_margin_type:
            await desk.set_margin_type("ETHUSDT", "crossed")

    (held,) = await desk.positions()
    assert (held.leverage, held.is_isolated) == (7, False)


async def test_used_quota_is_passed_on(desk: TradingVenue, kind: VenueUnderTest) -> None:
    if not kind.tells_quota:
        pytest.skip(f"{kind} does not tell what is used")
    told: list[UsedQuota] = []
    desk.on_quota = told.append
    await desk.place(approved("count"))

    used = {key: count for quota in told for key, count in quota.used.items()}
    assert any(count >= 1 for (what, _), count in used.items() if what == "orders")


async def test_a_wrong_clock_is_measured_again_and_the_next_order_goes(
    desk: TradingVenue, venue: RunningVenue, kind: VenueUnderTest
) -> None:
    if desk.orders_by_socket and not kind.stamps_socket_orders:
        pytest.skip(f"{kind} judges no time of an order over its socket")
    venue.fault(FaultRule(name="skew", kind=FaultKind.CLOCK_SKEW, delay=Delay(low_ms=60_000)))

    assert await refusal_of(desk, "early") is Refusal.CLOCK
    placed = await desk.place(approved("ontime"))

    assert placed.status is OrderStatus.NEW
    assert 59_000 < desk.clock_offset_ms() < 61_000


async def test_an_order_says_so_when_its_symbol_is_unknown(desk: TradingVenue) -> None:
    with pytest.raises(VenueRefused) as caught:
        await desk.place(approved("where", symbol="NOPEUSDT"))

    assert caught.value.refusal is Refusal.SYMBOL_CLOSED


async def test_wrong_keys_are_a_matter_of_credentials(venue: RunningVenue, kind: VenueUnderTest) -> None:
    wrong = settings(
        venue.rest_url, venue.ws_url, credentials=Credentials(api_key="wrongkey", api_secret="wrongsecret")
    )
    async with trading(wrong, name=kind.name, over_socket=False) as stranger:
        with pytest.raises(VenueRefused) as caught:
            await stranger.account()
        assert await refusal_of(stranger, "x1") is Refusal.CREDENTIALS

    assert caught.value.refusal is Refusal.CREDENTIALS
    assert "wrongsecret" not in str(caught.value)


async def test_the_most_talkative_log_holds_no_keys(desk: TradingVenue, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await desk.place(approved("quiet1"))
    events = desk.private_events()
    await anext(events)
    await desk.cancel("ETHUSDT", "quiet1")
    await events.aclose()

    for secret in (DEMO_KEY, DEMO_SECRET, "signature", "listenKey="):
        assert secret not in caplog.text


async def test_a_symbol_that_stops_trading_is_told_once(venue: RunningVenue, kind: VenueUnderTest) -> None:
    def delist(server: SimVenue) -> None:
        inner = server.venue
        inner.tell(inner.engine.foreign.delist("XRPUSDT", inner.now_ms()))

    async with trading(settings(venue.rest_url, venue.ws_url), name=kind.name) as desk:
        before = await desk.instrument("XRPUSDT")
        events = desk.private_events()
        await anext(events)
        venue.within(delist)
        first = (await desk.rules()).instruments["XRPUSDT"]
        after = (await desk.rules()).instruments["XRPUSDT"]
        if kind.tells_other_hands:
            await desk.set_leverage("ETHUSDT", 11)
        else:
            await desk.place(approved("next1"))
        told = [await anext(events), await anext(events)]
        await events.aclose()

    assert (before.trading, first.trading, after.trading) == (True, False, False)
    assert isinstance(told[0], ConfigurationChanged)
    assert isinstance(told[1], ConfigurationChanged if kind.tells_other_hands else OrderUpdate)
    assert ["XRPUSDT" in str(event) for event in told] == [True, False]
