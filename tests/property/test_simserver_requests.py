"""Whatever a client sends, the venue answers in its own words and stays what it was."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.sim.binance.call import Call, Door
from exchanges.sim.binance.endpoint import Endpoint, Security
from exchanges.sim.binance.errors import ApiError
from exchanges.sim.binance.interface import REST
from exchanges.sim.binance.pipeline import Pipeline
from exchanges.sim.binance.rate_limits import RateLimits
from exchanges.sim.binance.venue import Venue
from exchanges.sim.catalogue import demo_instruments
from exchanges.sim.market import BookTop
from exchanges.sim.server.faults import Delay, FaultKind, FaultPlan, FaultRule, Subject, frame_copies
from exchanges.sim.server.market_source import ListedMarket
from exchanges.sim.server.options import DEMO_KEY, VenueOptions
from exchanges.sim.server.windows import Interval, Kind, Window

NOW_MS = 1_700_000_000_000
UNBOUNDED = (Window(kind=Kind.WEIGHT, interval=Interval.MINUTE, number=1, limit=10**12),)
WORDS = {
    "symbol": ["ETHUSDT", "ETHUSDT", "ETHUSDT", "NOPE", ""],
    "side": ["BUY", "SELL", "x"],
    "type": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TRAILING_STOP_MARKET", "LIQUIDATION", "z"],
    "timeInForce": ["GTC", "GTX", "IOC", "FOK", "GTD", "z"],
    "interval": ["1s", "1m", "7m"],
    "reduceOnly": ["true", "false", "1"],
    "closePosition": ["true", "false"],
    "algoType": ["CONDITIONAL", "VP"],
    "workingType": ["MARK_PRICE", "CONTRACT_PRICE", "x"],
    "positionSide": ["BOTH", "LONG"],
    "marginType": ["ISOLATED", "CROSSED", "x"],
    "dualSidePosition": ["true", "false", "x"],
    "multiAssetsMargin": ["true", "false"],
    "newOrderRespType": ["ACK", "RESULT"],
    "selfTradePreventionMode": ["NONE", "EXPIRE_TAKER", "EXPIRE_BOTH", "x"],
    "batchOrders": ["[]", "{}", "[1]", "x", '[{"symbol":"ETHUSDT","quantity":null,"side":true}]'],
    "orderIdList": ["[1]", "x", '["a"]'],
}
NUMBERS = (
    "quantity price triggerPrice callbackRate activatePrice orderId algoId limit startTime endTime fromId "
    "leverage countdownTime goodTillDate"
).split()
NAMES = ("origClientOrderId", "newClientOrderId", "clientAlgoId", "incomeType", "origClientOrderIdList")

number = st.one_of(
    st.sampled_from(["0", "-1", "0.01", "2900", "3100", "NaN", "inf", "1e400", "1E-30", "é", "9" * 30]),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.integers().map(str),
)
params = st.fixed_dictionaries(
    {},
    optional={name: st.sampled_from(words) for name, words in WORDS.items()}
    | dict.fromkeys(NUMBERS, number)
    | dict.fromkeys(NAMES, st.text(max_size=40)),
)


@cache
def venue() -> Venue:
    known = tuple(demo_instruments())
    made = Venue(VenueOptions(market=ListedMarket(known=known), windows=UNBOUNDED), lambda: NOW_MS)
    eth = next(held for held in known if held.symbol == "ETHUSDT")
    made.on_market(
        BookTop(
            symbol="ETHUSDT",
            time_ms=NOW_MS,
            bid=eth.ticks(Decimal(3000)),
            bid_quantity=eth.steps(Decimal(500)),
            ask=eth.ticks(Decimal("3000.01")),
            ask_quantity=eth.steps(Decimal(500)),
        )
    )
    return made


@settings(max_examples=150)
@given(endpoint=st.sampled_from(REST), sent=params)
def test_every_request_is_answered_in_the_venue_s_words(endpoint: Endpoint, sent: dict[str, str]) -> None:
    call = Call(
        door=Door.REST,
        action=endpoint.action,
        path=endpoint.path,
        params={**sent, "timestamp": str(NOW_MS)},
        peer="127.0.0.1",
        received_ms=NOW_MS,
        api_key=DEMO_KEY,
    )
    signer = "" if endpoint.security is Security.NONE else "main"

    reply = asyncio.run(Pipeline(venue()).answer(endpoint, call, signer=signer))

    assert reply.status in (200, 400)
    assert reply.body()
    assert reply.status == 200 or set(reply.payload) == {"code", "msg"}
    assert all(order.status.is_open for order in venue().engine.read.open_orders("main"))


@given(
    limit=st.integers(1, 20),
    requests=st.lists(st.tuples(st.integers(0, 30_000), st.integers(1, 3)), max_size=80),
)
def test_no_window_ever_takes_more_than_its_limit(limit: int, requests: list[tuple[int, int]]) -> None:
    window = Window(kind=Kind.ORDERS, interval=Interval.SECOND, number=10, limit=limit)
    limits, taken, now_ms = RateLimits((window,)), dict[int, int](), 0
    for pause_ms, cost in requests:
        now_ms += pause_ms
        index = now_ms // 10_000
        try:
            limits.charge_orders("main", {Interval.SECOND: cost}, now_ms)
        except ApiError:
            assert taken.get(index, 0) + cost > limit
        else:
            taken[index] = taken.get(index, 0) + cost

    assert all(count <= limit for count in taken.values())


@given(seed=st.integers(0, 2**32), dropped=st.floats(0.01, 1), doubled=st.floats(0.01, 1), frames=st.integers(1, 200))
def test_a_frame_is_dropped_or_sent_and_the_seed_decides(
    seed: int, dropped: float, doubled: float, frames: int
) -> None:
    rules = [
        FaultRule(name="dropped", kind=FaultKind.EVENT_DROPPED, probability=dropped),
        FaultRule(name="doubled", kind=FaultKind.EVENT_DOUBLED, probability=doubled, delay=Delay(low_ms=5)),
    ]

    def run() -> list[int]:
        plan = FaultPlan(rules, seed=seed)
        return [len(frame_copies(plan, Subject(stream="ORDER_TRADE_UPDATE"), 0)) for _ in range(frames)]

    first = run()

    assert first == run()
    assert set(first) <= {0, 1, 2}
