"""What should rest at a level, rule by rule (9 to 19)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from grid.decision import Decision, Place, Stay, Surroundings, Withdraw, decide, is_dust, pays
from grid.ladder import Ladder
from grid.lot import Lot
from grid.order import Purpose, Side, TimeInForce
from grid.reasons import Reason
from grid.slot import Phase, SlotKey, SlotOrder, SlotState
from grid.window import Alarm, MarketView
from tests.grid_world import instrument, ladder, policy

NOW_MS = 100_000


def view(price: int, levels: Ladder | None = None) -> MarketView:
    levels = levels or ladder()
    return MarketView(
        symbol="ETHUSDT",
        generation=levels.generation,
        price=price,
        top=levels.ceiling_for_entries(price),
        floor=levels.floor(price),
        version=1,
        at_ms=NOW_MS,
    )


def around(price: int | None, **changes: object) -> Surroundings:
    plain = Surroundings(
        ladder=ladder(),
        policy=policy(),
        instrument=instrument(),
        view=view(price) if price is not None else None,
        holds=(),
        has_older_lot=False,
        now_ms=NOW_MS,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def key(level: int, generation: int = 1) -> SlotKey:
    return SlotKey(symbol="ETHUSDT", generation=generation, level=level)


def lot(quantity: int = 10, target: int = 300_000) -> Lot:
    return Lot(quantity=quantity, cost=Decimal("2.998") * quantity, target=target)


def entry(level: int = -1, *, filled: int = 0, age_ms: int = 60_000, generation: int = 1, dust: int = 0) -> SlotState:
    order = SlotOrder(
        client_id="in",
        purpose=Purpose.ENTRY,
        side=Side.BUY,
        price=ladder().price(level),
        quantity=10,
        target=ladder().price(level + 1),
        placed_ms=NOW_MS - age_ms,
        filled=filled,
    )
    held = lot(filled + dust, ladder().price(level + 1)) if filled + dust else None
    return SlotState(key=key(level, generation), phase=Phase.LOCKED, order=order, lot=held)


def leaving(price: int, held: Lot | None, *, quantity: int = 10, filled: int = 0) -> SlotState:
    order = SlotOrder(
        client_id="out",
        purpose=Purpose.EXIT,
        side=Side.SELL,
        price=price,
        quantity=quantity,
        target=300_000,
        placed_ms=NOW_MS,
        filled=filled,
    )
    return SlotState(key=key(-1), phase=Phase.LOCKED, order=order, lot=held)


def reason(decision: Decision) -> Reason:
    assert isinstance(decision, Stay)
    return decision.reason


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (0, Reason.ABOVE_PRICE),
        (-1, None),
        (-3, None),
        (-4, Reason.SLACK),
        (-5, Reason.BELOW_WINDOW),
    ],
)
def test_rule_9_an_entry_is_wanted_inside_the_window_only(level: int, expected: Reason | None) -> None:
    decision = decide(SlotState(key=key(level)), around(300_000))

    if expected is None:
        assert decision == Place(
            purpose=Purpose.ENTRY, price=ladder().price(level), quantity=10, target=ladder().price(level + 1)
        )
        assert decision.time_in_force is TimeInForce.POST_ONLY
    else:
        assert reason(decision) is expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"holds": ("risk",)}, Reason.HOLD),
        ({"view": None}, Reason.PRICE_UNKNOWN),
        ({"has_older_lot": True}, Reason.OLDER_LOT),
        ({"policy": policy(amount=Decimal(19))}, Reason.AMOUNT_TOO_SMALL),
        ({"policy": policy(maker_fee=Decimal("0.0004"))}, Reason.UNPROFITABLE),
        ({"instrument": instrument(price_min=299_801)}, Reason.BELOW_MIN_PRICE),
        ({"instrument": instrument(price_max=299_999)}, Reason.BELOW_MIN_PRICE),
        ({"ladder": replace(ladder(), generation=2)}, Reason.OLDER_GENERATION),
    ],
)
def test_rule_9_each_obstacle_alone_keeps_the_entry_away(changes: dict[str, object], expected: Reason) -> None:
    free = SlotState(key=key(-1))

    assert isinstance(decide(free, around(300_000)), Place)
    assert reason(decide(free, around(300_000, **changes))) is expected


def test_rule_9_a_round_trip_must_earn_more_than_both_fees() -> None:
    levels = ladder(anchor=100_000, interval=200)

    assert pays(levels, 0, Decimal("0.000999"))
    assert not pays(levels, 0, Decimal(200) / Decimal(200_200))


@pytest.mark.parametrize("price", [299_800, 299_799, 299_000])
def test_rule_10_a_price_at_or_under_the_level_never_cancels_it(price: int) -> None:
    assert reason(decide(entry(-1), around(price))) is Reason.ENTRY_RESTING


def test_rule_10_one_level_of_slack_keeps_it_and_rule_11_the_next_takes_it() -> None:
    kept = decide(entry(-4), around(300_019))
    taken = decide(entry(-4), around(300_020))

    assert reason(kept) is Reason.ENTRY_RESTING
    assert taken == Withdraw(client_id="in", reason=Reason.LEFT_WINDOW)


def test_rule_11_a_young_entry_waits_out_its_rest_before_it_leaves_the_window() -> None:
    young = decide(entry(-9, age_ms=4_999), around(300_000))
    old = decide(entry(-9, age_ms=5_000), around(300_000))

    assert young == Stay(reason=Reason.MIN_REST, retry_ms=NOW_MS + 1)
    assert isinstance(old, Withdraw)


def test_rule_11_a_hold_or_a_cut_takes_even_a_young_entry() -> None:
    held = decide(entry(-1, age_ms=0), around(299_800, holds=("operator",)))
    cut = decide(entry(-1, age_ms=0, filled=4), around(299_900))

    assert held == Withdraw(client_id="in", reason=Reason.HOLD)
    assert cut == Withdraw(client_id="in", reason=Reason.CUT)


def test_rule_11_an_entry_of_an_older_generation_leaves_after_its_rest() -> None:
    newer = replace(ladder(), generation=2)

    assert reason(decide(entry(-1, age_ms=0), around(299_800, ladder=newer))) is Reason.MIN_REST
    assert decide(entry(-1), around(299_800, ladder=newer)) == Withdraw(client_id="in", reason=Reason.OLDER_GENERATION)


def test_rule_13_a_part_filled_entry_is_cut_at_half_an_interval_and_not_before() -> None:
    before = decide(entry(-1, filled=4), around(299_899))
    at_half = decide(entry(-1, filled=4), around(299_900))

    assert before == Stay(reason=Reason.ENTRY_RESTING, alarm=Alarm(level=-1, high=299_900))
    assert at_half == Withdraw(client_id="in", reason=Reason.CUT)


def test_rule_13_a_price_from_before_the_fill_cuts_nothing() -> None:
    older = decide(entry(-1, filled=4), around(300_000, filled_ms=NOW_MS + 1))
    newer = decide(entry(-1, filled=4), around(300_000, filled_ms=NOW_MS))

    assert older == Stay(reason=Reason.ENTRY_RESTING, alarm=Alarm(level=-1, high=299_900, after_ms=NOW_MS + 1))
    assert newer == Withdraw(client_id="in", reason=Reason.CUT)


def test_rule_13_half_of_an_odd_interval_is_rounded_up() -> None:
    levels = ladder(anchor=299_800, interval=201)
    state = replace(entry(-1, filled=4), key=key(0))

    assert isinstance(decide(state, around(None, ladder=levels, view=view(299_900, levels))), Stay)
    assert isinstance(decide(state, around(None, ladder=levels, view=view(299_901, levels))), Withdraw)


def test_rule_13_no_exit_while_the_entry_lives() -> None:
    decision = decide(entry(-1, filled=4), around(299_700))

    assert reason(decision) is Reason.ENTRY_RESTING


def test_rule_13_an_entry_that_joins_dust_is_not_cut_for_the_dust() -> None:
    around_dust = around(299_950, instrument=instrument(quantity_min=2))

    assert reason(decide(entry(-1, dust=1), around_dust)) is Reason.ENTRY_RESTING


@pytest.mark.parametrize(
    ("price", "expected"), [(299_999, 300_000), (300_000, 300_001), (300_300, 300_301), (None, 300_000)]
)
def test_rule_15_the_exit_rests_at_its_target_or_one_tick_over_the_price(price: int | None, expected: int) -> None:
    decision = decide(SlotState(key=key(-1), lot=lot()), around(price))

    assert isinstance(decision, Place)
    assert (decision.purpose, decision.price, decision.quantity) == (Purpose.EXIT, expected, 10)
    assert decision.target == 300_000


def test_rule_15_a_target_above_the_sell_window_is_deferred() -> None:
    state = SlotState(key=key(-1), lot=lot())

    assert isinstance(decide(state, around(299_400)), Place)
    assert reason(decide(state, around(299_399))) is Reason.EXIT_DEFERRED
    assert isinstance(decide(state, around(299_399, policy=policy(sell_window=None))), Place)


def test_rule_15_a_resting_exit_is_not_withdrawn_for_distance() -> None:
    assert reason(decide(leaving(300_000, lot()), around(290_000))) is Reason.EXIT_RESTING


def test_rule_16_an_exit_over_its_target_comes_down_by_half_an_interval_or_not_at_all() -> None:
    high = leaving(300_301, lot())

    kept = decide(high, around(300_201))
    moved = decide(high, around(300_200))

    assert kept == Stay(reason=Reason.EXIT_RESTING, alarm=Alarm(level=-1, low=300_200))
    assert moved == Withdraw(client_id="out", reason=Reason.REPRICE)


def test_rule_16_no_alarm_is_set_where_the_target_is_nearer_than_half_an_interval() -> None:
    near = leaving(300_050, lot())

    assert decide(near, around(290_000)) == Stay(reason=Reason.EXIT_RESTING)


def test_rule_16_a_taker_exit_needs_leave_and_three_rejects() -> None:
    state = SlotState(key=key(-1), lot=lot())
    takes = policy(exit_taker=True)

    patient = decide(state, around(300_100, policy=takes, rejects=2))
    hasty = decide(state, around(300_100, policy=takes, rejects=3))
    forbidden = decide(state, around(300_100, rejects=9))

    assert isinstance(patient, Place)
    assert isinstance(hasty, Place)
    assert isinstance(forbidden, Place)
    assert (patient.time_in_force, patient.price) == (TimeInForce.POST_ONLY, 300_101)
    assert (hasty.time_in_force, hasty.price) == (TimeInForce.GTC, 300_000)
    assert forbidden.time_in_force is TimeInForce.POST_ONLY


def test_rule_17_a_slot_with_a_lot_sells_and_never_buys() -> None:
    decision = decide(SlotState(key=key(-1), lot=lot(4)), around(300_000))

    assert isinstance(decision, Place)
    assert decision.purpose is Purpose.EXIT


def test_rule_17_a_part_filled_exit_stays() -> None:
    assert reason(decide(leaving(300_000, lot(6), filled=4), around(299_900))) is Reason.EXIT_RESTING


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        (Phase.BLOCKED, Reason.BLOCKED),
        (Phase.SETTLING, Reason.SETTLING),
        (Phase.UNKNOWN, Reason.OUTCOME_UNKNOWN),
        (Phase.CANCELLING, Reason.CANCELLING),
    ],
)
def test_rule_18_a_slot_that_waits_for_facts_does_nothing(phase: Phase, expected: Reason) -> None:
    assert reason(decide(SlotState(key=key(-1), phase=phase, lot=lot()), around(300_000))) is expected


def test_rule_19_dust_buys_the_rest_of_its_lot_at_its_level_and_keeps_its_target() -> None:
    rules = instrument(quantity_min=3, notional_min=Decimal(5))
    state = SlotState(key=key(-1), lot=lot(2, target=300_100))

    decision = decide(state, around(300_000, instrument=rules))

    assert decision == Place(purpose=Purpose.ENTRY, price=299_800, quantity=8, target=300_100)


def test_rule_19_dust_that_may_not_buy_says_so_and_why() -> None:
    rules = instrument(quantity_min=3)
    state = SlotState(key=key(-1), lot=lot(2))

    assert decide(state, around(300_000, instrument=rules, holds=("risk",))) == Stay(reason=Reason.DUST, detail="hold")
    assert reason(decide(state, around(300_000, instrument=instrument(quantity_min=9)))) is Reason.DUST


def test_rule_19_the_minimum_notional_makes_dust_only_where_closing_is_not_exempt() -> None:
    small = lot(6)

    assert not is_dust(small, instrument())
    assert is_dust(small, instrument(closing_exempt=False))
    assert is_dust(lot(1), instrument(quantity_min=2))


def test_rule_20_exits_live_on_under_a_hold() -> None:
    held = around(299_900, holds=("operator", "risk"))

    assert isinstance(decide(SlotState(key=key(-1), lot=lot()), held), Place)
    assert reason(decide(leaving(300_000, lot()), held)) is Reason.EXIT_RESTING


@pytest.mark.parametrize("held", [None, lot(9)])
def test_rule_21_an_exit_larger_than_its_lot_is_withdrawn(held: Lot | None) -> None:
    assert decide(leaving(300_000, held), around(299_900)) == Withdraw(client_id="out", reason=Reason.LOT_SHRANK)


def test_a_pending_exit_waits_for_its_answer() -> None:
    pending = replace(leaving(300_301, lot()), phase=Phase.PENDING)

    assert reason(decide(pending, around(290_000))) is Reason.PENDING


@pytest.mark.parametrize("changes", [{"view": None}, {"holds": ("price",)}])
def test_without_a_price_an_exit_sets_no_alarm(changes: dict[str, object]) -> None:
    """The feed may know a price that the slot must not use: an alarm that it rings at once would ring for ever."""
    resting = SlotOrder(
        client_id="out", purpose=Purpose.EXIT, side=Side.SELL, price=300_500, quantity=10, target=300_000, placed_ms=0
    )
    slot = SlotState(key=key(-1), phase=Phase.LOCKED, order=resting, lot=lot())

    decision = decide(slot, around(299_000, **changes))

    assert decision == Stay(reason=Reason.EXIT_RESTING)
