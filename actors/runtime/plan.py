"""What is said about an actor before it is created."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorPlan:
    """One actor to be: its name, the function that builds it in the worker, and what that function is told.

    `build` is `module:function`, called as `function(surroundings, **arguments)`; arguments are pickled, so they hold
    no secret and no open thing. `kind` is the class name that Ray's dashboard shows.
    """

    name: str
    deployment: str
    kind: str
    build: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    resources: Mapping[str, float] = field(default_factory=dict)
    log_as_json: bool = False
    account: str = ""
    """Whose it is; empty for an actor that all accounts share."""
