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
    standing = replace(EMPTY, lots=lots, resting=[buy(place) for place in range(live)], order_cap=100)

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


def test_an_exit_never_displaces_another_exit() -> None:
    resting = [sell(price) for price in (3100, 3200, 3300, 3400)]

    assert why(admit(EXIT, replace(EMPTY, resting=resting))) is Reason.EXIT_DEFERRED


def test_an_entry_takes_nobodys_place_not_even_a_farther_entrys() -> None:
    resting = [buy(price) for price in (2900, 2800, 2700, 2600)]

    assert why(admit(ENTRY, replace(EMPTY, resting=resting))) is Reason.ORDER_CAP


def test_an_entry_leaves_the_places_of_exits_that_wait() -> None:
    assert admit(ENTRY, replace(EMPTY, resting=[sell(3020)], exits_waiting=2)) == Admitted()
    assert why(admit(ENTRY, replace(EMPTY, resting=[sell(3020)], exits_waiting=3))) is Reason.ORDER_CAP
