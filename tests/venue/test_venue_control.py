"""Control of a running venue: other hands, the market, the tape, sockets, limits, and the truth."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from exchanges.sim.market import MarketEvent
from exchanges.sim.server.market_source import ListedMarket
from exchanges.sim.server.options import VenueOptions
from exchanges.sim.server.sources import GeneratedMarket
from grid.order import Side
from tests.venue.running_venue import (
    INSTRUMENTS,
    PlainClient,
    RunningVenue,
    quote,
    running,
    still_options,
    trade,
)


@pytest.fixture
def venue() -> Iterator[RunningVenue]:
    """A venue for each test: most of these verbs leave marks."""
    with running(still_options()) as started:
        yield started


@pytest.fixture
def client(venue: RunningVenue, session: aiohttp.ClientSession) -> PlainClient:
    return PlainClient(session, venue.rest_url)


class Controller:
    """Sends control requests with the venue's token."""

    def __init__(self, session: aiohttp.ClientSession, venue: RunningVenue) -> None:
        self._session = session
        self._url = f"{venue.rest_url}/sim"
        self.token = venue.server.venue.control_token

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"X-Sim-Token": self.token}
        async with self._session.request(method, f"{self._url}/{path}", json=body, headers=headers) as reply:
            return reply.status, await reply.json()

    async def post(self, verb: str, /, **body: Any) -> Any:
        status, answer = await self.ask("POST", verb, body)
        assert status == 200, answer
        return answer

    async def account(self) -> Any:
        return (await self.ask("GET", "state"))[1]["accounts"]["main"]


@pytest.fixture
def control(session: aiohttp.ClientSession, venue: RunningVenue) -> Controller:
    return Controller(session, venue)


async def test_control_needs_the_token(control: Controller) -> None:
    control.token = "guessed"

    assert (await control.ask("GET", "state"))[0] == 403
    assert (await control.ask("POST", "faults", []))[0] == 403


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", [{"kind": "no_such"}]),
        ("faults", {"kind": "reply_lost", "oftenness": 3}),
        ("tape", {"action": "rewind"}),
        ("orders", {"symbol": "ETHUSDT"}),
        ("market", {"events": [{"kind": "trade", "symbol": "ETHUSDT", "price": "x"}]}),
    ],
)
async def test_a_wrong_request_is_refused_and_says_why(control: Controller, path: str, body: Any) -> None:
    status, answer = await control.ask("POST", path, body)

    assert status == 422
    assert answer["error"]


async def test_faults_come_and_go_at_run_time(control: Controller, client: PlainClient) -> None:
    await control.ask(
        "POST", "faults", [{"kind": "unknown_error", "name": "mine", "scope": {"endpoint": "order.place"}, "count": 5}]
    )
    broken, _ = await client.place("broken")
    shown = (await control.ask("GET", "faults"))[1]
    await control.ask("DELETE", "faults/mine")
    healed, _ = await client.place("healed")

    assert (broken, healed) == (503, 200)
    assert shown["rules"] == [{"name": "mine", "kind": "unknown_error", "matches": 1, "strikes": 1}]
    assert shown["struck"][0]["clientOrderId"] == "broken"


async def test_the_state_is_the_venue_s_truth(control: Controller, client: PlainClient, venue: RunningVenue) -> None:
    await client.place("truth1", price="2999.9")
    await client.place("truth2")
    await asyncio.to_thread(venue.play, trade("ETHUSDT", "2999.8", "1", Side.SELL))
    await client.ask("DELETE", "/fapi/v1/order", symbol="ETHUSDT", origClientOrderId="truth2")
    await client.place("truth2")
    await client.place("wrong", price="3100")

    status, state = await control.ask("GET", "state")
    account = state["accounts"]["main"]

    assert status == 200
    assert [(row["clientOrderId"], row["status"]) for row in account["orders"]] == [
        ("truth1", "FILLED"),
        ("truth2", "CANCELED"),
        ("truth2", "NEW"),
    ]
    assert [(row["clientOrderId"], row["qty"]) for row in account["fills"]] == [("truth1", "0.010")]
    assert account["positions"]["ETHUSDT"]["quantity"] == "0.010"
    assert account["counts"] == {
        "placed": 3,
        "open": 1,
        "filled": 1,
        "cancelled": 1,
        "expired": 0,
        "duplicateClientIds": {"truth2": 2},
    }
    assert state["refusals"] == {"-5022": 1}
    assert Decimal(account["wallet"]["USDT"]) == 100_000 + sum(
        (Decimal(row["income"]) for row in account["income"] if row["incomeType"] != "TRANSFER"), Decimal(0)
    )


async def test_another_hand_trades_on_the_account(
    control: Controller, client: PlainClient, venue: RunningVenue, session: aiohttp.ClientSession
) -> None:
    key = await client.listen_key()
    async with session.ws_connect(f"{venue.ws_url}/private/ws?listenKey={key}") as socket:
        manual = await control.post("orders", symbol="ETHUSDT", side="BUY", quantity="0.05", price="2950")
        await control.post("position", symbol="ETHUSDT", quantity="-0.5")
        first = await socket.receive_json(timeout=60)

    assert first["o"]["c"] == manual["clientOrderId"]
    assert manual["clientOrderId"].startswith("web_")
    assert (await control.account())["positions"]["ETHUSDT"]["quantity"] == "-0.500"


