"""The venue's rules change under a running desk: what does no harm is taken over, a changed unit holds."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from exchanges.desk.commands import ReadRules
from exchanges.desk.events import PlaceAnswered, Refused, RulesRead
from exchanges.errors import Refusal
from grid.holds import HoldCause
from tests.simulation.worlds import SYMBOL
from tests.unit.order_desk_world import DeskWorld

FILTERED = Refused(refusal=Refusal.FILTER, code="-4014", message="Price not increased by tick size.")


def filtered(world: DeskWorld, level: int) -> None:
    """Have the venue refuse a level's entry by a filter."""
    client_id = world.ask(level)
    assert world.send(client_id)
    world.tell(PlaceAnswered(client_id=client_id, outcome=FILTERED))


def hold_reason(world: DeskWorld) -> str:
    hold = world.desk.book.holds.find(HoldCause.VENUE_RULE, SYMBOL)
    return hold.reason if hold is not None else ""


def test_a_filter_s_refusal_has_the_rules_read_once_in_ten_seconds() -> None:
    world = DeskWorld().ready()
    world.said.clear()
    filtered(world, -1)
    filtered(world, -2)
    world.pass_ms(500)
    first = len(world.heard(ReadRules))
    filtered(world, -3)
    world.pass_ms(9_000)
    early = len(world.heard(ReadRules))
    world.pass_ms(1_500)

    assert (first, early, len(world.heard(ReadRules))) == (1, 0, 1)


def test_a_harmless_change_is_taken_over_and_holds_nothing() -> None:
    world = DeskWorld().ready()
    told = replace(world.desk.instrument(SYMBOL), notional_min=Decimal(50), orders_max=100)
    world.tell(RulesRead(instruments={SYMBOL: told}, changes={}))

    assert world.desk.instrument(SYMBOL) == told
    assert hold_reason(world) == ""


def test_a_changed_tick_holds_and_names_old_and_new() -> None:
    world = DeskWorld().ready()
    known = world.desk.instrument(SYMBOL)
    world.tell(RulesRead(instruments={SYMBOL: replace(known, tick=Decimal("0.10"))}, changes={}))

    assert world.desk.instrument(SYMBOL) == known, "prices keep their meaning"
    assert f"tick 0.10 and step {known.step}" in hold_reason(world)
    assert f"no longer {known.tick}" in hold_reason(world)


def test_a_symbol_that_trades_no_more_or_is_gone_is_held() -> None:
    for instruments in ({}, {SYMBOL: replace(DeskWorld().desk.instrument(SYMBOL), trading=False)}):
        world = DeskWorld().ready()
        world.tell(RulesRead(instruments=instruments, changes={}))

        assert SYMBOL in hold_reason(world)


def test_what_the_adapter_names_is_the_reason() -> None:
    world = DeskWorld().ready()
    known = world.desk.instrument(SYMBOL)
    world.tell(RulesRead(instruments={SYMBOL: replace(known, trading=False)}, changes={SYMBOL: "in its words"}))

    assert hold_reason(world) == "in its words"
