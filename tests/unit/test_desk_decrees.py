"""The order desk learns from a reading of trades that the venue closed something: trades name no client id."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exchanges.desk.commands import LookUp
from exchanges.desk.decrees import TOLD_FOR_MS, UNFOUND_MAX
from exchanges.desk.events import Accepted, NotSent, OrderRead, Outcome, ReconcileDue, Refused
from exchanges.errors import Refusal
from grid.holds import HoldCause
from grid.order import OrderReport, OrderStatus, Side
from grid.snapshot import from_snapshot, to_snapshot
from tests.simulation.worlds import SYMBOL
from tests.unit.order_desk_world import WALL_MS, DeskWorld, fill_of
from tests.unit.test_desk_memory import exit_of

ORDER_ID = "4711"
UNKNOWN = Refused(refusal=Refusal.UNKNOWN_ORDER, code="-2013", message="Order does not exist.")


def closed_in_the_dark(client_id: str = "") -> DeskWorld:
    """A lot was bought and is offered; a reading tells that an order nobody here knows has sold it."""
    world = DeskWorld().ready()
    world.bought(-1)
    offered = exit_of(world, -1)
    world.pass_ms(1_000)
    world.tell(ReconcileDue(reason="test"))
    trade = replace(fill_of(ORDER_ID, Side.SELL, 299_000, 10), client_id=client_id)
    world.read(orders=[world.report(offered)], fills=[trade], position=0)
    assert world.desk.book.symbol(SYMBOL).lot_steps() == 0
    return world


def asked(world: DeskWorld, ms: int = 200) -> list[LookUp]:
    world.pass_ms(ms)
    return [one for one in world.heard(LookUp) if one.order_id]


def answer(world: DeskWorld, outcome: Outcome) -> None:
    world.tell(OrderRead(client_id="", begun_ms=world.now_ms, outcome=outcome, symbol=SYMBOL, order_id=ORDER_ID))


def named(client_id: str) -> Accepted:
    report = OrderReport(
        symbol=SYMBOL,
        order_id=ORDER_ID,
        client_id=client_id,
        side=Side.SELL,
        status=OrderStatus.FILLED,
        price=299_000,
        quantity=10,
        filled=10,
        closing=True,
        venue_ms=WALL_MS,
    )
    return Accepted(report=report)


def reason(world: DeskWorld) -> str:
    hold = world.desk.book.holds.find(HoldCause.VENUE_RULE, SYMBOL)
    return hold.reason if hold is not None else ""


@pytest.mark.parametrize(
    ("client_id", "words"),
    [
        ("autoclose-17", "liquidation"),
        ("adl_autoclose", "auto-deleveraging"),
        ("settlement_autoclose-3", "settlement"),
        ("web_abc", ""),
    ],
)
def test_an_unnamed_trade_is_looked_up_and_the_venues_own_holds(client_id: str, words: str) -> None:
    world = closed_in_the_dark()
    assert asked(world) == [LookUp(symbol=SYMBOL, client_id="", order_id=ORDER_ID)]

    answer(world, named(client_id))

    assert words in reason(world)
    assert bool(reason(world)) == bool(words)
    assert asked(world, 60_000) == []


def test_it_is_asked_until_the_venue_answers() -> None:
    world = closed_in_the_dark()
    for _ in range(3 * UNFOUND_MAX):
        assert asked(world, 31_000)
        answer(world, NotSent(reason="no answer"))
        assert reason(world) == ""

    answer(world, named("autoclose-17"))

    assert "liquidation" in reason(world)


def test_a_venue_that_denies_what_traded_holds() -> None:
    world, denied = closed_in_the_dark(), 0
    while not reason(world):
        assert denied < UNFOUND_MAX
        if asked(world, 100):
            answer(world, UNKNOWN)
            denied += 1

    assert denied == UNFOUND_MAX, "it may be visible later"
    assert "does not say whose it was" in reason(world)
    assert asked(world, 60_000) == []


def test_a_restart_goes_on_asking() -> None:
    former = closed_in_the_dark()
    later = DeskWorld(from_snapshot(to_snapshot(former.desk.book)), now_ms=former.now_ms + 1_000)

    assert asked(later) == [LookUp(symbol=SYMBOL, client_id="", order_id=ORDER_ID)]
    answer(later, named("adl_autoclose"))

    assert "auto-deleveraging" in reason(later)


def test_a_restart_asks_for_nothing_that_the_venue_may_have_forgotten() -> None:
    former = closed_in_the_dark()
    later = DeskWorld(from_snapshot(to_snapshot(former.desk.book)), now_ms=former.now_ms + TOLD_FOR_MS + 1)

    assert asked(later) == []
    assert later.desk.book.symbol(SYMBOL).unnamed == {}


def test_a_trade_whose_owner_was_told_is_not_looked_up() -> None:
    assert asked(closed_in_the_dark("web_abc"), 2_000) == []


@pytest.mark.parametrize(("client_id", "words"), [("autoclose-17", "liquidation"), ("web_abc", "")])
def test_a_trade_that_names_its_order_is_judged_at_once(client_id: str, words: str) -> None:
    world = closed_in_the_dark(client_id)

    assert asked(world) == []
    assert words in reason(world)
    assert bool(reason(world)) is bool(words)
