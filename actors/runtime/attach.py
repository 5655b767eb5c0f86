"""A second `gridmesh run` on a cluster: joins the deployment that runs there if it is the same, else refuses."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from actors.actor_names import COORDINATOR
from actors.clock import monotonic_s
from actors.errors import TimedOut
from actors.run_file import RunFile
from grid.errors import RefusedToStart

if TYPE_CHECKING:
    from actors.runtime.crew import RayCrew

ANSWER_S = 20.0
POLL_S = 0.3
ENDED = ("stopped", "refused")


def running(crew: RayCrew, ours: RunFile) -> dict[str, Any] | None:
    """Return the last word of the deployment that runs already, None where a new one may be launched.

    Raises `RefusedToStart` where it runs with another configuration or version, and `TimedOut` where it is silent:
    what it is then is unknown, and a second one beside it would trade on the same account.
    """
    if not crew.is_there(COORDINATOR):
        return None
    seen = _last_word(crew, ours)
    if seen["state"] in ENDED:
        # Its actors are gone already; it only keeps its last words, and a gateway that refused keeps its own.
        crew.dismiss((COORDINATOR, *crew.gateways()))
        _until_gone(crew, ours)
        return None
    differences = [
        f"{what} is {theirs}, this one's {mine}"
        for what, theirs, mine in (
            ("configuration", seen["configuration_hash"], ours.configuration_hash),
            ("version", seen["version"], ours.version),
        )
        if theirs != mine
    ]
    if differences:
        raise RefusedToStart(
            (f"{ours.deployment} runs already at {ours.address}: its {'; its '.join(differences)}. Stop it first",)
        )
    return seen


def _last_word(crew: RayCrew, ours: RunFile) -> dict[str, Any]:
    deadline_s = monotonic_s() + ANSWER_S
    while monotonic_s() < deadline_s:
        seen = crew.ask(COORDINATOR, "snapshot")
        if seen:
            return dict(seen)
        time.sleep(POLL_S)
    raise TimedOut(f"{ours.deployment} runs already at {ours.address}, but its coordinator does not answer")


def _until_gone(crew: RayCrew, ours: RunFile) -> None:
    deadline_s = monotonic_s() + ANSWER_S
    while crew.is_there(COORDINATOR):
        if monotonic_s() > deadline_s:
            raise TimedOut(f"the coordinator of an earlier {ours.deployment} at {ours.address} does not end")
        time.sleep(POLL_S)
