"""The last check before the wire, rule by rule, and that nobody else makes permissions."""

from __future__ import annotations

import ast
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from grid.instrument import Instrument
from grid.order import OrderRequest, Side, TimeInForce
from risk.daily_loss import DailyLoss
from risk.veto import Approved
from risk.wire_check import ClosingRoom, Vetoed, WireLimits, approve

ETH = Instrument(
    symbol="ETHUSDT",
    base="ETH",
    quote="USDT",
    tick=Decimal("0.01"),
    step=Decimal("0.001"),
    price_min=3986,
    price_max=30_000_000,
    quantity_min=1,
    quantity_max=10_000_000,
    notional_min=Decimal(20),
)
ENTRY = OrderRequest(symbol="ETHUSDT", client_id="g1", side=Side.BUY, price=299_800, quantity=10, closing=False)
EXIT = OrderRequest(symbol="ETHUSDT", client_id="g2", side=Side.SELL, price=300_000, quantity=10, closing=True)
ROOM = ClosingRoom(lots=30, position=30)


def checked(
    request: OrderRequest,
    *,
    mark: str | None = "3000",
    amount: str = "30",
    room: ClosingRoom = ROOM,
    daily_loss: DailyLoss | None = None,
    instrument: Instrument = ETH,
) -> Approved | Vetoed:
    return approve(
        request,
        instrument=instrument,
        limits=WireLimits(amount=Decimal(amount), mark_band=Decimal("0.1")),
        mark=None if mark is None else Decimal(mark),
        room=room,
        daily_loss=daily_loss or DailyLoss(limit=None),
    )


def reason(answer: Approved | Vetoed) -> str:
    assert isinstance(answer, Vetoed)
    return answer.reason


def test_a_sound_entry_and_exit_pass_unchanged() -> None:
    assert checked(ENTRY) == Approved(request=ENTRY)
    assert checked(EXIT) == Approved(request=EXIT)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"symbol": "BTCUSDT"}, "checked against the rules of ETHUSDT"),
        ({"client_id": "t123"}, "client id"),
        ({"client_id": "g" * 29}, "client id"),
        ({"client_id": "g-1"}, "client id"),
        ({"client_id": ""}, "client id"),
        ({"quantity": 0}, "quantity 0.000 is outside"),
        ({"quantity": 11}, "notional 32.97800 is over the amount of 30"),
        ({"quantity": 6}, "notional 17.98800 is under the venue's minimum of 20"),
        ({"price": 3985, "quantity": 700}, "price 39.85 is outside"),
        ({"price": 269_999}, "more than 10% from mark"),
        ({"price": 330_001, "quantity": 9}, "more than 10% from mark"),
        ({"price": 315_001, "quantity": 9}, "above PERCENT_PRICE 3150.00"),
        ({"time_in_force": TimeInForce.GTC}, "post-only, never GTC"),
        ({"time_in_force": TimeInForce.IOC}, "post-only, never IOC"),
        ({"recv_window_ms": 0}, "recvWindow"),
    ],
)
def test_an_entry_that_breaks_a_rule_is_vetoed_by_name(change: dict[str, object], expected: str) -> None:
    assert expected in reason(checked(replace(ENTRY, **change)))  # type: ignore[arg-type]


@pytest.mark.parametrize("price", [270_000, 315_000])
def test_the_bounds_themselves_are_allowed(price: int) -> None:
    assert isinstance(checked(replace(ENTRY, price=price), amount="100"), Approved)


def test_every_broken_rule_is_named() -> None:
    text = reason(checked(replace(ENTRY, client_id="t", quantity=11, price=100_000), mark="3000"))

    assert "client id" in text
    assert "from mark" in text


@pytest.mark.parametrize("mark", [None, "0", "-1", "NaN"])
def test_with_an_unknown_mark_no_entry_leaves(mark: str | None) -> None:
    assert "mark is unknown" in reason(checked(ENTRY, mark=mark))


def test_with_an_unknown_mark_an_exit_may_rest_but_never_take() -> None:
    assert isinstance(checked(EXIT, mark=None), Approved)
    assert "mark is unknown" in reason(checked(replace(EXIT, time_in_force=TimeInForce.IOC), mark=None))


def test_an_exit_may_rest_far_above_mark_but_not_far_below() -> None:
    assert isinstance(checked(EXIT, mark="2000"), Approved)
    assert "from mark" in reason(checked(EXIT, mark="3334"))


def test_percent_price_is_one_sided_on_mark() -> None:
    loose = replace(ETH, percent_up=Decimal("1.01"), percent_down=Decimal("0.99"))
    assert isinstance(checked(replace(ENTRY, price=280_000), instrument=loose), Approved)
    assert "above PERCENT_PRICE" in reason(checked(replace(ENTRY, price=303_001, quantity=9), instrument=loose))
    assert isinstance(checked(EXIT, mark="2500", instrument=loose), Approved)
    assert "below PERCENT_PRICE" in reason(checked(EXIT, mark="3031", instrument=loose))


