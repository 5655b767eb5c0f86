"""Our requests to Bitget against vectors made by another client with a fixed clock and fixed keys.

What differs, and why: that client sends a broker's code of its own (`X-CHANNEL-API-CODE`) and we do not; we name the
language of messages (`locale`) and always the type of content; it writes `force` in capitals where the documents have
small letters; its batch repeats in each order what stands above the list; fields of a body come in another order, so
that its signature is another one, made by the same rule; public queries come in the order of names.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from exchanges.bitget import requests
from exchanges.bitget.calls import Calls
from exchanges.bitget.codes import NO_SOCKET_RIGHT
from exchanges.bitget.settings import REST_URL
from exchanges.bitget.tongue import CANCEL, PLACE, BitgetHttp
from exchanges.bitget.trading import BitgetTrading
from exchanges.bitget.wire_account import Terms
from exchanges.errors import OutcomeUnknown, Refusal, VenueError, VenueRefused
from exchanges.hosts import HostPolicy
from exchanges.session.http import HttpClient
from exchanges.session.settings import AdapterSettings, Credentials
from grid.order import OrderRequest, Side, TimeInForce
from risk.veto import Approved
from tests.unit.bitget_messages import instrument
from tests.venue.adapter_rig import settings

VECTORS = Path("fixtures/generated_from_ccxt_4.5.90/bitget.json")
KEYS = Credentials(api_key="testkey", api_secret="testsecret", passphrase="testpass")
CLOCK_MS = 1_700_000_000_000
SINCE_MS = CLOCK_MS - 3_600_000
BTC = instrument("BTCUSDT", tick="0.1", step="0.0001")
SHARED = ("symbol", "productType", "marginMode", "marginCoin")


@pytest.fixture(scope="session")
def vectors(shared_data: Path) -> dict[str, Any]:
    path = shared_data.parent / VECTORS
    if not path.is_file():
        pytest.skip("the request vectors are not here: ../shared/fixtures is absent")
    return {row["call"]: row for row in json.loads(path.read_text())["vectors"]}


class Wire(HttpClient):
    """Keeps what would be sent: the last step before the socket."""

    def __init__(self) -> None:
        super().__init__(HostPolicy.of([REST_URL]), BitgetHttp(), lambda: 0, 1.0)
        self.sent: list[dict[str, Any]] = []

    async def send(self, method: str, url: str, **rest: Any) -> Any:
        self.sent.append({"body": None, **rest, "method": method, "url": url})
        return {"code": "00000", "data": {}}


def production() -> AdapterSettings:
    """Return settings for the venue's own hosts, which no test reaches."""
    loopback = settings("http://127.0.0.1:9", "ws://127.0.0.1:9")
    return replace(loopback, rest_url=None, ws_url=None, credentials=KEYS, now_ms=lambda: CLOCK_MS)


def connected() -> tuple[BitgetTrading, Wire]:
    """Return a trading half that knows one symbol, and what it would send."""
    venue = BitgetTrading(
        replace(
            settings("http://127.0.0.1:9", "ws://127.0.0.1:9"),
            rest_url=None,
            ws_url=None,
            credentials=KEYS,
            now_ms=lambda: CLOCK_MS,
        )
    )
    venue._instruments = {"BTCUSDT": BTC}
    venue._terms = {"BTCUSDT": Terms(margin_mode="crossed", leverage=20)}
    venue._calls._http = wire = Wire()
    return venue, wire


def approved(
    client_id: str, side: Side, time_in_force: TimeInForce, *, closing: bool = False, price: int = 599901
) -> Any:
    request = OrderRequest(
        symbol="BTCUSDT",
        client_id=client_id,
        side=side,
        price=price,
        quantity=121,
        closing=closing,
        time_in_force=time_in_force,
    )
    return Approved(request=request)


