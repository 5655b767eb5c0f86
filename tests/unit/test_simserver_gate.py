"""Keys, signatures, time windows, rate limits and listen keys of the simulated venue."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from exchanges.sim.binance.call import Call, Door
from exchanges.sim.binance.errors import ApiError
from exchanges.sim.binance.listen_keys import ListenKeys
from exchanges.sim.binance.rate_limits import RateLimits
from exchanges.sim.binance.signing import (
    KeyRing,
    check_time,
    rest_params,
    rest_payload,
    websocket_params,
    websocket_payload,
)
from exchanges.sim.server.keys import ApiKey, KeyBook
from exchanges.sim.server.windows import BanRule, Interval, Kind, Window

KEY = "k" * 64
OWN = "not a secret of anything"
MINUTE = Window(kind=Kind.WEIGHT, interval=Interval.MINUTE, number=1, limit=10)
TEN_SECONDS = Window(kind=Kind.ORDERS, interval=Interval.SECOND, number=10, limit=3)
HOME = "127.0.0.1"


def call(params: dict[str, str], *, payload: str = "", api_key: str = KEY) -> Call:
    return Call(
        door=Door.REST,
        action="order.place",
        path="/fapi/v1/order",
        params=params,
        peer=HOME,
        received_ms=0,
        api_key=api_key,
        payload=payload,
    )


def sign(payload: str) -> str:
    return hmac.new(OWN.encode(), payload.encode(), hashlib.sha256).hexdigest()


def ring() -> KeyRing:
    return KeyRing(KeyBook([ApiKey(key=KEY, account="main", secret=OWN)]))


def refusal(act: object) -> tuple[int, int]:
    assert isinstance(act, ApiError)
    return act.status, act.code


def test_the_signed_text_is_query_and_body_without_the_signature() -> None:
    assert (
        rest_payload("symbol=A&signature=xx&side=BUY", "price=1&timestamp=2") == "symbol=A&side=BUYprice=1&timestamp=2"
    )
    assert rest_params("a=1&b=%3A", "a=2&c=") == {"a": "1", "b": ":", "c": ""}


def test_the_signed_text_of_a_frame_is_sorted() -> None:
    params = websocket_params({"b": True, "a": 1, "signature": "s", "c": None, "apiKey": KEY})

    assert websocket_payload(params) == f"a=1&apiKey={KEY}&b=true"


def test_a_right_signature_names_the_account() -> None:
    payload = "timestamp=1"

    assert ring().signer(call({"signature": sign(payload)}, payload=payload)).account == "main"


@pytest.mark.parametrize(
    ("params", "api_key", "expected"),
    [
        ({"signature": "00"}, KEY, (400, -1022)),
        ({}, KEY, (400, -1102)),
        ({"signature": "00"}, "", (401, -2014)),
        ({"signature": "00"}, "short", (401, -2014)),
        ({"signature": "00"}, "x" * 64, (401, -2015)),
    ],
)
def test_a_wrong_key_or_signature_is_refused(params: dict[str, str], api_key: str, expected: tuple[int, int]) -> None:
    with pytest.raises(ApiError) as caught:
        ring().signer(call(params, payload="timestamp=1", api_key=api_key))

    assert refusal(caught.value) == expected


def test_an_ed25519_key_signs_too_and_may_log_on() -> None:
    private = Ed25519PrivateKey.generate()
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    keys = KeyRing(KeyBook([ApiKey(key=KEY, account="main", public_key_pem=pem)]))
    signature = base64.b64encode(private.sign(b"timestamp=1")).decode()

    assert keys.signer(call({"signature": signature}, payload="timestamp=1")).may_log_on
    with pytest.raises(ApiError):
        keys.signer(call({"signature": signature}, payload="timestamp=2"))


@pytest.mark.parametrize(
    ("timestamp_ms", "window_ms", "is_taken"),
    [
        (10_000, None, True),
        (5_000, None, True),
        (4_999, None, False),
        (9_000, 1000, True),
        (8_999, 1000, False),
        (10_999, None, True),
        (11_000, None, False),
    ],
)
def test_a_request_is_taken_inside_its_window(timestamp_ms: int, window_ms: int | None, is_taken: bool) -> None:
    params = {"timestamp": str(timestamp_ms)} | ({"recvWindow": str(window_ms)} if window_ms else {})

    if is_taken:
        check_time(call(params), 10_000)
    else:
        with pytest.raises(ApiError) as caught:
            check_time(call(params), 10_000)
        assert caught.value.code == -1021


def test_weight_over_the_limit_is_refused_until_the_window_ends() -> None:
    limits = RateLimits((MINUTE,))
    limits.charge_weight(HOME, 10, 59_000)

    with pytest.raises(ApiError) as caught:
        limits.charge_weight(HOME, 1, 59_500)

    assert (caught.value.status, caught.value.code, caught.value.retry_after_s) == (429, -1003, 1)
    limits.charge_weight(HOME, 1, 60_000)
    assert limits.weight_headers(HOME, 60_000) == {"X-MBX-USED-WEIGHT-1M": "1"}


def test_who_does_not_stop_is_banned_and_longer_the_second_time() -> None:
    limits = RateLimits((MINUTE,), BanRule(strikes=2, first_ms=120_000, longest_ms=10**9))

    def refusals(now_ms: int) -> list[ApiError]:
        found: list[ApiError] = []
        for _ in range(4):
            try:
                limits.charge_weight(HOME, 11, now_ms)
            except ApiError as error:
                found.append(error)
        return found

    first, second = refusals(0), refusals(120_000)

    assert [error.status for error in first] == [429, 429, 418, 418]
    assert [error.status for error in second] == [429, 429, 418, 418]
    assert (first[-1].retry_after_s, second[-1].retry_after_s) == (120, 240)
    limits.lift(HOME)
    limits.charge_weight(HOME, 1, 300_000)


def test_orders_are_counted_by_account_and_a_refused_one_is_not_counted() -> None:
    limits = RateLimits((TEN_SECONDS,))
    for _ in range(3):
        limits.charge_orders("main", {Interval.SECOND: 1}, 1000)

    with pytest.raises(ApiError) as caught:
        limits.charge_orders("main", {Interval.SECOND: 1}, 1000)
    limits.charge_orders("other", {Interval.SECOND: 1}, 1000)

    assert (caught.value.status, caught.value.code, caught.value.retry_after_s) == (429, -1015, 9)
    assert limits.order_headers("main", 1000) == {"X-MBX-ORDER-COUNT-10S": "3"}
    assert limits.order_headers("main", 10_000) == {"X-MBX-ORDER-COUNT-10S": "0"}


def test_a_listen_key_is_one_for_the_account_and_lives_an_hour_from_each_renewal() -> None:
    keys = ListenKeys(validity_ms=1000, rng=random.Random(1))
    key = keys.start("main", 0)

    assert keys.start("main", 500) == key
    assert keys.renew("main", 1400) == key
    assert keys.account_of(key, 2399) == "main"
    assert keys.account_of(key, 2400) is None
    with pytest.raises(ApiError) as caught:
        keys.renew("main", 2400)
    assert caught.value.code == -1125
    assert [held.key for held in keys.take_expired(2400)] == [key]
    assert keys.start("main", 2500) != key
