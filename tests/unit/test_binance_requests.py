"""Our requests against vectors made by another client with a fixed clock and fixed keys."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from exchanges.binance import requests
from exchanges.binance.rest import PRIVATE, PRIVATE_V3, PUBLIC, RestClient
from exchanges.binance.settings import REST_URL
from exchanges.binance.tongue import BinanceHttp
from exchanges.hosts import HostPolicy
from exchanges.outcome import Effect
from exchanges.session.http import HttpClient
from exchanges.session.settings import Credentials
from grid.instrument import Instrument
from grid.order import OrderRequest, Side, TimeInForce

VECTORS = Path("fixtures/generated_from_ccxt_4.5.90/binanceusdm.json")
KEYS = Credentials(api_key="testkey", api_secret="testsecret")
CLOCK_MS = 1_700_000_000_000
WINDOW_MS = 10_000
BTC = Instrument(
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    tick=Decimal("0.10"),
    step=Decimal("0.001"),
    price_min=5568,
    price_max=45297640,
    quantity_min=1,
    quantity_max=1_000_000,
    notional_min=Decimal(100),
)


@pytest.fixture(scope="session")
def vectors(shared_data: Path) -> dict[str, Any]:
    path = shared_data.parent / VECTORS
    if not path.is_file():
        pytest.skip("the request vectors are not here: ../shared/fixtures is absent")
    return {row["call"]: row for row in json.loads(path.read_text())["vectors"]}


class Wire(HttpClient):
    """Keeps what would be sent: the last step before the socket."""

    def __init__(self) -> None:
        super().__init__(HostPolicy.of([REST_URL]), BinanceHttp(), lambda: 0, 1.0)
        self.sent: list[dict[str, Any]] = []

    async def send(self, method: str, url: str, **rest: Any) -> Any:
        self.sent.append({"method": method, "url": url, **rest})
        return {}


async def sent(section: str, method: str, path: str, params: dict[str, Any]) -> dict[str, Any]:
    wire = Wire()
    rest = RestClient(KEYS, REST_URL, wire, lambda: CLOCK_MS)
    await rest.call(section, method, path, params, effect=Effect.READ, timeout_s=1.0)
    return wire.sent[0]


def order(client_id: str, side: Side, time_in_force: TimeInForce, *, closing: bool = False, price: int = 599901) -> Any:
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
    "create_order limit buy GTC no postOnly": order("g1cid0002", Side.BUY, TimeInForce.GTC),
    "create_order limit IOC": order("g1cid0003", Side.BUY, TimeInForce.IOC),
}


@pytest.mark.parametrize("call", ORDERS)
async def test_an_order_over_rest_equals_the_vector_to_the_byte(call: str, vectors: dict[str, Any]) -> None:
    request = await sent(PRIVATE, "POST", "order", dict(ORDERS[call]))

    assert {key: request[key] for key in ("method", "url", "headers", "body")} == {
        key: vectors[call][key] for key in ("method", "url", "headers", "body")
    }


READS: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "cancel_order client id": (
        PRIVATE,
        "DELETE",
        "order",
        {**requests.by_client_id("BTCUSDT", "g1cid0001", WINDOW_MS)},
    ),
    "fetch_open_orders": (PRIVATE, "GET", "openOrders", {"symbol": "BTCUSDT", "recvWindow": WINDOW_MS}),
    "fetch_balance": (PRIVATE_V3, "GET", "account", {"recvWindow": WINDOW_MS}),
    "fetch_positions": (PRIVATE_V3, "GET", "positionRisk", {"recvWindow": WINDOW_MS}),
    "set_leverage": (PRIVATE, "POST", "leverage", {"symbol": "BTCUSDT", "leverage": 5, "recvWindow": WINDOW_MS}),
    "set_margin_mode cross": (
        PRIVATE,
        "POST",
        "marginType",
        {"symbol": "BTCUSDT", "marginType": "CROSSED", "recvWindow": WINDOW_MS},
    ),
    "fetch_my_trades": (
        PRIVATE,
        "GET",
        "userTrades",
        {"symbol": "BTCUSDT", "startTime": 1699996400000, "limit": 100, "recvWindow": WINDOW_MS},
    ),
    "fetch_time": (PUBLIC, "GET", "time", {}),
}


@pytest.mark.parametrize("call", READS)
async def test_a_call_over_rest_equals_the_vector_to_the_byte(call: str, vectors: dict[str, Any]) -> None:
    request = await sent(*READS[call])

    assert {key: request[key] for key in ("method", "url", "headers", "body")} == {
        key: vectors[call][key] for key in ("method", "url", "headers", "body")
    }


async def test_a_batch_over_rest_equals_the_vector_to_the_byte(vectors: dict[str, Any]) -> None:
    rows = [order(f"g1cid100{n}", Side.BUY, TimeInForce.POST_ONLY, price=599901 - 10 * n) for n in range(2)]
    params = {"batchOrders": [requests.without_window(row) for row in rows], "recvWindow": WINDOW_MS}
    request = await sent(PRIVATE, "POST", "batchOrders", params)

    assert request["body"] == vectors["create_orders x2"]["body"]


@pytest.mark.parametrize("call", ORDERS)
def test_our_own_hmac_signs_the_vector_alike(call: str, vectors: dict[str, Any]) -> None:
    payload, _, signature = vectors[call]["body"].rpartition("&signature=")

    assert requests.signature(payload, KEYS) == signature


@pytest.mark.parametrize("call", ORDERS)
def test_an_order_over_the_socket_says_the_same_as_the_vector(call: str, vectors: dict[str, Any]) -> None:
    signed = requests.signed(ORDERS[call], KEYS, CLOCK_MS)
    said = {name: str(value) for name, value in signed.items() if name not in ("apiKey", "signature")}

    assert said == {name: value for name, value in parse_qsl(vectors[call]["body"]) if name != "signature"}


def test_the_socket_signature_is_over_the_names_in_order() -> None:
    signed = requests.signed({"symbol": "BTCUSDT", "side": "BUY"}, KEYS, CLOCK_MS)
    payload = f"apiKey=testkey&side=BUY&symbol=BTCUSDT&timestamp={CLOCK_MS}"

    assert signed["signature"] == requests.signature(payload, KEYS)


def test_an_immediate_closing_order_expires_itself_and_not_our_bids() -> None:
    params = order("g1cid0009", Side.SELL, TimeInForce.IOC, closing=True)

    assert params["selfTradePreventionMode"] == "EXPIRE_TAKER"
    assert params["reduceOnly"] == "true"


@pytest.mark.parametrize(
    ("number", "words"),
    [("59990.10", "59990.1"), ("0.010", "0.01"), ("100", "100"), ("1E+2", "100"), ("1E-7", "0.0000001"), ("0.0", "0")],
)
def test_numbers_are_plain_and_short(number: str, words: str) -> None:
    assert requests.plain(Decimal(number)) == words


async def test_every_address_of_the_signer_is_the_venues_futures_host() -> None:
    rest = RestClient(KEYS, REST_URL, Wire(), lambda: CLOCK_MS)

    assert {urlsplit(address).hostname for address in rest.addresses().values()} == {"fapi.binance.com"}


def test_keys_are_never_printed() -> None:
    rest = RestClient(KEYS, REST_URL, Wire(), lambda: CLOCK_MS)

    for words in (repr(KEYS), str(KEYS), repr(rest), repr(rest._signer), f"{vars(rest)}"):
        assert "testkey" not in words
        assert "testsecret" not in words
