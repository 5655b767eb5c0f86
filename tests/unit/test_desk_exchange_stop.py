"""The exchange-side stop at the desk: each step of its life, and each answer that the venue may give."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from exchanges.desk.commands import CancelStop, LookUpStop, Notice, ReadOpenStops, SendStop
from exchanges.desk.events import (
    CloseAsked,
    ClosingMode,
    MarkSeen,
    OpenOrdersRead,
    Refused,
    StopAccepted,
    StopCancelAnswered,
    StopSaid,
    StopsRead,
    StreamSaid,
    Unknown,
)
from exchanges.errors import Refusal
from grid.client_id import ClientId, decode
from grid.codec import decode as decoded
from grid.codec import encode
from grid.errors import UnexpectedSignal
from grid.order import OrderStatus, OrderUpdate, Purpose, Side
from grid.records import ForeignSet, StopIntended, StopMarked, from_body, to_body
from grid.snapshot import from_snapshot, to_snapshot
from grid.stop import TRANSITIONS, StopEntry, StopPhase, StopSignal, StopStatus
from tests.simulation.worlds import SYMBOL
from tests.unit.order_desk_world import DeskWorld
from tests.unit.stop_desk import (
    GONE,
    RULE,
    answer,
    covered,
    is_held,
    looked_up,
    place,
    report,
    sent,
    show,
    stop_of,
)


def test_the_first_lot_brings_a_stop_beyond_the_ladder_journalled_before_it_is_sent() -> None:
    world = DeskWorld(max_lots=5, stop=RULE).ready()
    world.pass_ms(1_000)
    assert world.heard(SendStop) == []

    world.bought(-1)
    world.pass_ms(100)

    intended = [record for record in world.records if isinstance(record, StopIntended)]
    assert [(one.side, one.trigger) for one in intended] == [(Side.SELL, 293_020)]  # 2990 less two per cent
    identity = decode(intended[0].client_id, SYMBOL)
    assert identity is not None
    assert identity.purpose is Purpose.STOP
    place(world)


def test_it_stands_still_in_a_fall_and_goes_with_the_last_lot() -> None:
    world = covered()
    world.bought(-2)
    world.bought(-3)
    world.pass_ms(20_000)
    assert world.heard(CancelStop) == []

    for level in (-3, -2, -1):
        world.tell(StreamSaid(update=world.filled(show(world, level), 10)))
    world.pass_ms(200)

    assert [one.client_id for one in world.heard(CancelStop)] == [stop_of(world).client_id]
    world.tell(StopCancelAnswered(symbol=SYMBOL, client_id=stop_of(world).client_id, is_done=True))
    assert world.heard(LookUpStop)
    looked_up(world, StopAccepted(report=report(world, StopStatus.ENDED)))
    world.pass_ms(5_000)
    assert world.desk.book.symbol(SYMBOL).stop is None
    assert world.heard(SendStop) == []


def test_it_is_moved_by_cancel_end_and_a_new_one_never_two() -> None:
    world = covered()
    old = stop_of(world)
    world.desk._core.references[SYMBOL] = (340_000, world.now_ms + 20_000)  # the window has climbed; the lot is stuck
    world.pass_ms(12_000)
    assert [one.client_id for one in world.heard(CancelStop)] == [old.client_id]

    world.pass_ms(300)
    assert world.heard(SendStop) == []
    world.tell(StopSaid(report=report(world, StopStatus.ENDED)))
    world.pass_ms(100)

    assert stop_of(world).client_id != old.client_id
    assert stop_of(world).phase is StopPhase.PENDING


def test_a_lost_answer_is_looked_up_by_id_and_never_sent_again_blindly() -> None:
    world = sent(DeskWorld(max_lots=5, stop=RULE).ready())
    world.heard(SendStop)
    first = stop_of(world).client_id
    answer(world, Unknown(reason="no reply"))
    world.pass_ms(1_000)
    assert {one.client_id for one in world.heard(LookUpStop)} == {first}
    looked_up(world, GONE)
    assert stop_of(world).client_id == first  # too early to believe it

    world.pass_ms(3_000)
    assert world.heard(SendStop) == []
    looked_up(world, StopAccepted(report=report(world)))
    assert stop_of(world).phase is StopPhase.LIVE


def test_one_that_never_arrived_is_given_up_after_its_window_and_placed_anew() -> None:
    world = sent(DeskWorld(max_lots=5, stop=RULE).ready())
    first = stop_of(world).client_id
    answer(world, Unknown(reason="no reply"))
    world.pass_ms(3_500)
    looked_up(world, GONE)
    world.pass_ms(100)

    assert stop_of(world).client_id != first


def test_one_look_up_that_finds_nothing_proves_nothing_and_two_apart_do() -> None:
    world = covered()
    first = stop_of(world).client_id
    looked_up(world, GONE)
    assert stop_of(world).client_id == first
    world.pass_ms(2_100)
    assert world.heard(LookUpStop)
    looked_up(world, GONE)
    world.pass_ms(100)

    assert stop_of(world).client_id != first


def test_somebody_who_takes_it_away_is_named_and_it_comes_back() -> None:
    world = covered()
    first = stop_of(world).client_id
    world.heard(Notice)
    world.tell(StopSaid(report=report(world, StopStatus.ENDED)))
    assert "stop_gone" in [one.kind for one in world.heard(Notice)]
    world.pass_ms(1_500)

    assert stop_of(world).client_id != first
    assert not is_held(world)


def test_a_price_beyond_it_already_is_a_stop_loss_and_the_next_try_waits_longer_each_time() -> None:
    world = sent(DeskWorld(max_lots=5, stop=RULE).ready())
    answer(world, Refused(refusal=Refusal.WOULD_TRIGGER, code="-2021", message="would trigger"))
    assert is_held(world)
    assert world.desk.book.symbol(SYMBOL).stop is None

    world.pass_ms(900)
    assert world.desk.book.symbol(SYMBOL).stop is None
    world.pass_ms(200)
    world._take(world.desk.release_stop(stop_of(world).client_id, world.now())[1])
    answer(world, Refused(refusal=Refusal.WOULD_TRIGGER, code="-2021", message="would trigger"))
    world.pass_ms(1_900)
    assert world.desk.book.symbol(SYMBOL).stop is None


@pytest.mark.parametrize("consents", [True, False])
def test_a_foreign_position_needs_consent(consents: bool) -> None:
    world = DeskWorld(max_lots=5, stop=replace(RULE, closes_foreign=consents)).ready()
    world.desk._core.record(ForeignSet(symbol=SYMBOL, quantity=7, reason="somebody's"))
    world.bought(-1)
    world.pass_ms(200)

    assert bool(world.heard(SendStop)) is consents
    if not consents:
        word = world.desk.stop_word(SYMBOL, world.now())
        assert word is not None
        assert "closes_foreign_position" in word.missing


def test_a_stray_of_ours_is_cancelled_and_anybody_elses_is_left_alone() -> None:
    world = covered()
    stray = ClientId(
        journal="Sim1", symbol=SYMBOL, generation=0, level=0, purpose=Purpose.STOP, owner_epoch=1, sequence=999
    ).encode()
    other = replace(report(world), client_id="by_hand")
    world.heard(Notice)
    world.tell(StopsRead(begun_ms=world.now_ms, reports=(report(world), report(world, client_id=stray), other)))

    assert [one.client_id for one in world.heard(CancelStop)] == [stray]


def test_a_stray_of_a_later_owner_stops_this_one() -> None:
    world = covered()
    later = ClientId(
        journal="Sim1", symbol=SYMBOL, generation=0, level=0, purpose=Purpose.STOP, owner_epoch=9, sequence=1
    ).encode()
    world.heard(Notice)
    world.tell(StopSaid(report=report(world, client_id=later)))

    assert [one.level for one in world.heard(Notice) if one.kind == "fenced"] == ["critical"]
    world.pass_ms(5_000)
    assert world.heard(CancelStop) == []


def test_a_stop_that_keeps_takes_it_away_and_closed_needs_both_lists() -> None:
    world = covered()
    world.tell(CloseAsked(mode=ClosingMode.KEEP))
    world.pass_ms(400)
    assert world.heard(CancelStop)
    world.tell(StopSaid(report=report(world, StopStatus.ENDED)))
    for slot in list(world.desk.book.live_orders()):
        world.tell(StreamSaid(update=OrderUpdate(report=world.report(slot.client_id, OrderStatus.CANCELED))))
    world.pass_ms(4_000)
    assert world.heard(ReadOpenStops)

    world.tell(OpenOrdersRead(begun_ms=world.now_ms, reports=()))
    assert not world.desk.is_closed
    world.tell(StopsRead(begun_ms=world.now_ms, reports=()))
    assert world.desk.is_closed


def test_a_stop_that_leaves_exits_leaves_it_too() -> None:
    world = covered()
    world.tell(CloseAsked(mode=ClosingMode.LEAVE_EXITS))
    world.pass_ms(4_000)
    assert world.heard(CancelStop) == []
    world.tell(OpenOrdersRead(begun_ms=world.now_ms, reports=()))
    world.tell(StopsRead(begun_ms=world.now_ms, reports=(report(world),)))

    assert world.desk.is_closed


def test_a_restart_looks_up_what_may_rest_and_keeps_it() -> None:
    old = covered()
    book = from_snapshot(to_snapshot(old.desk.book))
    assert book.symbol(SYMBOL).stop == stop_of(old)

    world = DeskWorld(book, max_lots=5, stop=RULE)
    world.pass_ms(100)
    assert [one.client_id for one in world.heard(LookUpStop)] == [stop_of(old).client_id]
    looked_up(world, StopAccepted(report=report(world)))
    world.ready()
    world.pass_ms(3_000)
    assert world.heard(SendStop) == []


def test_a_rule_that_was_taken_out_takes_the_stop_with_it() -> None:
    old = covered()
    world = DeskWorld(from_snapshot(to_snapshot(old.desk.book)), max_lots=5)
    looked_up(world, StopAccepted(report=report(world)))
    world.ready()
    world.pass_ms(200)

    assert [one.client_id for one in world.heard(CancelStop)] == [stop_of(old).client_id]


def test_a_pair_that_is_not_in_the_table_raises_and_changes_nothing() -> None:
    stop = StopEntry(client_id="a", side=Side.SELL, trigger=1, at_ms=0)
    for phase in StopPhase:
        for signal in StopSignal:
            if (phase, signal) in TRANSITIONS:
                assert replace(stop, phase=phase).after(signal).phase is TRANSITIONS[phase, signal]
            else:
                with pytest.raises(UnexpectedSignal):
                    replace(stop, phase=phase).after(signal)


def test_its_records_survive_the_journal() -> None:
    world = covered()
    mine = [record for record in world.records if isinstance(record, StopIntended | StopMarked)]
    assert len(mine) == 2
    for record in mine:
        kind, symbol, body = to_body(record)
        assert symbol == SYMBOL
        assert from_body(kind, body) == record
    assert decoded(StopEntry, encode(stop_of(world))) == stop_of(world)


def test_a_stop_whose_lots_are_gone_is_taken_back_at_the_wire() -> None:
    world = DeskWorld(max_lots=5, stop=RULE).ready()
    world.bought(-1)
    world.pass_ms(100)
    client_id = stop_of(world).client_id
    world.tell(StreamSaid(update=world.filled(show(world, -1), 10)))

    approved, effects = world.desk.release_stop(client_id, world.now())
    world._take(effects)
    assert approved is None
    assert world.desk.book.symbol(SYMBOL).stop is None


def test_marks_alone_move_nothing() -> None:
    world = covered()
    for price in range(2_990, 2_940, -1):
        world.tell(MarkSeen(symbol=SYMBOL, price=Decimal(price)))
        world.pass_ms(300)
    assert world.heard(CancelStop) == []


def test_a_stop_that_waits_in_its_lane_when_trading_ends_is_taken_back() -> None:
    world = DeskWorld(max_lots=5, stop=RULE).ready()
    world.bought(-1)
    world.pass_ms(100)
    client_id = stop_of(world).client_id
    world.tell(CloseAsked(mode=ClosingMode.KEEP))

    approved, effects = world.desk.release_stop(client_id, world.now())
    world._take(effects)
    assert approved is None
