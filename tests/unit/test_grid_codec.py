"""Records as plain values: every kind there and back, and what is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from grid.account_records import (
    BreakerSet,
    DayOpened,
    EquityBaseline,
    IncomeBooked,
    PeakSet,
    RateSet,
    SymbolJoined,
    SymbolLeft,
)
from grid.codec import Undecodable, decode, encode
from grid.holds import Hold, HoldCause
from grid.kind_records import OpeningSet, SideTurned, TriggerSet
from grid.ladder import GridSide
from grid.lot import Lot
from grid.order import Fill, OrderStatus, Purpose, Side
from grid.reasons import Reason
from grid.records import (
    KINDS,
    Counted,
    FillBooked,
    ForeignNamed,
    ForeignSet,
    FundingBooked,
    HoldLifted,
    HoldPut,
    LotSet,
    OrderEnded,
    OrderIntended,
    OrderMarked,
    OwnerRaised,
    Record,
    SlotCleared,
    StopIntended,
    StopMarked,
    TradesCompleted,
    from_body,
    to_body,
)
from grid.slot import Signal, SlotKey
from grid.snapshot import from_snapshot, to_snapshot
from grid.stop import StopSignal
from tests.grid_histories import replayed
from tests.grid_world import SYMBOL, generation

KEY = SlotKey(symbol=SYMBOL, generation=1, level=-3)
FILL = Fill(
    symbol=SYMBOL,
    order_id="1234567890123456789",
    trade_id="7",
    client_id="",
    side=Side.SELL,
    price=299_800,
    quantity=10,
    fee=Decimal("1E-9"),
    fee_asset="BNB",
    is_maker=False,
    venue_ms=1,
)
LOT = Lot(quantity=3, cost=Decimal("8.994"), target=300_000, fees=(("USDT", Decimal("0.001")),), opened_ms=4)
INTENDED = OrderIntended(
    client_id="g1",
    symbol=SYMBOL,
    key=KEY,
    purpose=Purpose.EXIT,
    side=Side.SELL,
    price=300_000,
    quantity=3,
    target=300_000,
    at_ms=9,
    attach=False,
    closes=(KEY,),
)
RECORDS: tuple[Record, ...] = (
    generation(GridSide.SHORT),
    OwnerRaised(owner_epoch=4),
    INTENDED,
    OrderMarked(client_id="g1", symbol=SYMBOL, signal=Signal.ACKED, order_id="550e8400-e29b-41d4-a716-446655440000"),
    OrderEnded(client_id="g1", symbol=SYMBOL, order_id="1", status=OrderStatus.EXPIRED, filled=2, by_venue=True),
    FillBooked(fill=FILL, client_id="g1"),
    SlotCleared(key=KEY),
    HoldPut(hold=Hold(cause=HoldCause.MARGIN, symbol="", reason='ü \n "x"', since_ms=1)),
    HoldLifted(cause=HoldCause.MARGIN, symbol="", reason="over"),
    ForeignSet(symbol=SYMBOL, quantity=-5, reason="read"),
    ForeignNamed(symbol=SYMBOL, order_id="12", client_id="autoclose-1"),
    LotSet(key=KEY, lot=LOT, reason="adopted"),
    LotSet(key=KEY, lot=None, reason="gone"),
    FundingBooked(symbol=SYMBOL, transaction_id="9", amount=Decimal("-0.00000001"), asset="USDT", venue_ms=3),
    TradesCompleted(symbol=SYMBOL, venue_ms=6),
    TradesCompleted(symbol=SYMBOL, venue_ms=7, is_exact=True),
    StopIntended(symbol=SYMBOL, client_id="g2", side=Side.SELL, trigger=270_000, at_ms=9),
    StopMarked(symbol=SYMBOL, client_id="g2", signal=StopSignal.TRIGGERED, algo_id="7", order_id="8", reason="fell"),
    SideTurned(symbol=SYMBOL, generation=1, at_ms=5, reason="the price is beyond the start price"),
    TriggerSet(symbol=SYMBOL, price=Decimal("2990.5"), rises=True, is_fired=False, at_ms=3),
    OpeningSet(symbol=SYMBOL, generation=1, is_planned=True, levels=(3, 4), limit=300_300, at_ms=4, reason="passed"),
    Counted(symbol=SYMBOL, what="latecomer", reason=Reason.STALE),
    Counted(symbol=SYMBOL, what="latecomer"),
    BreakerSet(
        symbol=SYMBOL,
        base=Decimal(-3),
        peak=Decimal("0.5"),
        kind="stop_loss",
        reason="lost",
        price=Decimal("2998.5"),
        at_ms=5,
        is_selling=True,
    ),
    DayOpened(day=20_000, opening=Decimal(1_000), tripped_at=Decimal(900)),
    DayOpened(day=20_000, opening=Decimal(1_000)),
    PeakSet(equity=Decimal("1000.1")),
    EquityBaseline(amount=Decimal("999.5"), fees=Decimal("0.1"), venue_ms=7),
    IncomeBooked(kind="TRANSFER", transaction_id="12", symbol="", asset="USDT", amount=Decimal("-3.5"), venue_ms=8),
    RateSet(asset="BNB", rate=Decimal("612.3"), at_ms=9),
    SymbolJoined(symbol=SYMBOL, run="7", ladder='{"symbol":"ü"}'),
    SymbolLeft(symbol=SYMBOL, run="7", ladder="{}", mode="keep", is_verified=True),
)


def test_every_kind_of_record_is_tried() -> None:
    assert {type(record) for record in RECORDS} == set(KINDS.values())


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_survives_its_plain_form(record: Record) -> None:
    kind, symbol, body = to_body(record)

    assert from_body(kind, json.loads(json.dumps(body))) == record
    assert symbol in (SYMBOL, "")


def test_account_records_have_no_symbol_and_others_theirs() -> None:
    symbols = {to_body(record)[0]: to_body(record)[1] for record in RECORDS}

    assert {kind for kind, symbol in symbols.items() if symbol == ""} == {
        "owner",
        "hold",
        "lift",
        "day",
        "peak",
        "baseline",
        "income",
        "rate",
    }


def test_an_older_body_takes_defaults_for_what_it_lacks() -> None:
    kind, _, body = to_body(INTENDED)
    del body["attach"]

    read = from_body(kind, body)

    assert isinstance(read, OrderIntended)
    assert read.attach is True


def changed(**changes: Any) -> dict[str, Any]:
    return {**to_body(INTENDED)[2], **changes}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (changed(colour=1), "unknown field colour"),
        (changed(price="3000"), r"OrderIntended\.price: '3000' is no int"),
        (changed(price=True), r"OrderIntended\.price: True is no int"),
        (changed(price=1.5), r"OrderIntended\.price"),
        (changed(attach=1), r"OrderIntended\.attach"),
        (changed(side="UP"), r"OrderIntended\.side: 'UP' is no Side"),
        (changed(key=5), "SlotKey: 5 is no object"),
        ({"client_id": "g1"}, "missing"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_by_name(body: dict[str, Any], named: str) -> None:
    with pytest.raises(Undecodable, match=named):
        from_body("intent", body)


@pytest.mark.parametrize("amount", [0.1, 1, "a lot", None])
def test_money_is_read_from_text_alone(amount: object) -> None:
    body = to_body(FundingBooked(symbol=SYMBOL, transaction_id="9", amount=Decimal(1), asset="USDT", venue_ms=3))[2]

    with pytest.raises(Undecodable, match="no decimal text"):
        from_body("funding", {**body, "amount": amount})


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(Undecodable, match="unknown record kind 'gossip'"):
        from_body("gossip", {})


def test_a_float_has_no_plain_form() -> None:
    with pytest.raises(TypeError, match="float has no plain form"):
        encode((1, 0.5))


@dataclass(frozen=True)
class Odd:
    pair: tuple[int, str] = (1, "a")
    either: int | str = 1


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"pair": [1]}, "1 items where 2 belong"),
        ({"pair": "ab"}, "no list"),
        ({"either": "a"}, "cannot be told"),
    ],
)
def test_lists_of_a_wrong_length_and_open_unions_are_refused(body: dict[str, Any], named: str) -> None:
    with pytest.raises(Undecodable, match=named):
        decode(Odd, body)


@pytest.mark.parametrize("damage", [{"version": 2}, {"orders": None}, {"surplus": 1}])
def test_a_damaged_snapshot_is_refused(damage: dict[str, Any]) -> None:
    body = to_snapshot(replayed([generation()]))

    with pytest.raises(Undecodable):
        from_snapshot({**body, **damage})
    with pytest.raises(Undecodable):
        from_snapshot({name: value for name, value in body.items() if name != "fills"})
