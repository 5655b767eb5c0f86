"""Caps: exits first, nearest first, and a reason for whoever waits."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from grid.reasons import Reason
from risk.limits import (
    Admission,
    Admitted,
    Candidate,
    Evict,
    Idle,
    RestingOrder,
    Standing,
    SymbolExposure,
    account_notional,
    admit,
    order_cap,
)

ENTRY = Candidate(price=2990, closing=False, notional=Decimal(30))
EXIT = Candidate(price=3010, closing=True, notional=Decimal(30))


def buy(price: int, *, is_cancelling: bool = False) -> RestingOrder:
    return RestingOrder(client_id=f"b{price}", price=price, closing=False, is_cancelling=is_cancelling)


def sell(price: int) -> RestingOrder:
    return RestingOrder(client_id=f"s{price}", price=price, closing=True)


EMPTY = Standing(
    reference=3000,
    resting=(),
    lots=0,
    max_lots=10,
    order_cap=4,
    account_notional=Decimal(0),
    account_notional_max=Decimal(1000),
)


def why(answer: Admission) -> Reason:
    assert isinstance(answer, Idle)
    return answer.reason


@pytest.mark.parametrize(
    ("configured", "venue_limit", "foreign", "expected"),
    [(500, 200, 0, 195), (50, 200, 0, 50), (500, 200, 30, 165), (50, 200, 198, 0)],
)
def test_the_cap_leaves_room_for_foreign_orders_and_a_reserve(
    configured: int, venue_limit: int, foreign: int, expected: int
) -> None:
    assert order_cap(configured=configured, venue_limit=venue_limit, foreign=foreign) == expected


def test_with_room_both_kinds_are_admitted() -> None:
    assert admit(ENTRY, EMPTY) == Admitted()
    assert admit(EXIT, EMPTY) == Admitted()


@pytest.mark.parametrize(("lots", "live"), [(10, 0), (8, 2), (0, 10), (11, 0)])
def test_lots_and_live_entries_together_never_exceed_max_lots(lots: int, live: int) -> None:
    standing = replace(EMPTY, lots=lots, resting=[buy(2999 - place) for place in range(live)], order_cap=100)

    assert why(admit(ENTRY, standing)) is Reason.MAX_LOTS
    assert admit(EXIT, standing) == Admitted()


def test_the_account_notional_may_be_reached_and_not_exceeded() -> None:
    assert admit(ENTRY, replace(EMPTY, account_notional=Decimal(970))) == Admitted()
    standing = replace(EMPTY, account_notional=Decimal("970.01"))
    assert why(admit(ENTRY, standing)) is Reason.MAX_NOTIONAL
    assert admit(EXIT, standing) == Admitted()


def test_exposure_counts_lots_at_cost_and_live_entries_of_every_symbol() -> None:
    one = SymbolExposure(lots_cost=Decimal(60), entries_notional=Decimal(90))
    other = SymbolExposure(lots_cost=Decimal(5), entries_notional=Decimal(0))

    assert account_notional([one, other]) == 155
    assert account_notional([]) == 0


def test_an_exit_takes_the_place_of_the_farthest_entries() -> None:
    resting = [buy(2990), buy(2970), buy(2980), sell(3020)]

    assert admit(EXIT, replace(EMPTY, resting=resting)) == Evict(client_ids=("b2970",))
    assert admit(EXIT, replace(EMPTY, resting=resting, order_cap=3)) == Evict(client_ids=("b2970", "b2980"))


def test_an_exit_waits_for_cancels_under_way_instead_of_evicting_more() -> None:
    resting = [buy(2990), buy(2970, is_cancelling=True), buy(2980), sell(3020)]

    assert why(admit(EXIT, replace(EMPTY, resting=resting))) is Reason.ORDER_CAP


def test_a_nearer_exit_takes_the_place_of_the_farthest_where_no_entry_is_left() -> None:
    resting = [sell(price) for price in (3100, 3200, 3400, 3300)]

    assert admit(EXIT, replace(EMPTY, resting=resting)) == Evict(client_ids=("s3400",))


def test_an_exit_never_takes_the_place_of_a_nearer_one() -> None:
    resting = [sell(price) for price in (3001, 3003, 3005, 3010)]

    assert why(admit(EXIT, replace(EMPTY, resting=resting))) is Reason.EXIT_DEFERRED


def test_a_nearer_entry_takes_the_place_of_the_farthest() -> None:
    resting = [buy(price) for price in (2900, 2800, 2600, 2700)]

    assert admit(ENTRY, replace(EMPTY, resting=resting)) == Evict(client_ids=("b2600",))


def test_an_entry_takes_the_place_of_no_exit_and_of_no_nearer_entry() -> None:
    resting = [buy(2998), buy(2996), buy(2994), sell(3500)]

    assert why(admit(ENTRY, replace(EMPTY, resting=resting))) is Reason.ORDER_CAP


@pytest.mark.parametrize("candidate", [ENTRY, EXIT])
def test_an_entry_that_has_not_rested_long_enough_makes_no_room(candidate: Candidate) -> None:
    resting = [replace(buy(price), is_young=True) for price in (2900, 2800, 2700, 2600)]

    assert why(admit(candidate, replace(EMPTY, resting=resting))) is Reason.ORDER_CAP


def test_one_entry_at_a_time_makes_room_for_another() -> None:
    resting = [buy(2900), buy(2800), buy(2700), buy(2600, is_cancelling=True)]

    assert why(admit(ENTRY, replace(EMPTY, resting=resting))) is Reason.ORDER_CAP


def test_nobody_is_nearer_to_a_price_that_is_unknown() -> None:
    entries = [buy(price) for price in (2900, 2800, 2600, 2700)]
    exits = [sell(price) for price in (3100, 3200, 3300, 3400)]

    assert why(admit(ENTRY, replace(EMPTY, reference=None, resting=entries))) is Reason.ORDER_CAP
    assert why(admit(EXIT, replace(EMPTY, reference=None, resting=exits))) is Reason.EXIT_DEFERRED
    assert isinstance(admit(EXIT, replace(EMPTY, reference=None, resting=entries)), Evict)


def test_a_place_that_would_not_do_is_not_cleared() -> None:
    standing = replace(EMPTY, resting=[buy(2600)], account_notional=Decimal(1030))

    assert why(admit(ENTRY, standing)) is Reason.MAX_NOTIONAL
    enough = replace(standing, resting=[replace(buy(2600), notional=Decimal(60))])
    assert admit(ENTRY, enough) == Evict(client_ids=("b2600",))


def test_an_entry_leaves_the_places_of_exits_that_wait() -> None:
    assert admit(ENTRY, replace(EMPTY, resting=[sell(3020)], exits_waiting=2)) == Admitted()
    assert why(admit(ENTRY, replace(EMPTY, resting=[sell(3020)], exits_waiting=3))) is Reason.ORDER_CAP
