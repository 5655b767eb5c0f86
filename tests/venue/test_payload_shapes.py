"""The payloads have the key sets of the venue's documents: the samples beside the repository, less what it left out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from grid.order import Side
from tests.venue.frames import frame, order_frame
from tests.venue.running_venue import PlainClient, RunningVenue, running, still_options, trade

FIXTURES = Path(__file__).resolve().parents[3] / "shared" / "fixtures" / "binance_official_sdk_expected"
RECORDED = FIXTURES.parents[1] / "data" / "ws_recordings" / "binance_usdm_user_data_events.jsonl"

TRAILING = {"activatePrice", "priceRate"}
"""Only on trailing stops, which live among the algo orders now."""
PARTS = {"code", "msg"}
"""The error form of a row in a batch; the samples show both forms in one row."""

REST: tuple[tuple[str, str, str, dict[str, Any], set[str]], ...] = (
    ("trade_api", "query_order", "/fapi/v1/order", {"origClientOrderId": "shape"}, TRAILING),
    ("trade_api", "query_current_open_order", "/fapi/v1/openOrder", {"origClientOrderId": "shape"}, TRAILING),
    ("trade_api", "current_all_open_orders", "/fapi/v1/openOrders", {}, TRAILING),
    ("trade_api", "all_orders", "/fapi/v1/allOrders", {}, TRAILING),
    ("trade_api", "account_trade_list", "/fapi/v1/userTrades", {}, set()),
    ("trade_api", "position_information_v2", "/fapi/v2/positionRisk", {}, set()),
    ("trade_api", "position_information_v3", "/fapi/v3/positionRisk", {}, set()),
    ("trade_api", "current_all_algo_open_orders", "/fapi/v1/openAlgoOrders", {}, set()),
    ("trade_api", "query_all_algo_orders", "/fapi/v1/allAlgoOrders", {}, set()),
    ("trade_api", "query_algo_order", "/fapi/v1/algoOrder", {"clientAlgoId": "shape"}, set()),
    ("account_api", "account_information_v2", "/fapi/v2/account", {}, set()),
    ("account_api", "account_information_v3", "/fapi/v3/account", {}, set()),
    ("account_api", "futures_account_balance_v2", "/fapi/v2/balance", {}, set()),
    ("account_api", "futures_account_balance_v3", "/fapi/v3/balance", {}, set()),
    ("account_api", "futures_account_configuration", "/fapi/v1/accountConfig", {}, set()),
    ("account_api", "symbol_configuration", "/fapi/v1/symbolConfig", {}, set()),
    ("account_api", "get_current_position_mode", "/fapi/v1/positionSide/dual", {}, set()),
    ("account_api", "get_current_multi_assets_mode", "/fapi/v1/multiAssetsMargin", {}, set()),
    ("account_api", "get_income_history", "/fapi/v1/income", {}, set()),
    ("account_api", "notional_and_leverage_brackets", "/fapi/v1/leverageBracket", {}, set()),
    ("account_api", "query_user_rate_limit", "/fapi/v1/rateLimit/order", {}, set()),
    ("account_api", "user_commission_rate", "/fapi/v1/commissionRate", {}, set()),
    ("market_data_api", "check_server_time", "/fapi/v1/time", {}, set()),
    ("market_data_api", "order_book", "/fapi/v1/depth", {}, set()),
    ("market_data_api", "recent_trades_list", "/fapi/v1/trades", {}, set()),
    ("market_data_api", "compressed_aggregate_trades_list", "/fapi/v1/aggTrades", {}, set()),
    ("market_data_api", "mark_price", "/fapi/v1/premiumIndex", {}, set()),
    ("market_data_api", "get_funding_rate_info", "/fapi/v1/fundingInfo", {}, set()),
    ("market_data_api", "symbol_price_ticker", "/fapi/v1/ticker/price", {}, set()),
    ("market_data_api", "symbol_order_book_ticker", "/fapi/v1/ticker/bookTicker", {}, set()),
    ("market_data_api", "ticker24hr_price_change_statistics", "/fapi/v1/ticker/24hr", {}, set()),
    ("market_data_api", "open_interest", "/fapi/v1/openInterest", {}, set()),
)


@pytest.fixture(scope="module")
def venue() -> Iterator[RunningVenue]:
    with running(still_options()) as started:
        yield started


@pytest.fixture
async def client(venue: RunningVenue, session: aiohttp.ClientSession) -> PlainClient:
    """A client whose account has a position, a fill, a resting order and a conditional one."""
    venue.heal()
    made = PlainClient(session, venue.rest_url)
    await made.place("shapeFill", price="3000.01", timeInForce="IOC")
    await made.place("shape")
    await made.ask(
        "POST",
        "/fapi/v1/algoOrder",
        algoType="CONDITIONAL",
        symbol="ETHUSDT",
        side="SELL",
        type="TAKE_PROFIT",
        triggerPrice="4000",
        price="4000",
        quantity="0.01",
        reduceOnly="true",
        clientAlgoId="shape",
    )
    return made


def sample(part: str, name: str, kind: str = "rest_api") -> Any:
    path = FIXTURES / f"{part}__{kind}.json"
    if not path.is_file():
        pytest.skip("the samples of payloads are not here: ../shared/fixtures is absent")
    return json.loads(path.read_text(encoding="utf-8"))["payloads"][name]


def first(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


def missing(expected: Any, actual: Any, at: str = "") -> list[str]:
    """Return the keys of the sample that the answer lacks, and values of another JSON type, at every depth."""
    expected, actual = first(expected), first(actual)
    if not isinstance(expected, dict):
        kinds = {bool: "flag", int: "number", float: "number", str: "text"}
        told, meant = kinds.get(type(actual), ""), kinds.get(type(expected), "")
        return [f"{at} is {actual!r}, sample {expected!r}"] if told and meant and told != meant else []
    found: list[str] = []
    for key, value in expected.items():
        if key not in actual:
            found.append(f"{at}.{key}")
        elif value not in ([], {}) and actual[key] not in ([], {}, None):
            found += missing(value, actual[key], f"{at}.{key}")
    return found


@pytest.mark.parametrize(("part", "name", "path", "params", "left_out"), REST, ids=[row[1] for row in REST])
async def test_an_answer_has_every_key_of_its_sample(
    client: PlainClient, part: str, name: str, path: str, params: dict[str, Any], left_out: set[str]
) -> None:
    status, answer = await client.ask("GET", path, **{"symbol": "ETHUSDT", **params})

    assert status == 200, answer
    assert answer != []
    assert [gap for gap in missing(sample(part, name), answer) if gap.rsplit(".", 1)[-1] not in left_out] == []


async def test_acknowledgements_have_the_keys_of_today_and_no_average(client: PlainClient) -> None:
    _, placed = await client.place("ack1")
    _, amended = await client.ask(
        "PUT", "/fapi/v1/order", symbol="ETHUSDT", origClientOrderId="ack1", side="BUY", quantity="0.02", price="2901"
    )
    _, cancelled = await client.ask("DELETE", "/fapi/v1/order", symbol="ETHUSDT", origClientOrderId="ack1")

    for name, answer in (("new_order", placed), ("modify_order", amended), ("cancel_order", cancelled)):
        gaps = missing(sample("trade_api", name), answer)
        assert [gap for gap in gaps if gap.strip(".") not in TRAILING] == []
        assert {"avgPrice", "cumQuote"}.isdisjoint(answer)


async def test_algo_acknowledgements_have_the_keys_of_their_samples(client: PlainClient) -> None:
    _, placed = await client.ask(
        "POST",
        "/fapi/v1/algoOrder",
        algoType="CONDITIONAL",
        symbol="ETHUSDT",
        side="SELL",
        type="STOP_MARKET",
        triggerPrice="2000",
        quantity="0.01",
    )
    _, cancelled = await client.ask("DELETE", "/fapi/v1/algoOrder", algoId=placed["algoId"])

    assert missing(sample("trade_api", "new_algo_order"), placed) == []
    assert missing(sample("trade_api", "cancel_algo_order"), cancelled) == []


async def test_exchange_information_has_the_keys_of_its_sample(client: PlainClient) -> None:
    _, answer = await client.ask("GET", "/fapi/v1/exchangeInfo", sign=False)
    gaps = missing(sample("market_data_api", "exchange_information"), answer)

    merged_filters = {gap for gap in gaps if ".filters." in gap}  # the sample shows all filters in one
    assert set(gaps) - merged_filters <= {".symbols.settlePlan"}


@pytest.mark.parametrize(
    ("name", "method", "params"),
    [
        ("new_order", "order.place", {}),
        ("query_order", "order.status", {"symbol": "ETHUSDT", "origClientOrderId": "shape"}),
        ("cancel_order", "order.cancel", {"symbol": "ETHUSDT", "origClientOrderId": "shape"}),
        ("position_information", "account.position", {}),
        ("position_information_v2", "v2/account.position", {}),
    ],
)
async def test_a_frame_has_the_keys_of_its_sample(
    venue: RunningVenue, session: aiohttp.ClientSession, client: PlainClient, name: str, method: str, params: Any
) -> None:
    request = order_frame("shapeFrame") if name == "new_order" else frame(method, params)
    async with session.ws_connect(f"{venue.ws_url}/ws-fapi/v1") as socket:
        await socket.send_json({**request, "id": "text, as in the samples"})
        answer = await socket.receive_json(timeout=60)

    gaps = missing(sample("trade_api_ws_api", name, "websocket_api"), answer)
    assert [gap for gap in gaps if gap.rsplit(".", 1)[-1] not in TRAILING] == []


STREAMS = (
    ("public_api_ws_streams", "individual_symbol_book_ticker_streams", "/public/ws/ethusdt@bookTicker"),
    ("public_api_ws_streams", "partial_book_depth_streams", "/public/ws/ethusdt@depth5@100ms"),
    ("public_api_ws_streams", "diff_book_depth_streams", "/public/ws/ethusdt@depth@100ms"),
    ("market_api_ws_streams", "aggregate_trade_streams", "/market/ws/ethusdt@aggTrade"),
    ("market_api_ws_streams", "kline_candlestick_streams", "/market/ws/ethusdt@kline_1m"),
    ("market_api_ws_streams", "mark_price_stream", "/market/ws/ethusdt@markPrice@1s"),
    ("market_api_ws_streams", "mark_price_stream_for_all_market", "/market/ws/!markPrice@arr@1s"),
    ("market_api_ws_streams", "individual_symbol_ticker_streams", "/market/ws/ethusdt@ticker"),
    ("market_api_ws_streams", "individual_symbol_mini_ticker_stream", "/market/ws/ethusdt@miniTicker"),
)


@pytest.mark.parametrize(("part", "name", "path"), STREAMS)
async def test_a_stream_has_the_keys_of_its_sample(
    venue: RunningVenue, session: aiohttp.ClientSession, client: PlainClient, part: str, name: str, path: str
) -> None:
    async with session.ws_connect(venue.ws_url + path) as socket:
        await client.place("shapeStream", price="3000", timeInForce="GTC")
        await asyncio.to_thread(venue.play, trade("ETHUSDT", "2999.5", "1", Side.SELL))
        event = await socket.receive_json(timeout=60)

    assert missing(sample(part, name, "websocket_streams"), event) == []


async def test_private_events_have_the_keys_of_recorded_ones(
    venue: RunningVenue, session: aiohttp.ClientSession, client: PlainClient
) -> None:
    if not RECORDED.is_file():
        pytest.skip("recorded events are not here: ../shared/data is absent")
    recorded = [json.loads(line)["raw"] for line in RECORDED.read_text(encoding="utf-8").splitlines()]
    key = await client.listen_key()
    async with session.ws_connect(f"{venue.ws_url}/private/ws?listenKey={key}") as socket:
        await client.place("shapePrivate", price="3000.01", timeInForce="IOC")
        seen: dict[str, Any] = {}
        while {"ORDER_TRADE_UPDATE", "TRADE_LITE", "ACCOUNT_UPDATE"} - set(seen):
            event = await socket.receive_json(timeout=60)
            seen[event["e"]] = event

    for event in recorded:
        gaps = missing(event, seen[event.get("e", "ORDER_TRADE_UPDATE")])
        assert gaps == [], event
