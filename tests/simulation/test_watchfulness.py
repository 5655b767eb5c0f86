"""What the invariants must not take for a fault: a price that stands still, and a place that is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from grid.order import OrderRequest
from tests.simulation.faults import Kind
from tests.simulation.run import Run
from tests.simulation.schedule import Schedule, draw_schedule
from tests.simulation.traits import Trait
from tests.simulation.watchfulness import FROZEN_OVERDUE_MS

TRAITS = frozenset(
    {
        Trait.BREAKERS,
        Trait.DAILY_LOSS,
        Trait.EXCHANGE_STOP,
        Trait.GEOMETRIC,
        Trait.OPENING,
        Trait.TRADES_APART,
    }
)


def standing_still() -> Schedule:
    """A market that stands still from 4.4 s on, and sends no quotes from 5.5 to 37.9 s."""
    return draw_schedule(594, traits=TRAITS)


def listen(run: Run, hear: Callable[[OrderRequest], None]) -> None:
    """Hear of each placement that leaves."""
    note = run.world.venue.on_sent
    assert note is not None

    def tell(request: OrderRequest) -> None:
        hear(request)
        note(request)

    run.world.venue.on_sent = tell


def test_an_entry_may_leave_at_a_price_that_stands_still_and_is_not_quoted() -> None:
    run = Run(standing_still())
    entries_ms: list[int] = []
    listen(run, lambda request: None if request.closing else entries_ms.append(run.world.agenda.now_ms))

    assert run.run().violations == []
    frozen_ms = next(fault.at_ms for fault in run.schedule.faults if fault.kind is Kind.FROZEN_PRICE)
    assert any(frozen_ms + FROZEN_OVERDUE_MS < at_ms < 37_900 for at_ms in entries_ms)


def test_an_entry_as_near_as_what_an_opening_would_buy_keeps_its_place() -> None:
    whole = standing_still()
    still = replace(whole, faults=tuple(fault for fault in whole.faults if fault.kind is Kind.DROP_THEN_STILL))

    run = Run(still)

    assert run.run().violations == []
    opening = run.world.book.symbol("ETHUSDT").opening
    assert opening is not None
    assert opening.levels == (2,)
