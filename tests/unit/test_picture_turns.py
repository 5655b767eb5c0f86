"""A gateway of many symbols paints some of them at a time, each soon, and all of them once trading ends."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal

from actors.gateway.picture import AT_ONCE, Painter
from exchanges.desk.events import CloseAsked, ClosingMode, Instant, MarkSeen
from exchanges.desk.settings import DeskSettings, DeskSymbol
from exchanges.order_desk import OrderDesk
from grid.book import Book
from tests.simulation.worlds import example_plan

NAMES = [f"C{number:02d}USDT" for number in range(2 * AT_ONCE + 5)]
WALL_MS = 1_750_000_000_000


def at(ms: int) -> Instant:
    return Instant(wall_ms=WALL_MS + ms, mono_ms=ms)


def desk_of_many() -> OrderDesk:
    plan = example_plan(max_lots=5)
    instruments = {name: replace(plan.instrument, symbol=name) for name in NAMES}
    symbols = {name: DeskSymbol(policy=plan.policy, instrument=one) for name, one in instruments.items()}
    desk = OrderDesk(Book(), DeskSettings(journal="Sim1", notional_max=Decimal(5_000)), symbols)
    desk.begin(1, [replace(plan.generation(0, 300_000), symbol=name) for name in NAMES], at(0))
    return desk


def marks_shown(painter: Painter, desk: OrderDesk, ms: int) -> list[str]:
    """Paint, after every mark was told anew; return the marks that are shown."""
    for name in NAMES:
        desk.handle(MarkSeen(symbol=name, price=Decimal(3000 + ms)), at(ms))
    instruments = {name: desk._core.symbols[name].instrument for name in NAMES}
    seen = painter.paint(desk, instruments, {}, None, {}, at(ms))
    assert list(seen["symbols"]) == NAMES
    return [row["mark"] for row in seen["symbols"].values()]


def test_each_symbol_is_painted_in_its_turn_and_none_is_left_out() -> None:
    painter, desk = Painter(), desk_of_many()

    assert set(marks_shown(painter, desk, 0)) == {"3000"}  # the first picture is whole
    for turn in (1, 2, 3):
        fresh = Counter(marks_shown(painter, desk, turn))[str(3000 + turn)]
        assert 0 < fresh <= AT_ONCE
    assert "3000" not in marks_shown(painter, desk, 3)


def test_all_are_painted_once_trading_ends() -> None:
    painter, desk = Painter(), desk_of_many()
    marks_shown(painter, desk, 0)
    desk.handle(CloseAsked(mode=ClosingMode.KEEP), at(1))

    assert set(marks_shown(painter, desk, 2)) == {"3002"}
