"""`explain` says what the desk will do about a level, and by when, as long as an order's fate is not known."""

from __future__ import annotations

from pathlib import Path

from actors.clock import now_ms
from actors.deployment.view import explanation
from tests.live_control import still_venue
from tests.live_deployment import LiveDeployment, deployed, live_settings
from tests.venue.test_scenario_02_ambiguous_placement import LOST, STREAM_MUTE


def explained(live: LiveDeployment) -> dict[int, dict[str, object]]:
    """Return the explained levels that something is planned for."""
    answers = live.crew.ask_all(live.roster.layouts["ETHUSDT"].names(), "explain")
    if any(found is None for found in answers.values()):
        return {}
    told = explanation("ETHUSDT", live.coordinator.snapshot(), answers, now_ms())
    return {row["level"]: row for row in told["levels"] if row["next_step"]}


def test_an_order_of_unknown_fate_is_explained_with_the_look_up_and_its_time(tmp_path: Path) -> None:
    seen: dict[int, dict[str, object]] = {}
    with still_venue() as venue:
        venue.fault("reply_lost", **LOST)
        venue.fault("late_visibility", until_healed=True)
        venue.fault("event_dropped", **STREAM_MUTE)
        with deployed(live_settings(tmp_path, venue), venue, waits=False) as live:

            def is_told() -> bool:
                seen.update(explained(live))
                return bool(seen)

            live.until(is_told, "a level waits for something")

        assert {row["next_step"] for row in seen.values()} <= {"look_up", "cancel", "settle", "resync"}
        assert all(abs(int(str(row["deadline_ms"])) - now_ms()) < 60_000 for row in seen.values())
        assert all(row["deadline"] for row in seen.values())
