"""The lease of "go": silence is a no."""

from __future__ import annotations

import pytest

from risk.lease import Go, Lease, LeaseState


def go(number: int, incarnation: int = 1) -> Go:
    return Go(number=number, incarnation=incarnation)


def test_before_the_first_grant_the_lease_is_lost() -> None:
    assert Lease().state(0) is LeaseState.LOST


@pytest.mark.parametrize(
    ("age_ms", "expected"),
    [
        (0, LeaseState.VALID),
        (2_999, LeaseState.VALID),
        (3_000, LeaseState.EXPIRED),
        (9_999, LeaseState.EXPIRED),
        (10_000, LeaseState.LOST),
    ],
)
def test_a_grant_ages_from_its_arrival(age_ms: int, expected: LeaseState) -> None:
    lease = Lease()
    lease.renew(go(1), now_ms=50)

    assert lease.state(50 + age_ms) is expected


@pytest.mark.parametrize("late", [go(2), go(1), go(9, incarnation=0)])
def test_a_doubled_or_late_grant_or_one_of_a_dead_supervisor_renews_nothing(late: Go) -> None:
    lease = Lease()
    lease.renew(go(2), now_ms=0)

    assert not lease.renew(late, now_ms=5_000)
    assert lease.state(5_000) is LeaseState.EXPIRED


def test_a_new_supervisor_starts_its_numbers_anew() -> None:
    lease = Lease()
    lease.renew(go(500), now_ms=0)

    assert lease.renew(go(1, incarnation=2), now_ms=11_000)
    assert lease.state(11_000) is LeaseState.VALID


def test_a_lease_that_holds_before_it_expires_is_refused() -> None:
    with pytest.raises(ValueError, match="expires"):
        Lease(expiry_ms=3_000, hold_ms=2_999)
