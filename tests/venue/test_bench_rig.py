"""The bench measures what it says: every tick and every fill of its script is answered, and each answer is matched."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.bench.processes import Venue, bare_loop, venue_of
from tests.bench.wire_times import Spans

PATIENCE_S = 60.0
SPACING_MS = 150


def until(venue: Venue, is_so: Callable[[Spans], bool]) -> Spans:
    """Return what was measured once it is so, or after some patience."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_so(spans := venue.spans()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return spans


def test_a_bare_loop_answers_each_tick_and_each_fill_and_every_answer_has_its_cause() -> None:
    with venue_of(2) as venue, bare_loop(venue, 2):
        venue.tell("clear")
        venue.tell("climb", symbols=venue.coins, events=6, spacing_ms=SPACING_MS)
        climbed = until(venue, lambda spans: len(spans.tick_to_order) == 4)
        venue.tell("clear")
        venue.tell("fills", symbols=venue.coins, events=8, spacing_ms=SPACING_MS)
        filled = until(venue, lambda spans: len(spans.exit_to_entry) == 4)

    # The first quote of each coin since the log was cleared only says where it stands.
    assert (len(climbed.tick_to_order), climbed.entries) == (4, 6)
    assert (len(filled.fill_to_exit), filled.exits) == (4, 4)
    assert len(filled.exit_to_entry) == 4
    assert sum(filled.unanswered.values()) == 0
    assert all(span > 0 for span in (*climbed.tick_to_order, *filled.fill_to_exit, *filled.exit_to_entry))
