"""What the doors let in: keys, signatures, time, limits; over REST and over the WebSocket API."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from exchanges.sim.server.faults import Delay, FaultKind, FaultRule
from exchanges.sim.server.keys import ApiKey
from exchanges.sim.server.options import DEMO_KEY, DEMO_SECRET, SimAccount
from exchanges.sim.server.windows import BanRule, Interval, Kind, Window
from exchanges.sim.settings import AccountSpec
from tests.venue.frames import frame, order_frame, with_ed25519
from tests.venue.running_venue import PlainClient, RunningVenue, running, signed, still_options

ED_KEY = "edDemoKeyOfTheSimulatedVenue" + "0" * 36
PRIVATE = Ed25519PrivateKey.generate()
PEM = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
MAIN = SimAccount(
    spec=AccountSpec(account="main", deposit=Decimal(100_000)),
    keys=(
        ApiKey(key=DEMO_KEY, account="main", secret=DEMO_SECRET),
        ApiKey(key=ED_KEY, account="main", public_key_pem=PEM),
    ),
)
OTHER_KEY = "o" * 64
OTHER = SimAccount(
    spec=AccountSpec(account="other", deposit=Decimal(5)),
    keys=(ApiKey(key=OTHER_KEY, account="other", secret=DEMO_SECRET),),
)


@pytest.fixture(scope="module")
def started() -> Iterator[RunningVenue]:
    with running(still_options(accounts=(MAIN, OTHER))) as venue:
        yield venue


@pytest.fixture
def venue(started: RunningVenue) -> RunningVenue:
    started.heal()
    return started


@pytest.fixture
def client(venue: RunningVenue, session: aiohttp.ClientSession) -> PlainClient:
    return PlainClient(session, venue.rest_url)


async def raw(
    session: aiohttp.ClientSession, url: str, *, key: str | None = DEMO_KEY, method: str = "GET", body: str = ""
) -> tuple[int, Any]:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if key is not None:
        headers["X-MBX-APIKEY"] = key
    async with session.request(method, url, headers=headers, data=body or None) as reply:
        return reply.status, await reply.json()


async def test_a_signed_request_may_be_in_the_query_in_the_body_or_in_both(
    venue: RunningVenue, session: aiohttp.ClientSession
) -> None:
    url = f"{venue.rest_url}/fapi/v1/order"
    order = {"symbol": "ETHUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTX", "quantity": "0.01"}
    in_query = signed({**order, "price": "2900", "newClientOrderId": "inQuery"})
    in_body = signed({**order, "price": "2900", "newClientOrderId": "inBody"})

    first = await raw(session, f"{url}?{in_query}", method="POST")
    second = await raw(session, url, method="POST", body=in_body)

    assert (first[0], second[0]) == (200, 200)


@pytest.mark.parametrize(
    ("key", "spoil", "expected"),
    [
        (DEMO_KEY, "x", (400, -1022)),
        ("y" * 64, "", (401, -2015)),
        (None, "", (401, -2014)),
        ("tooshort", "", (401, -2014)),
    ],
)
async def test_a_wrong_caller_is_refused(
    venue: RunningVenue, session: aiohttp.ClientSession, key: str | None, spoil: str, expected: tuple[int, int]
) -> None:
    status, body = await raw(session, f"{venue.rest_url}/fapi/v3/account?{signed({})}{spoil}", key=key)

    assert (status, body["code"]) == expected


async def test_a_missing_parameter_is_named(venue: RunningVenue, client: PlainClient) -> None:
    status, body = await client.ask("POST", "/fapi/v1/order", symbol="ETHUSDT", side="BUY", type="LIMIT")

    assert (status, body["code"]) == (400, -1102)
    assert "timeInForce" in body["msg"]


async def test_a_path_that_is_none_is_not_found(venue: RunningVenue, client: PlainClient) -> None:
    assert (await client.ask("GET", "/fapi/v1/nothing", sign=False))[0] == 404
    assert (await client.ask("PATCH", "/fapi/v1/order", sign=False))[0] == 404


@pytest.mark.parametrize(
    ("age_ms", "window_ms", "is_taken"), [(0, 60_000, True), (3000, 1000, False), (-90_000, 60_000, False)]
)
async def test_a_request_outside_its_window_is_refused(
    venue: RunningVenue, client: PlainClient, age_ms: int, window_ms: int, is_taken: bool
) -> None:
    at_ms = time.time_ns() // 1_000_000 - age_ms

    status, body = await client.ask("GET", "/fapi/v3/balance", at_ms=at_ms, recvWindow=window_ms)

    assert (status == 200) is is_taken
    assert is_taken or body["code"] == -1021


async def test_accounts_do_not_see_each_other(venue: RunningVenue, session: aiohttp.ClientSession) -> None:
    client = PlainClient(session, venue.rest_url)
    await client.place("mine")

    foreign = await raw(session, f"{venue.rest_url}/fapi/v1/openOrders?{signed({'symbol': 'ETHUSDT'})}", key=OTHER_KEY)

    assert foreign == (200, [])


async def test_used_weight_and_order_counts_are_in_the_headers(venue: RunningVenue, client: PlainClient) -> None:
    await client.ask("GET", "/fapi/v1/time", sign=False)
    before = int(client.headers["X-MBX-USED-WEIGHT-1M"])
    await client.ask("GET", "/fapi/v1/openOrders")
    after = int(client.headers["X-MBX-USED-WEIGHT-1M"])
    await client.place("counted")

    assert after - before in (40, 40 - before)
    assert int(client.headers["X-MBX-ORDER-COUNT-10S"]) >= 1
    assert int(client.headers["X-MBX-ORDER-COUNT-1M"]) >= 1


async def test_too_many_orders_are_refused_until_the_window_ends(session: aiohttp.ClientSession) -> None:
    windows = (Window(kind=Kind.ORDERS, interval=Interval.SECOND, number=10, limit=3),)
    with running(still_options(windows=windows)) as strict:
        client = PlainClient(session, strict.rest_url)
        refused: list[tuple[int, int]] = []
        for number in range(7):  # more than two windows together allow
            status, body = await client.place(f"many{number}")
            if status == 429:
                refused.append((body["code"], int(client.headers["Retry-After"])))

    assert refused
    assert {code for code, _ in refused} == {-1015}
    assert all(1 <= wait_s <= 10 for _, wait_s in refused)


async def test_too_much_weight_is_refused_then_banned(session: aiohttp.ClientSession) -> None:
    windows = (Window(kind=Kind.WEIGHT, interval=Interval.MINUTE, number=1, limit=60),)
    with running(still_options(windows=windows, ban=BanRule(strikes=3, first_ms=60_000))) as strict:
        client = PlainClient(session, strict.rest_url)
        statuses = [(await client.ask("GET", "/fapi/v1/openOrders"))[0] for _ in range(8)]

    assert statuses[0] == 200
    assert 429 in statuses
    assert statuses[-1] == 418
    assert 50 <= int(client.headers["Retry-After"]) <= 60


async def test_a_frame_refused_for_its_rate_says_until_when(
    venue: RunningVenue, session: aiohttp.ClientSession
) -> None:
    venue.fault(FaultRule(name="slow down", kind=FaultKind.RATE_LIMITED, delay=Delay(low_ms=3000), count=1))
    async with session.ws_connect(f"{venue.ws_url}/ws-fapi/v1") as socket:
        await socket.send_json(order_frame("limited"))
        answer = await socket.receive_json(timeout=60)

    told = answer["error"]["data"]
    assert (answer["status"], answer["error"]["code"]) == (429, -1003)
    assert told["retryAfter"] - told["serverTime"] == 3000


async def test_frames_are_signed_one_by_one(venue: RunningVenue, session: aiohttp.ClientSession) -> None:
    async with session.ws_connect(f"{venue.ws_url}/ws-fapi/v1") as socket:

        async def ask(request: dict[str, Any]) -> Any:
            await socket.send_json(request)
            return await socket.receive_json(timeout=60)

        placed = await ask(order_frame("framed"))
        found = await ask(frame("order.status", {"symbol": "ETHUSDT", "origClientOrderId": "framed"}, number="two"))
        amended = await ask(
            frame(
                "order.modify",
                {
                    "symbol": "ETHUSDT",
                    "origClientOrderId": "framed",
                    "side": "BUY",
                    "quantity": "0.02",
                    "price": "2901",
                },
            )
        )
        gone = await ask(frame("order.cancel", {"symbol": "ETHUSDT", "origClientOrderId": "framed"}, number=None))
        again = await ask(frame("order.cancel", {"symbol": "ETHUSDT", "origClientOrderId": "framed"}))
        unsigned = await ask(frame("account.balance", {}, sign=None))
        forged = await ask(frame("account.balance", {}, sign=lambda _: "00"))
        unknown = await ask({"id": 9, "method": "order.frame"})
        told = await ask({"id": 10, "method": "time"})

    assert (placed["status"], placed["result"]["clientOrderId"]) == (200, "framed")
    assert {row["rateLimitType"] for row in placed["rateLimits"]} == {"REQUEST_WEIGHT", "ORDERS"}
    assert {row["rateLimitType"] for row in found["rateLimits"]} == {"REQUEST_WEIGHT"}
    assert (found["id"], amended["result"]["price"], gone["id"]) == ("two", "2901.00", None)
    assert (again["status"], again["error"]["code"]) == (400, -2011)
    assert unsigned["error"]["code"] == -2014
    assert forged["error"]["code"] == -1022
    assert unknown["status"] == 400
    assert told["result"]["serverTime"] > 0


async def test_a_session_is_logged_on_with_an_ed25519_key(venue: RunningVenue, session: aiohttp.ClientSession) -> None:
    sign = with_ed25519(PRIVATE)
    async with session.ws_connect(f"{venue.ws_url}/ws-fapi/v1") as socket:

        async def ask(request: dict[str, Any]) -> Any:
            await socket.send_json(request)
            return await socket.receive_json(timeout=60)

        logged_on = await ask(frame("session.logon", {}, api_key=ED_KEY, sign=sign))
        unsigned = await ask(frame("account.balance", {}, sign=None))
        status = await ask({"id": 3, "method": "session.status"})
        signed_too = await ask(frame("account.balance", {}))
        logged_out = await ask({"id": 4, "method": "session.logout"})
        after = await ask(frame("account.balance", {}, sign=None))

    assert logged_on["result"]["apiKey"] == status["result"]["apiKey"] == ED_KEY
    assert (unsigned["status"], signed_too["status"]) == (200, 200)
    assert logged_out["result"]["apiKey"] is None
    assert after["error"]["code"] == -2014


async def test_a_session_is_not_logged_on_with_an_hmac_key_or_a_wrong_signature(
    venue: RunningVenue, session: aiohttp.ClientSession
) -> None:
    async with session.ws_connect(f"{venue.ws_url}/ws-fapi/v1") as socket:
        await socket.send_json(frame("session.logon", {}))
        with_hmac_key = await socket.receive_json(timeout=60)
        await socket.send_json(
            frame("session.logon", {}, api_key=ED_KEY, sign=with_ed25519(Ed25519PrivateKey.generate()))
        )
        wrong = await socket.receive_json(timeout=60)

    assert with_hmac_key["error"]["code"] == -4056
    assert wrong["error"]["code"] == -1022
