"""Our requests against vectors made by another client with a fixed clock and fixed keys."""

from __future__ import annotations

import hashlib
import hmac
import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from exchanges.gate import requests
from exchanges.gate.contracts import Contract
from exchanges.gate.settings import REST_URL
from exchanges.session.settings import Credentials
from grid.instrument import Instrument
from grid.order import OrderRequest, Side, TimeInForce

VECTORS = Path("fixtures/generated_from_ccxt_4.5.90/gate.json")
KEYS = Credentials(api_key="testkey", api_secret="testsecret")
CLOCK_MS = 1_700_000_000_000
BTC = Contract(
    name="BTC_USDT",
    instrument=Instrument(
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        tick=Decimal("0.1"),
        step=Decimal("0.0001"),
        price_min=1,
        price_max=10**9,
        quantity_min=1,
        quantity_max=1_000_000,
        notional_min=Decimal(0),
    ),
    unit=Decimal(1),
)


@pytest.fixture(scope="session")
def vectors(shared_data: Path) -> dict[str, Any]:
    path = shared_data.parent / VECTORS
    if not path.is_file():
        pytest.skip("the request vectors are not here: ../shared/fixtures is absent")
    return {row["call"]: row for row in json.loads(path.read_text())["vectors"]}


def order(
    client_id: str, side: Side, time_in_force: TimeInForce, *, closing: bool = False, price: int = 599901
) -> requests.Body:
    request = OrderRequest(
        symbol="BTCUSDT",
        client_id=client_id,
        side=side,
        price=price,
        quantity=125,
        closing=closing,
        time_in_force=time_in_force,
    )
    return requests.place(request, BTC)


def made(method: str, path: str, query: str = "", body: requests.SentBody = None) -> dict[str, Any]:
    whole, payload = f"/api/v4/{path}", requests.encoded(body)
    return {
        "method": method,
        "url": f"{REST_URL}{whole}" + (f"?{query}" if query else ""),
        "headers": requests.headers(method, whole, query, payload, KEYS, CLOCK_MS),
        "body": payload or None,
    }


ORDERS = {
    "create_order limit buy postOnly": order("g1cid0001", Side.BUY, TimeInForce.POST_ONLY),
    "create_order limit sell reduceOnly": order("g1cid0001", Side.SELL, TimeInForce.POST_ONLY, closing=True),
    "create_order limit IOC": order("g1cid0003", Side.BUY, TimeInForce.IOC),
}
READS = {
    "fetch_open_orders": ("GET", "futures/usdt/orders", "contract=BTC_USDT&status=open"),
    "fetch_positions": ("GET", "futures/usdt/positions", ""),
    "fetch_balance": ("GET", "futures/usdt/accounts", ""),
    "fetch_my_trades": ("GET", "futures/usdt/my_trades_timerange", "contract=BTC_USDT&limit=100&from=1699996400"),
    "set_leverage": ("POST", "futures/usdt/positions/BTC_USDT/leverage", "leverage=5"),
}


@pytest.mark.parametrize("call", ORDERS)
def test_an_order_over_rest_equals_the_vector_to_the_byte(call: str, vectors: dict[str, Any]) -> None:
    request = made("POST", "futures/usdt/orders", body=ORDERS[call])

    assert request == {key: vectors[call][key] for key in request}


@pytest.mark.parametrize("call", READS)
def test_a_call_equals_the_vector_to_the_byte(call: str, vectors: dict[str, Any]) -> None:
    request = made(*READS[call])

    assert request == {key: vectors[call][key] for key in request}


DIFFERENCES = {
    "create_order limit buy GTC no postOnly": "we say how long an order lives, always",
    "create_orders x2": "the path names the settlement, so that an order does not",
}


@pytest.mark.parametrize("call", DIFFERENCES)
def test_what_differs_differs_in_nothing_else(call: str, vectors: dict[str, Any]) -> None:
    sent = json.loads(vectors[call]["body"])
    if isinstance(sent, list):
        mine: Any = [
            order(f"g1cid100{number}", Side.BUY, TimeInForce.POST_ONLY, price=price)
            for number, price in enumerate((599901, 599891))
        ]
        assert mine == [{key: value for key, value in row.items() if key != "settle"} for row in sent]
    else:
        assert order("g1cid0002", Side.BUY, TimeInForce.GTC) == {**sent, "tif": "gtc"}
    assert urlsplit(vectors[call]["url"]).path.startswith("/api/v4/futures/usdt/")


def test_a_cancel_names_the_order_by_its_text_alone(vectors: dict[str, Any]) -> None:
    vector = vectors["cancel_order client id"]
    request = made("DELETE", f"futures/usdt/orders/{requests.text('g1cid0001')}")

    assert vector["url"] == f"{request['url']}?contract=BTC_USDT"
    assert (vector["method"], vector["body"]) == (request["method"], request["body"])


def test_a_contract_that_trades_in_parts_is_sized_exactly() -> None:
    parts = Contract(name="ETH_USDT", instrument=BTC.instrument, unit=Decimal("0.1"))

    assert [requests.size(parts.size(steps)) for steps in (10, 5, -3)] == [1, "0.5", "-0.3"]
    assert [parts.steps(Decimal(text), "size") for text in ("1", "0.5", "-0.3")] == [10, 5, -3]


def test_a_login_signs_no_parameters_and_a_channel_signs_its_name() -> None:
    login = orjson.loads(requests.login(KEYS, CLOCK_MS, "login"))["payload"]
    asked = requests.authorised(requests.subscription("futures.orders", ["7", "!all"], 1, CLOCK_MS), KEYS)

    def signed(words: str) -> str:
        return hmac.new(b"testsecret", words.encode(), hashlib.sha512).hexdigest()

    assert login["signature"] == signed("api\nfutures.login\n\n1700000000")
    assert asked["auth"]["SIGN"] == signed("channel=futures.orders&event=subscribe&time=1700000000")