async def test_a_refused_manual_order_says_so(control: Controller) -> None:
    status, answer = await control.ask(
        "POST", "orders", {"symbol": "ETHUSDT", "side": "BUY", "quantity": "0.05", "price": "2950.001"}
    )

    assert (status, answer["code"]) == (409, -1111)


async def test_the_market_is_moved_by_hand(control: Controller, client: PlainClient) -> None:
    await client.place("moved")
    await control.post(
        "market",
        events=[
            {"kind": "book", "symbol": "ETHUSDT", "bid": "2890", "ask": "2890.01"},
            {"kind": "trade", "symbol": "ETHUSDT", "price": "2890", "quantity": "1", "aggressor": "SELL"},
            {"kind": "mark", "symbol": "ETHUSDT", "price": "2891.5"},
            {"kind": "funding", "symbol": "ETHUSDT", "rate": "0.001"},
        ],
    )

    account = await control.account()
    _, premium = await client.ask("GET", "/fapi/v1/premiumIndex", sign=False, symbol="ETHUSDT")

    assert account["orders"][0]["status"] == "FILLED"
    assert Decimal(premium["markPrice"]) == Decimal("2891.5")
    assert [row["income"] for row in account["income"] if row["incomeType"] == "FUNDING_FEE"] == ["-0.02891500"]


async def test_the_price_jumps_and_stays_away(control: Controller, client: PlainClient) -> None:
    await client.place("jumped", price="2950")
    await control.post("tape", action="jump", symbol="ETHUSDT", percent="-5")

    _, ticker = await client.ask("GET", "/fapi/v1/ticker/bookTicker", sign=False, symbol="ETHUSDT")

    assert Decimal(ticker["bidPrice"]) == 2850
    assert (await control.account())["orders"][0]["status"] == "FILLED"


async def test_positions_end_by_other_hands(control: Controller, client: PlainClient) -> None:
    for symbol, price in (("ETHUSDT", "3010"), ("BTCUSDT", "60100"), ("XRPUSDT", "0.51")):
        quantity = {"ETHUSDT": "0.1", "BTCUSDT": "0.01", "XRPUSDT": "100"}[symbol]
        status, answer = await client.place(
            f"held{symbol}", symbol=symbol, price=price, quantity=quantity, timeInForce="IOC"
        )
        assert status == 200, answer

    await control.post("liquidate", symbol="ETHUSDT")
    await control.post("deleverage", symbol="BTCUSDT", quantity="0.004")
    await control.post("delist", symbol="XRPUSDT")
    account = await control.account()
    refused = await client.place("closed", symbol="XRPUSDT", price="0.4", quantity="100")
    _, rules = await client.ask("GET", "/fapi/v1/exchangeInfo", sign=False)

    assert {name: held["quantity"] for name, held in account["positions"].items()} == {"BTCUSDT": "0.006"}
    names = [row["clientOrderId"] for row in account["orders"]]
    assert [any(name.startswith(start) for name in names) for start in ("autoclose-", "adl_autoclose")] == [True, True]
    assert refused[0] == 400
    statuses = {row["symbol"]: row["status"] for row in rules["symbols"]}
    assert (statuses["XRPUSDT"], statuses["ETHUSDT"]) == ("SETTLING", "TRADING")


async def test_filters_change_while_orders_rest(control: Controller, client: PlainClient) -> None:
    await client.place("before")
    await control.post("instrument", symbol="ETHUSDT", filters={"MIN_NOTIONAL": {"notional": "500"}})

    refused = await client.place("after")
    _, rules = await client.ask("GET", "/fapi/v1/exchangeInfo", sign=False)

    assert refused[1]["code"] == -4164
    eth = next(row for row in rules["symbols"] if row["symbol"] == "ETHUSDT")
    assert {"notional": "500", "filterType": "MIN_NOTIONAL"} in eth["filters"]
    assert (await control.account())["counts"]["open"] == 1


@pytest.mark.parametrize(
    "filters",
    [{"PRICE_FILTER": {"tickSize": "0.05"}}, {"LOT_SIZE": {"stepSize": "0.01"}}, {"PRICE_FILTER": {"tickSize": "x"}}],
)
async def test_filters_in_which_nothing_can_be_counted_are_refused_with_the_reason(
    control: Controller, client: PlainClient, filters: dict[str, dict[str, str]]
) -> None:
    _, before = await client.ask("GET", "/fapi/v1/exchangeInfo", sign=False)
    status, answer = await control.ask("POST", "instrument", {"symbol": "ETHUSDT", "filters": filters})
    _, after = await client.ask("GET", "/fapi/v1/exchangeInfo", sign=False)

    assert (status, answer["code"]) == (409, -1130)
    assert "filters (" in answer["error"]
    assert before["symbols"] == after["symbols"]


