"""A client library of the venue's own works against the simulated venue as it comes: REST, streams, order socket."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from queue import Empty, Queue
from typing import Any

import pybit._websocket_trading
import pybit.unified_trading
import pytest
from pybit.exceptions import FailedRequestError, InvalidRequestError

from exchanges.sim.server.faults import Delay, FaultKind, FaultRule, Scope
from exchanges.sim.server.options import DEMO_KEY, DEMO_SECRET
from exchanges.sim.server.windows import Interval, Kind, Window
from grid.order import Side
from tests.venue.running_venue import RunningVenue, running, still_options, trade

WIDE = (Window(kind=Kind.ORDERS, interval=Interval.SECOND, number=1, limit=1000),)
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def venue() -> Iterator[RunningVenue]:
    with running(still_options(protocol="bybit", windows=WIDE)) as started:
        yield started


@pytest.fixture
def client(venue: RunningVenue) -> Any:
    venue.heal()
    made = pybit.unified_trading.HTTP(api_key=DEMO_KEY, api_secret=DEMO_SECRET, max_retries=1)
    made.endpoint = venue.rest_url
    return made


def place(client: Any, link_id: str, **changes: Any) -> Any:
    order = {
        "category": "linear",
        "symbol": "ETHUSDT",
        "side": "Buy",
        "orderType": "Limit",
        "qty": "0.010",
        "price": "2900",
        "timeInForce": "PostOnly",
        "orderLinkId": link_id,
    }
    return client.place_order(**{**order, **changes})["result"]


READS: dict[str, dict[str, Any]] = {
    "get_server_time": {},
    "get_instruments_info": {"category": "linear"},
    "get_orderbook": {"category": "linear", "symbol": "ETHUSDT", "limit": 1},
    "get_kline": {"category": "linear", "symbol": "ETHUSDT", "interval": 1},
    "get_tickers": {"category": "linear", "symbol": "ETHUSDT"},
    "get_risk_limit": {"category": "linear", "symbol": "ETHUSDT"},
    "get_public_trade_history": {"category": "linear", "symbol": "ETHUSDT"},
    "get_funding_rate_history": {"category": "linear", "symbol": "ETHUSDT"},
    "get_wallet_balance": {"accountType": "UNIFIED"},
    "get_account_info": {},
    "get_api_key_information": {},
    "get_fee_rates": {"category": "linear", "symbol": "ETHUSDT"},
    "get_positions": {"category": "linear", "symbol": "ETHUSDT"},
    "get_open_orders": {"category": "linear", "symbol": "ETHUSDT"},
    "get_order_history": {"category": "linear", "symbol": "ETHUSDT"},
    "get_executions": {"category": "linear", "symbol": "ETHUSDT"},
    "get_transaction_log": {"accountType": "UNIFIED", "category": "linear", "currency": "USDT"},
}


@pytest.mark.parametrize("name", READS)
def test_every_read_succeeds(client: Any, name: str) -> None:
    reply = getattr(client, name)(**READS[name])

    assert (reply["retCode"], reply["retMsg"]) == (0, "OK")
    assert reply["result"]


def test_an_order_is_placed_amended_read_and_cancelled(client: Any) -> None:
    placed = place(client, "pybit-1")
    named = {"category": "linear", "symbol": "ETHUSDT", "orderId": placed["orderId"]}
    client.amend_order(**named, qty="0.020", price="2901")
    (found,) = client.get_open_orders(**named)["result"]["list"]
    client.cancel_order(category="linear", symbol="ETHUSDT", orderLinkId="pybit-1")
    (gone,) = client.get_open_orders(**named)["result"]["list"]

    assert (found["orderStatus"], found["qty"], found["price"]) == ("New", "0.020", "2901.00")
    assert (gone["orderStatus"], gone["cancelType"]) == ("Cancelled", "CancelByUser")
    assert client.get_open_orders(category="linear", settleCoin="USDT")["result"]["list"] == []


def test_a_batch_answers_for_each_order_by_itself(client: Any) -> None:
    fine = {"symbol": "ETHUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.010", "timeInForce": "PostOnly"}
    rows = [
        {**fine, "price": "2900", "orderLinkId": "pybit-b1"},
        {**fine, "price": "2900", "orderLinkId": "pybit-b2", "qty": "0.001"},
    ]
    reply = client.place_batch_order(category="linear", request=rows)

    assert [row["code"] for row in reply["retExtInfo"]["list"]] == [0, 110094]
    assert client.cancel_all_orders(category="linear", symbol="ETHUSDT")["result"]["list"]


def test_refusals_reach_the_client_by_their_codes(client: Any) -> None:
    place(client, "pybit-twin")
    with pytest.raises(InvalidRequestError, match="110072"):
        place(client, "pybit-twin")
    client.cancel_order(category="linear", symbol="ETHUSDT", orderLinkId="pybit-twin")
    with pytest.raises(InvalidRequestError, match="110072"):
        place(client, "pybit-twin")
    with pytest.raises(InvalidRequestError, match="110001"):
        client.cancel_order(category="linear", symbol="ETHUSDT", orderLinkId="pybit-never")
    with pytest.raises(InvalidRequestError, match="110017"):
        place(client, "pybit-close", side="Sell", price="3100", reduceOnly=True)


def test_a_wrong_signature_is_refused(venue: RunningVenue) -> None:
    stranger = pybit.unified_trading.HTTP(api_key=DEMO_KEY, api_secret="wrong", max_retries=1)
    stranger.endpoint = venue.rest_url

    with pytest.raises((InvalidRequestError, FailedRequestError), match="10004"):
        stranger.get_account_info()


class Unheard(AssertionError):
    """What was waited for did not come."""


def heard(queue: Queue[Any], wanted: Callable[[Any], bool], within_s: float = PATIENCE_S) -> Any:
    deadline = time.monotonic() + within_s
    seen = []
    while time.monotonic() < deadline:
        try:
            message = queue.get(timeout=0.2)
        except Empty:
            continue
        if wanted(message):
            return message
        seen.append(message)
    raise Unheard(f"not told: {seen}")


def private_topics(venue: RunningVenue) -> set[str]:
    """Return what somebody with keys listens to."""
    hub = venue.server.venue.hub  # type: ignore[attr-defined]
    return {topic for held in list(hub._sessions) if held.is_private for topic in list(held.topics)}


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it never became so"
        time.sleep(0.02)


def test_streams_tell_the_market_and_the_account(
    venue: RunningVenue, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pybit.unified_trading, "PRIVATE_WSS", f"{venue.ws_url}/v5/private")
    monkeypatch.setattr(pybit.unified_trading, "PUBLIC_WSS", f"{venue.ws_url}/v5/public/linear")
    public = pybit.unified_trading.WebSocket(testnet=False, channel_type="linear")
    private = pybit.unified_trading.WebSocket(
        testnet=False, channel_type="private", api_key=DEMO_KEY, api_secret=DEMO_SECRET
    )
    tickers: Queue[Any] = Queue()
    told: Queue[Any] = Queue()
    try:
        public.ticker_stream("ETHUSDT", tickers.put)
        for subscribe in (private.order_stream, private.execution_stream, private.position_stream):
            subscribe(told.put)
        assert heard(tickers, lambda message: "markPrice" in message["data"])["topic"] == "tickers.ETHUSDT"
        # the client does not say when its topics are confirmed
        until(lambda: {"order", "execution", "position"} <= private_topics(venue))

        place(client, "pybit-stream", price="2999.00")
        order = heard(told, lambda message: message["topic"] == "order")
        venue.play(trade("ETHUSDT", "2998.00", "1", Side.SELL))
        execution = heard(told, lambda message: message["topic"] == "execution")
        position = heard(told, lambda message: message["topic"] == "position")
    finally:
        public.exit()
        private.exit()

    assert (order["data"][0]["orderLinkId"], order["data"][0]["orderStatus"]) == ("pybit-stream", "New")
    assert (execution["data"][0]["execQty"], execution["data"][0]["isMaker"]) == ("0.010", True)
    assert position["data"][0]["symbol"] == "ETHUSDT"


def test_orders_go_over_the_socket(venue: RunningVenue, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pybit._websocket_trading, "TRADE_WSS", f"{venue.ws_url}/v5/trade")
    socket = pybit.unified_trading.WebSocketTrading(testnet=False, api_key=DEMO_KEY, api_secret=DEMO_SECRET)
    answers: Queue[Any] = Queue()
    late = Delay(low_ms=1_000)
    order = {
        "category": "linear",
        "symbol": "ETHUSDT",
        "side": "Buy",
        "orderType": "Limit",
        "qty": "0.010",
        "price": "2900",
        "orderLinkId": "pybit-ws",
    }
    try:
        # The client drops an answer that comes before it has noted its own request: the venue leaves it the time.
        for call in ("order.place", "order.cancel"):
            kind, scope = FaultKind.REPLY_LATENCY, Scope(endpoint=call)
            venue.fault(FaultRule(name=call, kind=kind, scope=scope, delay=late))
        socket.place_order(answers.put, **order)
        placed = heard(answers, lambda message: message["op"] == "order.create")
        socket.cancel_order(answers.put, category="linear", symbol="ETHUSDT", orderLinkId=order["orderLinkId"])
        gone = heard(answers, lambda message: message["op"] == "order.cancel")
    finally:
        socket.exit()

    assert (placed["retCode"], placed["data"]["orderLinkId"]) == (0, order["orderLinkId"])
    assert gone["data"]["orderId"] == placed["data"]["orderId"]
    resting = client.get_open_orders(category="linear", symbol="ETHUSDT")["result"]["list"]
    assert order["orderLinkId"] not in [row["orderLinkId"] for row in resting]
