"""How every actor is created: the same options, so that Ray never retries, doubles or misplaces behind our back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FOR_EVER = -1


def actor_options(name: str, deployment: str, resources: Mapping[str, float] | None = None) -> dict[str, Any]:
    """Return the options of one actor.

    `max_task_retries` is 0 because a retry of Ray's is a doubled message; order is kept by one call at a time;
    placement is by custom resources, since soft node affinity misplaces.
    """
    return {
        "name": name,
        "namespace": deployment,
        "lifetime": "detached",
        "get_if_exists": True,
        "num_cpus": 0,
        "max_restarts": FOR_EVER,
        "max_task_retries": 0,
        "max_concurrency": 1,
        "resources": dict(resources or {}),
    }
