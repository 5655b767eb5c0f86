"""A deployment of several accounts in one process, each at a venue of its own; each is seen as a deployment is."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import yaml

from actors.clock import SystemClock
from actors.coordinator import Coordinator
from actors.deployment.crew import Crew
from actors.deployment.roster import Roster
from actors.settings.deployment import SHARED, DeploymentSettings, load_deployment
from tests.live_control import VenueControl
from tests.live_crew import Hands, LocalCrew
from tests.live_deployment import LiveDeployment, live_settings, see_threads_end
from tests.live_mail import PostRoom


class LiveAccount(LiveDeployment):
    """One account of several: what it shares with the others is the whole's."""

    def __init__(self, name: str, whole: LiveAccounts, venue: VenueControl) -> None:
        self.name = name
        self.settings = whole.settings.account(name)
        self.venue = venue
        self.roster = Roster.of(self.settings)
        self.room = whole.room
        self.crew = whole.crew
        self.coordinator = whole.coordinator
        self._begun = time.monotonic()

    def section(self) -> dict[str, Any]:
        """Return what the coordinator says of this account."""
        found: dict[str, Any] = self.coordinator.snapshot()["accounts"][self.name]
        return found

    def state(self) -> str:
        return str(self.section()["state"])

    def stop(self, mode: str = "keep") -> dict[str, Any]:
        """Stop this account alone; returns the coordinator's last word on it."""
        self.coordinator.stop(mode, self.name)
        self.until(lambda: self.state() == "stopped", f"{self.name} stopped")
        return self.section()


class LiveAccounts:
    """The whole of them."""

    def __init__(self, settings: DeploymentSettings, venues: Mapping[str, VenueControl]) -> None:
        self.settings = settings
        self.room = PostRoom()
        self.crew = LocalCrew(settings, self.room)
        self._hands = Hands(self.crew)
        self._before = set(threading.enumerate())
        self.coordinator = Coordinator(settings=settings, crew=cast("Crew", self._hands), clock=SystemClock())
        self.accounts = {name: LiveAccount(name, self, venue) for name, venue in venues.items()}

    def state(self) -> str:
        return str(self.coordinator.snapshot()["state"])

    def end(self) -> None:
        """End whatever still runs."""
        self.coordinator.stop("keep")
        for account in self.accounts.values():
            if account.state() not in ("stopped", "refused"):
                self.crew.kill(account.roster.gateway)
        self._hands.end()
        self.crew.end()
        self.room.end()
        see_threads_end(self._before)


def several_settings(folder: Path, venues: Mapping[str, VenueControl], **sections: Any) -> DeploymentSettings:
    """Return the settings of one account at each venue, read from a file; what they share is that of the first."""
    shared: dict[str, Any] = {}
    accounts = []
    for name, venue in venues.items():
        (folder / name).mkdir()
        live_settings(folder / name, venue, **sections)
        document = yaml.safe_load((folder / name / "live.yaml").read_text())
        shared = shared or {key: document[key] for key in SHARED if key in document}
        accounts.append({"name": name, **{key: value for key, value in document.items() if key not in SHARED}})
    path = folder / "several.yaml"
    path.write_text(yaml.safe_dump({**shared, "accounts": accounts}))
    return load_deployment(path, {})


@contextmanager
def several(settings: DeploymentSettings, venues: Mapping[str, VenueControl]) -> Iterator[LiveAccounts]:
    """A deployment of several accounts that was begun; what of it still runs at the end is ended."""
    whole = LiveAccounts(settings, venues)
    try:
        whole.coordinator.start()
        yield whole
    finally:
        whole.end()
