"""Our requests to Bybit against vectors made by another client with a fixed clock and fixed keys."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from ccxt.async_support.bybit import bybit

from exchanges.bybit import requests
from exchanges.bybit.calls import Calls
from exchanges.bybit.settings import REST_URL
from exchanges.bybit.tongue import BybitHttp
from exchanges.hosts import HostPolicy
from exchanges.session.http import HttpClient
from exchanges.session.settings import AdapterSettings, Credentials
from grid.instrument import Instrument
from grid.order import OrderRequest, Side, TimeInForce

VECTORS = Path("fixtures/generated_from_ccxt_4.5.90/bybit.json")
KEYS = Credentials(api_key="testkey", api_secret="testsecret")
CLOCK_MS = 1_700_000_000_000
WINDOW_MS = 5000
BTC = Instrument(
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    tick=Decimal("0.5"),
    step=Decimal("0.001"),
    price_min=2,
    price_max=2_000_000,
    quantity_min=1,
    quantity_max=100_000,
    notional_min=Decimal(5),
)
ONLY_OURS = {"positionIdx": 0}
"""In each order of ours: one-way mode is said, so that the venue refuses it under hedge mode."""
ONLY_THEIRS = {"Referer"}
"""A header that names their program."""


@pytest.fixture(scope="session")
def vectors(shared_data: Path) -> dict[str, Any]:
    path = shared_data.parent / VECTORS
    if not path.is_file():
        pytest.skip("the request vectors are not here: ../shared/fixtures is absent")
    return {row["call"]: row for row in json.loads(path.read_text())["vectors"]}


class Wire(HttpClient):
    """Keeps what would be sent: the last step before the socket."""

    def __init__(self) -> None:
        super().__init__(HostPolicy.of([REST_URL]), BybitHttp(), lambda: 0, 1.0)
        self.sent: list[dict[str, Any]] = []

    async def send(self, method: str, url: str, **rest: Any) -> Any:
        self.sent.append({"method": method, "url": url, **rest})
        return {"retCode": 0, "result": {"timeNano": f"{CLOCK_MS}000000"}, "time": CLOCK_MS}


def calls() -> tuple[Calls, Wire]:
    settings = AdapterSettings(
        now_ms=lambda: CLOCK_MS,
        monotonic_ns=lambda: 0,
        random=Random(1),
        credentials=KEYS,
        recv_window_ms=WINDOW_MS,
        time_probes=1,
    )
    made, wire = Calls(settings, lambda used: None), Wire()
    made._http = wire
    return made, wire


def order(client_id: str, side: Side, time_in_force: TimeInForce, *, closing: bool = False, price: int = 119981) -> Any:
    request = OrderRequest(
        symbol="BTCUSDT",
        client_id=client_id,
        side=side,
        price=price,
        quantity=12,
        closing=closing,
        time_in_force=time_in_force,
        recv_window_ms=WINDOW_MS,
    )
    return requests.place(request, BTC)


ORDERS = {
    "create_order limit buy postOnly": order("g1cid0001", Side.BUY, TimeInForce.POST_ONLY),
    "create_order limit sell reduceOnly": order("g1cid0001", Side.SELL, TimeInForce.POST_ONLY, closing=True),
    "create_order limit IOC": order("g1cid0003", Side.BUY, TimeInForce.IOC),
}


def theirs_of(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in ONLY_OURS}


@pytest.mark.parametrize("call", ORDERS)
async def test_an_order_says_the_same_as_the_vector_and_its_mode(call: str, vectors: dict[str, Any]) -> None:
    made, wire = calls()
    await made.order("order.create", ORDERS[call], WINDOW_MS)

    (sent,) = wire.sent
    said, wanted = json.loads(sent["body"]), json.loads(vectors[call]["body"])
    assert (sent["method"], sent["url"]) == ("POST", vectors[call]["url"])
    assert theirs_of(said) == wanted
    assert {key: said[key] for key in ONLY_OURS} == ONLY_OURS


@pytest.mark.parametrize("call", ["create_order limit buy postOnly", "cancel_order client id", "set_leverage"])
async def test_the_same_body_is_signed_as_the_vector_is(call: str, vectors: dict[str, Any]) -> None:
    wanted = vectors[call]
    made, wire = calls()
    body = json.loads(wanted["body"])
    await made.write(urlsplit(wanted["url"]).path.removeprefix("/v5/"), body)

    (sent,) = wire.sent
    assert sent["body"] == wanted["body"]
    assert sent["headers"] == {key: value for key, value in wanted["headers"].items() if key not in ONLY_THEIRS}


READS: dict[str, tuple[str, dict[str, str | int]]] = {
    "fetch_order id": ("order/realtime", {"symbol": "BTCUSDT", "orderId": "123456789", "category": "linear"}),
    "fetch_open_orders": ("order/realtime", {"symbol": "BTCUSDT", "category": "linear"}),
    "fetch_my_trades": (
        "execution/list",
        {
            "execType": "Trade",
            "symbol": "BTCUSDT",
            "category": "linear",
            "limit": 100,
            "startTime": 1699996400000,
        },
    ),
    "fetch_positions": ("position/list", {"symbol": "BTCUSDT", "limit": 200, "category": "linear"}),
    "fetch_balance": ("account/wallet-balance", {"accountType": "UNIFIED"}),
}


@pytest.mark.parametrize("call", READS)
async def test_a_signed_read_equals_the_vector_to_the_byte(call: str, vectors: dict[str, Any]) -> None:
    made, wire = calls()
    await made.read(*READS[call])

    (sent,) = wire.sent
    assert (sent["method"], sent["url"], sent["body"]) == ("GET", vectors[call]["url"], None)
    wanted = vectors[call]["headers"]
    assert sent["headers"] == {key: value for key, value in wanted.items() if key not in ONLY_THEIRS}


async def test_the_clock_and_a_batch_are_asked_for_like_the_vector(vectors: dict[str, Any]) -> None:
    made, wire = calls()
    await made.measure_clock()
    rows = [order(f"g1cid100{n}", Side.BUY, TimeInForce.POST_ONLY, price=119981 - 2 * n) for n in range(2)]
    batch = requests.batch(rows)

    wanted = json.loads(vectors["create_orders x2"]["body"])
    assert wire.sent[0]["url"] == vectors["fetch_time"]["url"]
    assert {**batch, "request": [theirs_of(row) for row in batch["request"]]} == wanted
    assert made.clock.offset_ms == 0


@pytest.mark.parametrize(
    ("path", "method", "params"),
    [
        ("v5/account/transaction-log", "GET", {"accountType": "UNIFIED", "currency": "USDT", "limit": 50}),
        ("v5/order/history", "GET", {"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "g1cid0001"}),
        ("v5/order/cancel", "POST", {"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "g1cid0001"}),
    ],
)
async def test_what_no_vector_holds_is_signed_as_ccxt_signs_it(path: str, method: str, params: dict[str, Any]) -> None:
    theirs = bybit({"apiKey": KEYS.api_key, "secret": KEYS.api_secret, "options": {"recvWindow": WINDOW_MS}})
    theirs.nonce = lambda: CLOCK_MS
    wanted = theirs.sign(path, ["private"], method, dict(params))
    made, wire = calls()
    if method == "GET":
        await made.read(path.removeprefix("v5/"), params)
    else:
        await made.write(path.removeprefix("v5/"), params)

    (sent,) = wire.sent
    assert urlsplit(sent["url"]).path == urlsplit(wanted["url"].replace("{hostname}", "bybit.com")).path
    assert parse_qsl(urlsplit(sent["url"]).query) == parse_qsl(urlsplit(wanted["url"]).query)
    assert sent["headers"]["X-BAPI-SIGN"] == wanted["headers"]["X-BAPI-SIGN"]
    assert sent["body"] == wanted["body"]


def test_an_immediate_closing_order_gives_way_and_not_our_bids() -> None:
    body = order("g1cid0009", Side.SELL, TimeInForce.IOC, closing=True)

    assert (body["smpType"], body["reduceOnly"]) == ("CancelTaker", True)


def test_a_login_signs_its_end() -> None:
    frame = json.loads(requests.login(KEYS, CLOCK_MS))
    key, expires, signed = frame["args"]

    assert (frame["op"], key, expires) == ("auth", "testkey", CLOCK_MS + requests.LOGIN_VALID_MS)
    assert signed == requests.signature(f"GET/realtime{expires}", KEYS)


async def test_the_fence_stands_behind_the_time_stamp_of_every_write() -> None:
    made, wire = calls()

    def closed() -> None:
        raise ConnectionAbortedError

    made.fence_by(closed)
    with pytest.raises(ConnectionAbortedError):
        await made.write("position/set-leverage", {})
    with pytest.raises(ConnectionAbortedError):
        await made.order("order.create", {}, WINDOW_MS)
    await made.read("account/info", {})

    assert [sent["method"] for sent in wire.sent] == ["GET"]
