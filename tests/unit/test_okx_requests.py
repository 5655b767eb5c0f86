"""Our requests to OKX against vectors made by another client with a fixed clock and fixed keys.

What differs, and why: one order goes to `trade/order`, where that client sends a list of one to `trade/batch-orders`
(its body is compared with our batch of one); and every order of ours carries an `expTime` beside the signature, which
bounds how late it may arrive.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from exchanges.hosts import HostPolicy
from exchanges.okx import requests
from exchanges.okx.rest import RestClient
from exchanges.okx.settings import REST_URL, Endpoints
from exchanges.okx.tongue import OkxHttp
from exchanges.session.http import HttpClient
from exchanges.session.settings import Credentials
from grid.order import OrderRequest, Side, TimeInForce
from tests.unit.okx_messages import btc
from tests.venue.adapter_rig import settings

VECTORS = Path("fixtures/generated_from_ccxt_4.5.90/okx.json")
KEYS = Credentials(api_key="testkey", api_secret="testsecret", passphrase="testpass")
CLOCK_MS = 1_700_000_000_000
SINCE_MS = CLOCK_MS - 3_600_000
SWAP = "BTC-USDT-SWAP"


@pytest.fixture(scope="session")
def vectors(shared_data: Path) -> dict[str, Any]:
    path = shared_data.parent / VECTORS
    if not path.is_file():
        pytest.skip("the request vectors are not here: ../shared/fixtures is absent")
    return {row["call"]: row for row in json.loads(path.read_text())["vectors"]}


class Wire(HttpClient):
    """Keeps what would be sent: the last step before the socket."""

    def __init__(self) -> None:
        super().__init__(HostPolicy.of([REST_URL]), OkxHttp(), lambda: 0, 1.0)
        self.sent: list[dict[str, Any]] = []

    async def send(self, method: str, url: str, **rest: Any) -> Any:
        self.sent.append({"body": None, **rest, "method": method, "url": url})
        return {}


def client(wire: Wire, keys: Credentials | None = KEYS, *, is_demo: bool = False) -> RestClient:
    return RestClient(keys, REST_URL, wire, lambda: CLOCK_MS, is_demo=is_demo)


def order(client_id: str, side: Side, time_in_force: TimeInForce, *, closing: bool = False, price: int = 599901) -> Any:
    request = OrderRequest(
        symbol="BTCUSDT",
        client_id=client_id,
        side=side,
        price=price,
        quantity=125,
        closing=closing,
        time_in_force=time_in_force,
    )
    return requests.place(request, btc(), "cross")


POSTS: dict[str, tuple[str, Any]] = {
    "create_order limit buy postOnly": (
        "trade/batch-orders",
        [order("g1cid0001", Side.BUY, TimeInForce.POST_ONLY)],
    ),
    "create_order limit sell reduceOnly": (
        "trade/batch-orders",
        [order("g1cid0001", Side.SELL, TimeInForce.POST_ONLY, closing=True)],
    ),
    "create_order limit buy GTC no postOnly": (
        "trade/batch-orders",
        [order("g1cid0002", Side.BUY, TimeInForce.GTC)],
    ),
    "create_order limit IOC": ("trade/batch-orders", [order("g1cid0003", Side.BUY, TimeInForce.IOC)]),
    "create_orders x2": (
        "trade/batch-orders",
        [order(f"g1cid100{n}", Side.BUY, TimeInForce.POST_ONLY, price=599901 - 10 * n) for n in range(2)],
    ),
    "cancel_order client id": ("trade/cancel-order", requests.by_client_id("g1cid0001", btc())),
    "set_leverage": ("account/set-leverage", {"lever": 5, "mgnMode": "cross", "instId": SWAP}),
    "cancel_all_orders_after 60s": ("trade/cancel-all-after", {"timeOut": 60}),
}
GETS: dict[str, tuple[str, dict[str, str | int]]] = {
    "fetch_order id": ("trade/order", {"instId": SWAP, "ordId": "123456789"}),
    "fetch_open_orders": ("trade/orders-pending", {"instId": SWAP}),
    "fetch_my_trades": ("trade/fills-history", {"instId": SWAP, "begin": SINCE_MS, "instType": "SWAP"}),
    "fetch_positions": ("account/positions", {"instId": SWAP}),
    "fetch_balance": ("account/balance", {}),
}


def told(sent: dict[str, Any]) -> dict[str, Any]:
    return {key: sent[key] for key in ("method", "url", "headers", "body")}


@pytest.mark.parametrize("call", POSTS)
async def test_what_is_posted_equals_the_vector_to_the_byte(call: str, vectors: dict[str, Any]) -> None:
    wire = Wire()
    path, body = POSTS[call]
    await client(wire).post(path, body, 1.0)

    assert told(wire.sent[0]) == {key: vectors[call][key] for key in ("method", "url", "headers", "body")}


@pytest.mark.parametrize("call", GETS)
async def test_what_is_read_equals_the_vector_to_the_byte(call: str, vectors: dict[str, Any]) -> None:
    wire = Wire()
    await client(wire).get(*GETS[call], 1.0)

    assert told(wire.sent[0]) == {key: vectors[call][key] for key in ("method", "url", "headers", "body")}


@pytest.mark.parametrize(
    ("call", "path", "query"),
    [
        ("fetch_time", "public/time", {}),
        (
            "fetch_ohlcv 1m",
            "market/candles",
            {"instId": SWAP, "bar": "1m", "limit": 60, "before": SINCE_MS - 1, "after": CLOCK_MS},
        ),
    ],
)
async def test_what_is_public_is_not_signed(
    call: str, path: str, query: dict[str, str | int], vectors: dict[str, Any]
) -> None:
    wire = Wire()
    await client(wire, None).get(path, query, 1.0)

    assert (wire.sent[0]["url"], wire.sent[0]["headers"]) == (vectors[call]["url"], {})


async def test_an_order_carries_the_time_after_which_it_is_void() -> None:
    wire = Wire()
    (body,) = POSTS["create_order limit IOC"][1]
    await client(wire).post("trade/order", body, 1.0, good_for_ms=2000)

    assert wire.sent[0]["headers"]["expTime"] == str(CLOCK_MS + 2000)


async def test_the_fence_is_asked_after_the_stamp_and_before_the_wire() -> None:
    wire = Wire()
    asking = client(wire)

    def closed() -> None:
        raise RuntimeError("closed")

    asking.fence = closed
    with pytest.raises(RuntimeError, match="closed"):
        await asking.post("trade/order", {}, 1.0)
    await asking.get("trade/order", {}, 1.0)

    assert [sent["method"] for sent in wire.sent] == ["GET"]


async def test_demo_trading_is_told_by_a_header_and_its_own_sockets() -> None:
    wire = Wire()
    await client(wire, None, is_demo=True).get("public/time", {}, 1.0)
    chosen = settings("http://127.0.0.1:1", "ws://127.0.0.1:1")
    chosen = settings("http://127.0.0.1:1", "ws://127.0.0.1:1")
    places = Endpoints.of(replace(chosen, rest_url=None, ws_url=None, is_testnet=True))

    assert wire.sent[0]["headers"] == {"x-simulated-trading": "1"}
    assert places.private == "wss://wspap.okx.com:8443/ws/v5/private"


def test_an_immediate_closing_order_cancels_itself_and_not_our_bids() -> None:
    row = order("g1cid0009", Side.SELL, TimeInForce.IOC, closing=True)

    assert (row["stpMode"], row["reduceOnly"]) == ("cancel_taker", True)


def test_the_order_socket_names_the_swap_by_its_number() -> None:
    row = requests.for_socket(requests.by_client_id("g1cid0001", btc()), btc())

    assert row == {"instIdCode": 10459, "clOrdId": "g1cid0001"}
    assert requests.for_socket({"instId": SWAP}, btc(instIdCode=None)) == {"instId": SWAP}


def test_a_login_signs_the_second_it_is_made_in() -> None:
    (row,) = orjson.loads(requests.login(KEYS, CLOCK_MS))["args"]
    expected = hmac.new(b"testsecret", b"1700000000GET/users/self/verify", hashlib.sha256).digest()

    assert row["timestamp"] == "1700000000"
    assert row["sign"] == base64.b64encode(expected).decode()


def test_keys_are_never_printed() -> None:
    rest = client(Wire())

    for words in (repr(KEYS), repr(rest), str(rest), f"{vars(rest)}"):
        for secret in ("testkey", "testsecret", "testpass"):
            assert secret not in words