@pytest.mark.parametrize(
    ("room", "allowed"),
    [
        (ClosingRoom(lots=10, position=10), True),
        (ClosingRoom(lots=9, position=30), False),
        (ClosingRoom(lots=30, position=9), False),
        (ClosingRoom(lots=30, position=30, resting=20), True),
        (ClosingRoom(lots=30, position=30, resting=21), False),
        (ClosingRoom(lots=0, position=0), False),
        (ClosingRoom(lots=-30, position=-30), False),
    ],
)
def test_a_closing_sell_never_exceeds_lots_or_position_less_what_rests(room: ClosingRoom, allowed: bool) -> None:
    assert isinstance(checked(EXIT, room=room), Approved) is allowed


def test_a_short_grid_closes_by_buying_within_the_same_bounds() -> None:
    buy = replace(EXIT, side=Side.BUY)
    assert isinstance(checked(buy, room=ClosingRoom(lots=-10, position=-10)), Approved)
    assert "over 9" in reason(checked(buy, room=ClosingRoom(lots=-10, position=-9)))
    assert "over 0" in reason(checked(buy, room=ClosingRoom(lots=10, position=10)))


def test_a_closing_order_needs_no_minimum_notional_where_the_venue_exempts_it() -> None:
    small = replace(EXIT, quantity=1)
    assert isinstance(checked(small), Approved)
    assert "minimum of 20" in reason(checked(small, instrument=replace(ETH, closing_exempt=False)))


def test_a_closing_order_may_exceed_the_amount() -> None:
    assert isinstance(checked(replace(EXIT, quantity=30)), Approved)


def test_a_symbol_that_does_not_trade_takes_nothing() -> None:
    assert "not trading" in reason(checked(EXIT, instrument=replace(ETH, trading=False)))


DAY = 86_400_000


def test_the_daily_loss_stops_entries_and_never_exits() -> None:
    lost = DailyLoss(limit=Decimal(50)).read(Decimal(1000), wall_ms=DAY).read(Decimal(950), wall_ms=DAY + 1)

    assert "daily loss 50 reached the limit of 50" in reason(checked(ENTRY, daily_loss=lost))
    assert isinstance(checked(EXIT, daily_loss=lost), Approved)


def test_the_daily_loss_stays_for_its_day_and_ends_with_it() -> None:
    lost = DailyLoss(limit=Decimal(50)).read(Decimal(1000), wall_ms=DAY).read(Decimal(900), wall_ms=DAY + 1)
    back = lost.read(Decimal(2000), wall_ms=2 * DAY - 1)

    assert back.refusal()
    assert not back.read(Decimal(900), wall_ms=2 * DAY).refusal()


def test_the_refusal_keeps_the_loss_that_tripped_it() -> None:
    lost = DailyLoss(limit=Decimal(50)).read(Decimal(1000), wall_ms=DAY).read(Decimal(940), wall_ms=DAY + 1)

    later = lost.read(Decimal(700), wall_ms=DAY + 2).cash_moved(Decimal(5000))

    assert later.refusal().startswith("daily loss 60 reached the limit of 50")


def test_a_clock_that_steps_back_over_midnight_opens_no_new_day() -> None:
    lost = DailyLoss(limit=Decimal(50)).read(Decimal(1000), wall_ms=2 * DAY).read(Decimal(900), wall_ms=2 * DAY)

    assert lost.read(Decimal(900), wall_ms=2 * DAY - 1).refusal()


def test_the_daily_loss_is_unknown_before_the_first_reading_and_blind_to_deposits() -> None:
    limit = DailyLoss(limit=Decimal(50))
    assert "unknown" in limit.refusal()

    opened = limit.read(Decimal(1000), wall_ms=DAY)

    assert not opened.cash_moved(Decimal(-500)).read(Decimal(500), wall_ms=DAY + 1).refusal()
    assert opened.cash_moved(Decimal(500)).read(Decimal(1440), wall_ms=DAY + 1).refusal()


def makers_of_approved(text: str) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and (getattr(node.func, "id", "") == "Approved" or getattr(node.func, "attr", "") == "Approved")
    ]


def test_only_the_wire_check_makes_permissions() -> None:
    root = Path(__file__).resolve().parents[2]
    found = {
        str(path.relative_to(root))
        for package in ("actors", "exchanges", "grid", "risk")
        for path in (root / package).rglob("*.py")
        if makers_of_approved(path.read_text(encoding="utf-8"))
    }

    assert found == {"risk/wire_check.py"}


@pytest.mark.parametrize("text", ["Approved(request=r)", "veto.Approved(request=r)"])
def test_the_search_for_makers_finds_one(text: str) -> None:
    assert makers_of_approved(text) == [1]