ORDERS = {
    "create_order limit buy postOnly": approved("g1cid0001", Side.BUY, TimeInForce.POST_ONLY),
    "create_order limit sell reduceOnly": approved("g1cid0001", Side.SELL, TimeInForce.POST_ONLY, closing=True),
    "create_order limit buy GTC no postOnly": approved("g1cid0002", Side.BUY, TimeInForce.GTC),
    "create_order limit IOC": approved("g1cid0003", Side.BUY, TimeInForce.IOC),
}


def body_of(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return {**found, **({"force": found["force"].lower()} if "force" in found else {})}


def check_signed(sent: dict[str, Any], vector: dict[str, Any]) -> None:
    """See that headers are the vector's but for the listed ones, and that one rule made both signatures."""
    told, theirs = dict(sent["headers"]), dict(vector["headers"])
    for target, headers, body in (
        (sent["url"], told, sent["body"] or ""),
        (vector["url"], theirs, vector["body"] or ""),
    ):
        path = target.removeprefix(REST_URL)
        signed = f"{CLOCK_MS}{sent['method']}{path}{body}"
        assert headers.pop("ACCESS-SIGN") == requests.signature(signed, KEYS)
    assert theirs.pop("X-CHANNEL-API-CODE") == "p4sve"
    assert told.pop("locale") == "en-US"
    assert {"Content-Type": "application/json", **theirs} == told


@pytest.mark.parametrize("call", ORDERS)
async def test_an_order_over_rest_says_the_same_as_the_vector(call: str, vectors: dict[str, Any]) -> None:
    venue, wire = connected()
    with suppress(VenueError):  # the wire answers nothing
        await venue.place(ORDERS[call])

    assert (wire.sent[0]["method"], wire.sent[0]["url"]) == ("POST", vectors[call]["url"])
    assert body_of(wire.sent[0]["body"]) == body_of(vectors[call]["body"])
    check_signed(wire.sent[0], vectors[call])


async def test_a_batch_says_the_same_as_the_vector(vectors: dict[str, Any]) -> None:
    venue, wire = connected()
    orders = [approved(f"g1cid100{n}", Side.BUY, TimeInForce.POST_ONLY, price=599901 - 10 * n) for n in range(2)]
    answers = await venue.place_batch(orders)
    theirs = body_of(vectors["create_orders x2"]["body"])
    theirs["orderList"] = [{k: v for k, v in row.items() if k not in SHARED} for row in theirs["orderList"]]

    assert wire.sent[0]["url"] == vectors["create_orders x2"]["url"]
    assert body_of(wire.sent[0]["body"]) == theirs
    assert [type(answer) for answer in answers] == [OutcomeUnknown] * 2


async def test_a_cancel_and_the_settings_say_the_same_as_the_vectors(vectors: dict[str, Any]) -> None:
    venue, wire = connected()
    calls = venue._calls
    await calls.order(CANCEL, "BTCUSDT", {}, requests.named("BTCUSDT", client_id="g1cid0001"))
    with suppress(OutcomeUnknown):
        await venue.set_leverage("BTCUSDT", 5)
    await calls.write(
        "account/set-margin-mode",
        {"symbol": "BTCUSDT", "productType": "USDT-FUTURES", "marginCoin": "USDT", "marginMode": "crossed"},
    )
    for sent, name in zip(wire.sent, ("cancel_order client id", "set_leverage", "set_margin_mode cross"), strict=True):
        assert sent["url"] == vectors[name]["url"]
        assert body_of(sent["body"]) == body_of(vectors[name]["body"])
        check_signed(sent, vectors[name])


READS: dict[str, tuple[str, dict[str, Any]]] = {
    "fetch_order id": ("order/detail", {"orderId": "123456789", "symbol": "BTCUSDT"}),
    "fetch_open_orders": ("order/orders-pending", {"symbol": "BTCUSDT"}),
    "fetch_my_trades": ("order/fills", {"symbol": "BTCUSDT", "startTime": SINCE_MS, "limit": 100}),
    "fetch_positions": ("position/all-position", {"marginCoin": "USDT"}),
    "fetch_balance": ("account/accounts", {}),
}


@pytest.mark.parametrize("call", READS)
async def test_a_read_has_the_vector_s_address_to_the_byte(call: str, vectors: dict[str, Any]) -> None:
    venue, wire = connected()
    await venue._calls.futures(*READS[call])

    assert (wire.sent[0]["method"], wire.sent[0]["url"]) == ("GET", vectors[call]["url"])
    check_signed(wire.sent[0], vectors[call])


@pytest.mark.parametrize(
    ("call", "path", "query"),
    [
        ("fetch_time", "/api/v2/public/time", {}),
        (
            "fetch_ohlcv 1m",
            "/api/v2/mix/market/candles",
            {
                "symbol": "BTCUSDT",
                "granularity": "1m",
                "startTime": SINCE_MS,
                "endTime": CLOCK_MS,
                "limit": 60,
                "productType": "USDT-FUTURES",
            },
        ),
    ],
)
async def test_what_is_public_is_not_signed(
    call: str, path: str, query: dict[str, Any], vectors: dict[str, Any]
) -> None:
    venue, wire = connected()
    await venue._calls.public(path, query)
    ours, theirs = urlsplit(wire.sent[0]["url"]), urlsplit(vectors[call]["url"])

    assert wire.sent[0]["headers"] is None
    assert (ours.netloc, ours.path) == (theirs.netloc, theirs.path)
    assert dict(parse_qsl(ours.query)) == dict(parse_qsl(theirs.query))


def test_an_immediate_closing_order_gives_way_and_not_our_bids() -> None:
    request = approved("g1cid0009", Side.SELL, TimeInForce.IOC, closing=True).request

    assert requests.terms(request, BTC)["stpMode"] == "cancel_taker"
    assert requests.terms(request, BTC)["reduceOnly"] == "YES"


def test_the_login_is_in_seconds_and_signed_like_a_request() -> None:
    told = json.loads(requests.login(KEYS, CLOCK_MS + 999))["args"][0]

    assert told["timestamp"] == "1700000000"
    assert told["sign"] == requests.signature("1700000000GET/user/verify", KEYS)


async def test_the_demo_network_is_told_apart_by_a_header() -> None:
    wire = Wire()
    calls = Calls(
        replace(
            settings("http://127.0.0.1:9", "ws://127.0.0.1:9"),
            rest_url=None,
            ws_url=None,
            credentials=KEYS,
            is_testnet=True,
        ),
        lambda used: None,
    )
    calls._http = wire
    await calls.futures("account/accounts", {})

    assert wire.sent[0]["headers"]["PAPTRADING"] == "1"
    assert calls.endpoints.private == "wss://wspap.bitget.com/v2/ws/private"


@pytest.mark.parametrize("code", sorted(NO_SOCKET_RIGHT))
async def test_without_the_right_to_trade_by_socket_the_order_goes_over_rest_once(code: str) -> None:
    venue, wire = connected()
    calls, tried = venue._calls, []

    def send(*given: Any) -> Any:
        tried.append(given)

        async def refused() -> Any:
            raise VenueRefused(code, "no right", Refusal.CREDENTIALS)

        return refused()

    calls._entry.send = send  # type: ignore[method-assign, assignment]
    for _ in range(2):
        await calls.order(PLACE, "BTCUSDT", {"clientOid": "a1"}, {"clientOid": "a1"})

    assert len(tried) == 1
    assert [json.loads(sent["body"]) for sent in wire.sent] == [{"clientOid": "a1"}] * 2


@pytest.mark.parametrize(
    ("number", "words"), [("59990.10", "59990.1"), ("100", "100"), ("1E+2", "100"), ("1E-7", "0.0000001"), ("0.0", "0")]
)
def test_numbers_are_plain_and_short(number: str, words: str) -> None:
    assert requests.plain(Decimal(number)) == words


def test_keys_are_never_printed() -> None:
    venue, _ = connected()

    for words in (repr(KEYS), repr(venue), f"{vars(venue._calls)}"):
        assert "testsecret" not in words
        assert "testpass" not in words
