"""The coordinator's hands, as it knows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from actors.deployment.roster import Roster
from actors.settings.account import Settings


class Crew(Protocol):
    """The actors, as the coordinator handles them. Every call is bounded in time; None means no answer (yet)."""

    def enlist(self, name: str) -> None:
        """Create the actor of that name, or adopt the living one; returns before it has started."""
        ...

    def ask(self, name: str, question: str, *arguments: Any) -> Any: ...

    def ask_all(self, names: Iterable[str], question: str, *arguments: Any) -> dict[str, Any]: ...

    def incarnations(self, names: Iterable[str]) -> dict[str, str | None]:
        """Return which life of each actor answers; a later life compares greater."""
        ...

    def is_there(self, name: str) -> bool:
        """Whether an actor of that name exists, even if it does not answer."""
        ...

    def dismiss(self, names: Iterable[str]) -> None:
        """End the actors for good."""
        ...

    def regroup(self, settings: Settings, roster: Roster) -> None:
        """Take over who takes part from now on."""
        ...
