"""With a loopback override no other host can be reached, neither by name nor by address nor by redirect."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web

from exchanges.binance.settings import Endpoints
from exchanges.binance.tongue import BinanceHttp
from exchanges.binance.trading import BinanceTrading
from exchanges.errors import VenueUnreachable
from exchanges.hosts import ForbiddenHost, HostPolicy, is_loopback
from exchanges.outcome import Effect
from exchanges.session.http import HttpClient
from exchanges.session.settings import AdapterSettings, Credentials
from exchanges.websocket import SocketTimes, open_websocket
from grid.errors import ConfigError

LOOPBACK = HostPolicy.of(["http://127.0.0.1:1", "ws://localhost:1"])
TIMES = SocketTimes(open_timeout_s=2, ping_interval_s=10, ping_timeout_s=10)
ELSEWHERE = ["fapi.binance.com", "example.invalid", "10.0.0.1", "192.0.2.1", "[2001:db8::1]"]


def settings(rest_url: str | None, ws_url: str | None) -> AdapterSettings:
    return AdapterSettings(
        now_ms=lambda: 0,
        monotonic_ns=lambda: 0,
        random=random.Random(0),
        credentials=Credentials(api_key="k", api_secret="s"),
        rest_url=rest_url,
        ws_url=ws_url,
    )


def addresses(value: Any) -> Iterator[str]:
    """Every address in a nest of tables."""
    if isinstance(value, str) and "://" in value:
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from addresses(inner)


def test_an_override_leaves_no_other_host_anywhere() -> None:
    overridden = settings("http://127.0.0.1:8080", "ws://127.0.0.1:8080")
    endpoints = Endpoints.of(overridden)
    venue = BinanceTrading(overridden)
    own = [getattr(endpoints, name) for name in endpoints.__slots__]
    signer = venue._calls._rest._signer
    known = [*own, *addresses(signer.urls), *venue.addresses().values()]

    assert len(own) == 5
    assert len(known) > 10
    assert {urlsplit(address).hostname for address in known} == {"127.0.0.1"}


def test_without_an_override_the_hosts_are_the_venues() -> None:
    policy = Endpoints.of(settings(None, None)).policy()

    assert policy.allowed == {"fapi.binance.com", "fstream.binance.com", "ws-fapi.binance.com"}
    assert not policy.loopback_only


@pytest.mark.parametrize(
    ("rest_url", "ws_url", "key"),
    [
        ("http://127.0.0.1:1", None, "venue.ws_url"),
        (None, "ws://127.0.0.1:1", "venue.rest_url"),
        ("http://127.0.0.1:1", "wss://fstream.binance.com", "venue.ws_url"),
        ("ftp://127.0.0.1:1", "ws://127.0.0.1:1", "venue.rest_url"),
        ("http://127.0.0.1:1", "127.0.0.1:1", "venue.ws_url"),
    ],
)
def test_half_an_override_is_refused(rest_url: str | None, ws_url: str | None, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Endpoints.of(settings(rest_url, ws_url))

    assert caught.value.key == key


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_this_machine_is_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "localhost.example.com", "127.0.0.1.example.com", "", "0.0.0.0"])
def test_nothing_else_is(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ELSEWHERE)
async def test_a_request_to_another_host_never_leaves(host: str) -> None:
    client = HttpClient(LOOPBACK, BinanceHttp(), lambda: 0, 2.0)
    try:
        with pytest.raises(VenueUnreachable, match="not sent") as caught:
            await client.send("GET", f"http://{host}:9/fapi/v1/time", effect=Effect.WRITE, timeout_s=2)
    finally:
        await client.close()

    causes: list[BaseException] = []
    cause: BaseException | None = caught.value
    while cause is not None:
        causes.append(cause)
        cause = cause.__cause__
    assert any(
        isinstance(one, ForbiddenHost) or isinstance(getattr(one, "os_error", None), ForbiddenHost) for one in causes
    )


@pytest.mark.parametrize("host", ELSEWHERE)
async def test_a_socket_to_another_host_never_leaves(host: str) -> None:
    with pytest.raises(ForbiddenHost):
        await open_websocket(f"ws://{host}:9/ws", LOOPBACK, TIMES)


async def test_production_reaches_no_host_but_its_own() -> None:
    policy = Endpoints.of(settings(None, None)).policy()

    with pytest.raises(ForbiddenHost):
        await open_websocket("wss://example.invalid/ws", policy, TIMES)
    with pytest.raises(ForbiddenHost):
        policy.check_host("127.0.0.1")


async def test_a_redirect_is_not_followed() -> None:
    asked: list[str] = []

    async def away(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=302, headers={"Location": f"http://{request.host}/elsewhere"})

    app = web.Application()
    app.router.add_get("/{path:.*}", away)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    client = HttpClient(LOOPBACK, BinanceHttp(), lambda: 0, 2.0)
    try:
        with pytest.raises(VenueUnreachable, match="302"):
            await client.send("GET", f"http://127.0.0.1:{port}/first", effect=Effect.READ, timeout_s=2)
        with pytest.raises(Exception, match="302"):
            await open_websocket(f"ws://127.0.0.1:{port}/socket", LOOPBACK, TIMES)
    finally:
        await client.close()
        await runner.cleanup()

    assert asked == ["/first", "/socket"]


async def test_proxy_settings_of_the_environment_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "ws_proxy", "WS_PROXY"):
        monkeypatch.setenv(name, "http://10.0.0.1:3128")
    with pytest.raises(OSError, match=r"127\.0\.0\.1|Connect call failed"):
        await open_websocket("ws://127.0.0.1:9/ws", LOOPBACK, TIMES)
    client = HttpClient(LOOPBACK, BinanceHttp(), lambda: 0, 2.0)
    try:
        with pytest.raises(VenueUnreachable, match="not sent") as caught:
            await client.send("GET", "http://127.0.0.1:9/", effect=Effect.READ, timeout_s=2)
    finally:
        await client.close()

    cause = caught.value.__cause__
    assert isinstance(cause, aiohttp.ClientConnectorError)
    assert cause.host == "127.0.0.1"


def test_the_test_network_replaces_every_host_and_is_none_of_the_real_ones() -> None:
    real = Endpoints.of(settings(None, None))
    practice = Endpoints.of(replace(settings(None, None), is_testnet=True))

    for name in ("rest", "public", "market", "private", "orders"):
        assert urlsplit(getattr(practice, name)).hostname not in {
            urlsplit(getattr(real, other)).hostname for other in ("rest", "public", "market", "private", "orders")
        }
