"""The reckoning sees each breach: one wrong thing at a time in the venue's truth, or in the book's last word."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from actors.settings.account import Settings, load_settings
from actors.trials.demo_reckoning import reckon
from grid.client_id import ClientId
from grid.holds import Hold, HoldCause
from grid.order import Purpose, Side
from grid.records import HoldPut, OrderIntended, OwnerRaised, Record
from grid.slot import SlotKey

CONFIG = Path(__file__).parents[2] / "configs" / "demo.yaml"


def own(level: int, sequence: int, purpose: Purpose = Purpose.ENTRY) -> str:
    return ClientId(
        journal="Test",
        symbol="ETHUSDT",
        generation=0,
        level=level,
        purpose=purpose,
        owner_epoch=1,
        sequence=sequence,
    ).encode()


def order(client_id: str, status: str, begun_ms: int, ended_ms: int, number: int, **more: Any) -> dict[str, Any]:
    return {
        "symbol": "ETHUSDT",
        "clientOrderId": client_id,
        "status": status,
        "time": begun_ms,
        "updateTime": ended_ms,
        "orderId": number,
        "reduceOnly": False,
        **more,
    }


def truth() -> dict[str, Any]:
    """One entry bought 0.020 at 2998 and its exit sold them at 3000; a cancelled entry beside."""
    return {
        "accounts": {
            "main": {
                "orders": [
                    order(own(-1, 1), "FILLED", 1_000, 2_000, 1),
                    order(own(-1, 2, Purpose.EXIT), "FILLED", 2_100, 3_000, 2, reduceOnly=True),
                    order(own(-2, 3), "CANCELED", 1_000, 9_000, 3),
                ],
                "fills": [
                    {"symbol": "ETHUSDT", "clientOrderId": own(-1, 1)},
                    {"symbol": "ETHUSDT", "clientOrderId": own(-1, 2, Purpose.EXIT)},
                ],
                "positions": {},
                "income": [{"incomeType": "TRANSFER", "income": "1000"}],
                "wallet": {"USDT": "1000.016"},
                "unrealised": "0",
                "counts": {"duplicateClientIds": {}},
            }
        }
    }


def last() -> dict[str, Any]:
    picture = {
        "side": "long",
        "entry_fills": 1,
        "exit_fills": 1,
        "round_trips": 1,
        "grid_profit": "0.016",
        "grid_profit_gross": "0.040",
        "fees": {"USDT": "0.024"},
        "funding": "0",
        "lots": 0,
        "lot_quantity": "0",
        "lot_cost": "0",
        "lots_side": "long",
        "position": "0",
    }
    hold = {"kind": "hold", "text": "hold risk on the account: fell", "at_ms": 9_500}
    return {
        "state": "stopped",
        "final": {"verified": True, "symbols": {"ETHUSDT": picture}, "notices": [hold]},
    }


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings(CONFIG, {})


def test_what_is_sound_breaks_nothing(settings: Settings) -> None:
    assert reckon(last(), truth(), settings, 1.0, records=()).violations == ()


BREACHES = {
    "the stop was verified at the venue": (["final", "verified"], False),
    "every fill is booked once": (["final", "symbols", "ETHUSDT", "exit_fills"], 0),
    "the book's position is the venue's": (["final", "symbols", "ETHUSDT", "position"], "0.020"),
    "equity ties to the last decimal": (["final", "symbols", "ETHUSDT", "fees"], {"USDT": "0.024002"}),
}


@pytest.mark.parametrize("name", BREACHES)
def test_a_wrong_last_word_breaks_the_invariant_it_belongs_to(settings: Settings, name: str) -> None:
    told = last()
    path, value = BREACHES[name]
    place: Any = told
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value

    checks = dict(reckon(told, truth(), settings, 1.0, records=()).checks)

    assert {broken for broken, found in checks.items() if found} == {name}


ORDERS = {
    "no own order is left": order(own(-3, 4), "NEW", 1_000, 1_000, 4),
    "no level had two orders at a time": order(own(-2, 4), "CANCELED", 8_999, 9_001, 4),
    "every closing order could only close": order(own(-3, 4, Purpose.FLATTEN), "EXPIRED", 1_000, 1_001, 4),
}


@pytest.mark.parametrize("name", ORDERS)
def test_a_wrong_order_breaks_the_invariant_it_belongs_to(settings: Settings, name: str) -> None:
    seen = copy.deepcopy(truth())
    seen["accounts"]["main"]["orders"].append(ORDERS[name])

    checks = dict(reckon(last(), seen, settings, 1.0, records=()).checks)

    assert {broken for broken, found in checks.items() if found} == {name}


def test_a_client_id_that_was_used_twice_is_a_breach(settings: Settings) -> None:
    seen = truth()
    seen["accounts"]["main"]["counts"]["duplicateClientIds"] = {own(-1, 1): 2}

    assert dict(reckon(last(), seen, settings, 1.0, records=()).checks)["no client id was used twice"]


def test_an_entry_that_was_meant_under_a_hold_is_a_breach(settings: Settings) -> None:
    held = HoldPut(hold=Hold(cause=HoldCause.RISK, symbol="", reason="a fall", since_ms=1))
    entry = OrderIntended(
        client_id=own(-3, 4),
        symbol="ETHUSDT",
        key=SlotKey(symbol="ETHUSDT", generation=0, level=-3),
        purpose=Purpose.ENTRY,
        side=Side.BUY,
        price=299_400,
        quantity=20,
        target=299_600,
        at_ms=2,
    )
    records: list[Record] = [OwnerRaised(owner_epoch=1), held, entry]

    found = dict(reckon(last(), truth(), settings, 1.0, records=records).checks)

    assert {broken for broken, breaches in found.items() if breaches} == {"no entry was placed under a hold"}
    assert reckon(last(), truth(), settings, 1.0, records=[records[0], entry, held]).violations == ()


def test_a_stop_of_ours_that_still_waits_is_an_own_order_that_is_left(settings: Settings) -> None:
    stop = {"symbol": "ETHUSDT", "clientAlgoId": own(0, 9, Purpose.STOP), "algoStatus": "NEW"}
    by_hand, gone = {**stop, "clientAlgoId": "by_hand"}, {**stop, "algoStatus": "CANCELED"}
    seen = truth()

    seen["accounts"]["main"]["algoOrders"] = [by_hand, gone]
    assert reckon(last(), seen, settings, 1.0, records=()).violations == ()

    seen["accounts"]["main"]["algoOrders"] = [by_hand, gone, stop]
    found = reckon(last(), seen, settings, 1.0, records=())
    assert found.open_own_orders == 1
    assert {broken for broken, words in found.checks if words} == {"no own order is left"}
