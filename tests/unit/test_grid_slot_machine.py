"""One level's machine, and the group of them: back-off, doubles, silence, explanations."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from grid.intent import CancelIntent, PlaceIntent, Standing, Told
from grid.lot import Lot
from grid.order import Purpose, Side, TimeInForce
from grid.reasons import Reason
from grid.slot import Phase, SlotKey, SlotOrder, SlotState
from grid.slot_group import SlotGroup
from grid.slot_machine import ANSWER_DUE_MS, SlotMachine
from grid.window import MarketView, WindowChange
from tests.grid_world import SYMBOL, instrument, ladder, policy

KEY = SlotKey(symbol=SYMBOL, generation=1, level=-1)
STANDING = Standing(symbol=SYMBOL, halt_epoch=0, holds=())
VIEW = MarketView(symbol="ETHUSDT", generation=1, price=300_000, top=-1, floor=0, version=5, at_ms=1)


def machine() -> SlotMachine:
    return SlotMachine(KEY, ladder(), policy(), instrument())


def told(version: int = 0, refusal: Reason | None = None, **changes: object) -> Told:
    state = replace(SlotState(key=KEY, version=version), **changes)  # type: ignore[arg-type]
    return Told(state=state, standing=STANDING, refusal=refusal)


def live_order() -> SlotOrder:
    return SlotOrder(
        client_id="in",
        purpose=Purpose.ENTRY,
        side=Side.BUY,
        price=299_800,
        quantity=10,
        target=300_000,
        placed_ms=0,
        order_id="v1",
    )


def test_nothing_is_asked_before_the_book_has_spoken() -> None:
    level = machine()

    assert level.evaluate(STANDING, VIEW, 0).intent is None
    assert level.explain().reason is Reason.RESTORING


def test_an_intent_names_the_version_and_the_price_it_was_decided_on() -> None:
    intent = machine().on_told(told(4), STANDING, VIEW, 0).intent

    assert isinstance(intent, PlaceIntent)
    assert (intent.basis_version, intent.reference, intent.price, intent.halt_epoch) == (4, 300_000, 299_800, 0)


def test_an_intent_without_an_answer_is_asked_again_only_when_it_is_due() -> None:
    level = machine()
    level.on_told(told(), STANDING, VIEW, 0)

    assert level.evaluate(STANDING, VIEW, ANSWER_DUE_MS - 1).intent is None
    assert level.wakes_at_ms() == ANSWER_DUE_MS
    assert level.evaluate(STANDING, VIEW, ANSWER_DUE_MS).intent is not None


def test_an_older_word_is_ignored() -> None:
    level = machine()
    level.on_told(told(5, phase=Phase.LOCKED, order=live_order()), STANDING, VIEW, 0)

    reaction = level.on_told(told(4), STANDING, VIEW, 1)

    assert reaction.intent is None
    assert level.state is not None
    assert level.state.version == 5


def test_a_refused_place_is_tried_again_after_a_quarter_second_doubling_to_five() -> None:
    level, now_ms, waits = machine(), 0, []
    level.on_told(told(), STANDING, VIEW, now_ms)

    for round_trip in range(1, 8):
        reaction = level.on_told(told(2 * round_trip, Reason.BACK_OFF), STANDING, VIEW, now_ms)
        retry_ms = level.wakes_at_ms()
        assert reaction.intent is None
        assert reaction.needs_price
        assert retry_ms is not None
        assert level.evaluate(STANDING, VIEW, retry_ms - 1).intent is None
        assert level.evaluate(STANDING, VIEW, retry_ms).intent is not None
        waits.append(retry_ms - now_ms)
        now_ms = retry_ms

    assert waits == [250, 500, 1000, 2000, 4000, 5000, 5000]


def test_the_double_of_a_refusal_does_not_lengthen_the_wait() -> None:
    level = machine()
    level.on_told(told(), STANDING, VIEW, 0)

    for _ in range(4):
        level.on_told(told(2, Reason.BUSY), STANDING, VIEW, 0)

    assert level.wakes_at_ms() == 250


def test_the_desks_own_wait_counts_where_it_is_longer() -> None:
    level = machine()

    level.on_told(replace(told(2, Reason.MARGIN), retry_ms=9_000), STANDING, VIEW, 0)

    assert level.wakes_at_ms() == 9_000
    assert level.explain().reason is Reason.MARGIN


def test_an_order_that_lives_ends_the_back_off() -> None:
    level = machine()
    level.on_told(told(2, Reason.BACK_OFF), STANDING, VIEW, 0)
    level.on_told(told(4, phase=Phase.LOCKED, order=live_order()), STANDING, VIEW, 1)

    assert level.on_told(told(6), STANDING, VIEW, 2).intent is not None


def test_a_lot_is_sold_though_the_buy_was_put_off() -> None:
    level = machine()
    level.on_told(replace(told(2, Reason.MARGIN), retry_ms=60_000), STANDING, VIEW, 0)

    lot = Lot(quantity=10, cost=Decimal("29.98"), target=300_000)
    intent = level.on_told(told(3, lot=lot), STANDING, VIEW, 1).intent

    assert isinstance(intent, PlaceIntent)
    assert intent.purpose is Purpose.EXIT


@pytest.mark.parametrize(
    ("refusal", "expected"), [(Reason.BACK_OFF, TimeInForce.GTC), (Reason.BUSY, TimeInForce.POST_ONLY)]
)
def test_only_rejects_of_the_venue_lead_to_a_taker_exit(refusal: Reason, expected: TimeInForce) -> None:
    level = SlotMachine(KEY, ladder(), policy(exit_taker=True), instrument())
    lot = Lot(quantity=10, cost=Decimal("29.98"), target=299_000)
    level.on_told(told(1, lot=lot), STANDING, VIEW, 0)

    for version in (3, 5, 7):
        level.on_told(told(version, refusal, lot=lot), STANDING, VIEW, 0)
    intent = level.evaluate(STANDING, VIEW, 60_000).intent

    assert isinstance(intent, PlaceIntent)
    assert intent.time_in_force is expected


def test_a_price_of_another_generation_is_no_price() -> None:
    level = machine()

    reaction = level.on_told(told(), STANDING, replace(VIEW, generation=2), 0)

    assert reaction.intent is None
    assert level.explain().reason is Reason.PRICE_UNKNOWN


def test_an_explanation_says_what_why_and_when_next() -> None:
    level = machine()
    level.on_told(told(3, phase=Phase.LOCKED, order=live_order()), STANDING, VIEW, 0)

    told_of = level.explain()

    assert (told_of.level, told_of.price, told_of.phase) == (-1, 299_800, "locked")
    assert (told_of.reason, told_of.order, told_of.lot) == (Reason.ENTRY_RESTING, live_order(), None)


def group(remainders: frozenset[int] = frozenset({0}), modulus: int = 1) -> SlotGroup:
    return SlotGroup(ladder=ladder(), policy=policy(), instrument=instrument(), remainders=remainders, modulus=modulus)


def test_a_group_serves_its_remainders_only_below_zero_too() -> None:
    third = group(frozenset({2}), 3)

    requests = third.on_window(WindowChange(view=VIEW, entered=(-3, -2, -1)), 0)

    assert [key.level for key in requests.unknown_levels] == [-1]
    assert [level for level in range(-6, 6) if third.serves(level)] == [-4, -1, 2, 5]


def test_a_group_that_knows_nothing_holds_everything_back() -> None:
    fresh = group()

    requests = fresh.on_window(WindowChange(view=VIEW, entered=(-1,)), 0)

    assert requests.intents == ()
    assert fresh.standing.holds == ("restoring",)


def test_a_level_that_was_never_used_asks_for_its_first_order_without_asking_the_book_before() -> None:
    served = group()
    served.on_told(Told(state=SlotState(key=replace(KEY, level=-9)), standing=STANDING), 0)

    requests = served.on_window(WindowChange(view=VIEW, entered=(-1,)), 1)
    (intent,) = requests.intents
    truth = served.on_told(told(7, lot=Lot(quantity=10, cost=Decimal("29.98"), target=300_000)), 2)

    assert isinstance(intent, PlaceIntent)
    assert (intent.basis_version, intent.purpose, requests.unknown_levels) == (0, Purpose.ENTRY, ())
    assert [i.purpose for i in truth.intents if isinstance(i, PlaceIntent)] == [Purpose.EXIT]


def test_beside_an_older_generation_a_level_waits_for_the_book_s_word() -> None:
    newer = replace(ladder(), generation=2)
    served = SlotGroup(
        ladder=newer,
        policy=policy(),
        instrument=instrument(),
        remainders=frozenset({0}),
        modulus=1,
        older=(ladder(),),
    )
    served.on_told(Told(state=SlotState(key=replace(KEY, generation=2, level=-9)), standing=STANDING), 0)

    requests = served.on_window(WindowChange(view=replace(VIEW, generation=2), entered=(-1,)), 1)

    assert requests.intents == ()
    assert [key.level for key in requests.unknown_levels] == [-1]


def test_a_cancel_of_an_order_under_way_is_asked_for_once_however_often_the_same_state_is_told() -> None:
    level = machine()
    pending = told(3, phase=Phase.PENDING, order=replace(live_order(), order_id=""))
    held = replace(STANDING, halt_epoch=1, holds=("risk",))
    first = level.on_told(pending, held, VIEW, 0).intent

    repeats = [level.on_told(pending, held, VIEW, at_ms).intent for at_ms in range(1, 50)]
    late = level.evaluate(held, VIEW, ANSWER_DUE_MS).intent

    assert isinstance(first, CancelIntent)
    assert repeats == [None] * 49
    assert isinstance(late, CancelIntent)


def test_an_older_view_does_not_replace_a_newer_one() -> None:
    served = group()
    served.on_window(WindowChange(view=VIEW), 0)

    served.on_window(WindowChange(view=replace(VIEW, version=4, price=1)), 0)

    assert served.view == VIEW


def test_holds_reach_every_level_and_an_older_word_on_them_none() -> None:
    served = group()
    served.on_window(WindowChange(view=VIEW), 0)
    served.on_told(told(3, phase=Phase.LOCKED, order=live_order()), 0)
    held = Standing(symbol=SYMBOL, halt_epoch=4, holds=("operator",))

    requests = served.on_standing(held, 1)
    again = served.on_standing(replace(held, halt_epoch=3, holds=()), 2)

    assert [intent.reason for intent in requests.intents if isinstance(intent, CancelIntent)] == [Reason.HOLD]
    assert again.intents == ()
    assert served.standing == held


def test_a_word_about_one_slot_that_carries_a_new_hold_reaches_the_others() -> None:
    served = group()
    served.on_window(WindowChange(view=VIEW), 0)
    served.on_told(told(3, phase=Phase.LOCKED, order=live_order()), 0)
    held = Standing(symbol=SYMBOL, halt_epoch=4, holds=("risk",))
    other = SlotState(key=replace(KEY, level=-2))

    requests = served.on_told(Told(state=other, standing=held), 1)

    assert [type(intent) for intent in requests.intents] == [CancelIntent]


def test_a_lot_of_an_older_generation_is_looked_at_with_every_change_of_the_window() -> None:
    newer = replace(ladder(), generation=2)
    served = SlotGroup(ladder=newer, policy=policy(), instrument=instrument(), remainders=frozenset({0}), modulus=1)
    far = replace(VIEW, generation=2, price=290_000, top=-51, floor=-50)
    served.on_window(WindowChange(view=far), 0)
    lot = Lot(quantity=10, cost=Decimal("29.98"), target=300_100)
    assert served.on_told(told(3, lot=lot), 0).intents == ()

    near = replace(VIEW, generation=2, version=6)
    requests = served.on_window(WindowChange(view=near, due=(40,)), 1)

    assert [intent.key for intent in requests.intents] == [KEY]


def test_a_lot_of_an_older_generation_is_explained_by_its_own_levels() -> None:
    older, newer = ladder(), replace(ladder(), generation=2, interval=350)
    served = SlotGroup(
        ladder=newer,
        policy=policy(),
        instrument=instrument(),
        remainders=frozenset({0}),
        modulus=1,
        older=(older,),
    )
    lot = Lot(quantity=10, cost=Decimal("29.98"), target=older.price(KEY.level + 1))
    served.on_told(told(3, lot=lot), 0)

    (explained,) = served.explain()

    assert (explained.generation, explained.price) == (KEY.generation, older.price(KEY.level))
    assert explained.price != newer.price(KEY.level)


def test_only_idle_levels_out_of_reach_are_forgotten() -> None:
    served = group()
    served.on_window(WindowChange(view=VIEW), 0)
    lot = Lot(quantity=10, cost=Decimal("29.98"), target=290_000)
    far, held = replace(KEY, level=-40), replace(KEY, level=-50)
    for state in (SlotState(key=KEY), SlotState(key=far), SlotState(key=held, lot=lot)):
        served.on_told(Told(state=state, standing=STANDING), 0)

    served.forget_idle()

    assert [told_of.level for told_of in served.explain()] == [-1, -50]


def test_time_alone_wakes_what_is_due_and_nothing_else() -> None:
    served = group()
    served.on_window(WindowChange(view=VIEW), 0)
    served.on_told(told(), 0)

    assert served.on_time(ANSWER_DUE_MS - 1).intents == ()
    assert len(served.on_time(ANSWER_DUE_MS).intents) == 1