async def test_the_ledger_is_read_page_by_page(control: Controller, client: PlainClient) -> None:
    for amount in range(1, 6):
        await control.post("transfer", amount=str(amount))

    async def amounts(**query: Any) -> list[int]:
        _, rows = await client.ask("GET", "/fapi/v1/income", incomeType="TRANSFER", limit=2, **query)
        return [int(Decimal(row["income"])) for row in rows]

    _, rows = await client.ask("GET", "/fapi/v1/income", incomeType="TRANSFER", limit=1000)
    first_ms = next(row["time"] for row in rows if Decimal(row["income"]) == 1)
    forward = [await amounts(startTime=first_ms, page=page) for page in (1, 2, 3, 4)]
    assert [sorted(page) for page in forward] == [[1, 2], [3, 4], [5], []]
    assert [await amounts(), await amounts(page=2)] == [[4, 5], [2, 3]]


async def test_money_moves_and_an_address_is_banned_and_freed(control: Controller, client: PlainClient) -> None:
    await control.post("transfer", amount="-40000")
    await control.post("limits", action="ban", length_ms=60_000)
    banned, _ = await client.ask("GET", "/fapi/v1/time", sign=False)
    await control.post("limits", action="lift")
    free, _ = await client.ask("GET", "/fapi/v1/time", sign=False)

    assert (banned, free) == (418, 200)
    assert Decimal((await control.account())["wallet"]["USDT"]) == 60_000


async def test_sockets_are_cut_by_path(
    control: Controller, venue: RunningVenue, session: aiohttp.ClientSession
) -> None:
    async with (
        session.ws_connect(f"{venue.ws_url}/market/ws/ethusdt@kline_1m") as market,
        session.ws_connect(f"{venue.ws_url}/public/ws/ethusdt@bookTicker") as public,
        session.ws_connect(f"{venue.ws_url}/ws-fapi/v1") as api,
    ):
        assert (await control.post("sockets", action="cut", path="/market"))["sockets"] == 1
        assert (await control.post("sockets", action="cut", path="/ws-fapi"))["sockets"] == 1
        ended = [await _end_of(socket) for socket in (market, api)]
        await asyncio.to_thread(venue.play, quote("ETHUSDT", "3001", "3001.01"))

        assert all(ended)
        assert (await public.receive_json(timeout=60))["b"] == "3001.00"


async def _end_of(socket: aiohttp.ClientWebSocketResponse) -> bool:
    for _ in range(20):
        message = await socket.receive(timeout=60)
        if message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSE):
            return True
    return False


def _ramp(count: int, every_ms: int) -> tuple[MarketEvent, ...]:
    return tuple(
        quote("ETHUSDT", f"{3000 + step}", f"{3000 + step}.01", at_ms=step * every_ms) for step in range(count)
    )


async def test_the_tape_is_paused_resumed_and_sought(session: aiohttp.ClientSession) -> None:
    listed = ListedMarket(known=tuple(INSTRUMENTS.values()), listed=_ramp(1000, 100))
    with running(VenueOptions(market=listed)) as venue:
        control = Controller(session, venue)
        paused = await control.post("tape", action="pause")
        await asyncio.sleep(0.35)
        still = (await control.ask("GET", "state"))[1]["tape"]
        await control.post("tape", action="resume")
        moving = still
        while moving["played"] == still["played"]:
            moving = (await control.ask("GET", "state"))[1]["tape"]
        await control.post("tape", action="seek", ahead_ms=20_000)
        _, ticker = await PlainClient(session, venue.rest_url).ask(
            "GET", "/fapi/v1/ticker/bookTicker", sign=False, symbol="ETHUSDT"
        )

    assert still["played"] == paused["played"]
    assert still["is_paused"]
    assert paused["played"] < moving["played"] < 400
    assert 3200 <= Decimal(ticker["bidPrice"]) < 3300


async def test_speed_compresses_the_tape_and_its_end_can_be_its_beginning(session: aiohttp.ClientSession) -> None:
    listed = ListedMarket(known=tuple(INSTRUMENTS.values()), listed=_ramp(30, 100))
    with running(VenueOptions(market=listed, speed=10.0, keep_playing=True)) as venue:
        async with asyncio.timeout(60):
            while int(str((tape := venue.within(lambda server: server.tape.status()))["played"])) <= 40:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    assert not tape["is_over"]


async def test_the_generated_market_trades_and_has_candles_from_before_the_start(
    session: aiohttp.ClientSession,
) -> None:
    with running(VenueOptions(market=GeneratedMarket(seed=5, duration_ms=60_000), seed=5)) as venue:
        client = PlainClient(session, venue.rest_url)
        _, before = await client.ask("GET", "/fapi/v1/klines", sign=False, symbol="ETHUSDT", interval="1s", limit=30)
        async with session.ws_connect(f"{venue.ws_url}/market/ws/ethusdt@aggTrade") as socket:
            prints = [await socket.receive_json(timeout=60) for _ in range(5)]

    assert len(before) == 30
    assert {row[6] - row[0] for row in before} == {999}
    assert [row["e"] for row in prints] == ["aggTrade"] * 5
