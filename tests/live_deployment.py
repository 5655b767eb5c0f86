"""A whole deployment in one process, without Ray: the real actors, sockets, journal and start order.

Only the courier is replaced, by mailboxes of this process that keep order for each receiver.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import yaml

from actors.clock import SystemClock
from actors.coordinator import Coordinator
from actors.deployment.crew import Crew
from actors.deployment.roster import Roster
from actors.settings.account import Settings, load_settings
from actors.settings.deployment import DeploymentSettings
from actors.trials.demo_reckoning import Reckoning, reckon
from actors.trials.journal_order import journalled
from tests.live_control import VenueControl
from tests.live_crew import Hands, LocalCrew
from tests.live_mail import PostRoom
from tests.live_reckoning import broken_rules
from tests.live_settled import price_is_heard, same_orders, slots_want_nothing

PATIENCE_S = 75.0
"""Only ends a wait that is in vain; how long something takes is no matter of these tests."""
LOOK_S = 0.03
SECTIONS = ("account", "gateway", "risk", "runtime", "journal", "alerts", "ownership", "paper")
ETHUSDT: Mapping[str, Any] = {
    "symbol": "ETHUSDT",
    "interval": 2,
    "anchor": 3000,
    "amount": 60,
    "buy_window": 3,
    "sell_window": 20,
    "max_lots": 20,
    "leverage": 5,
    "min_rest_s": "0.3",
}
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "account": {"max_notional": 5000, "daily_loss": 1000},
    "gateway": {"recv_window_ms": 1000, "echo_timeout_s": 15},
    "risk": {"enabled": False, "required_positions": 10},
    "runtime": {"look_ahead": 1, "reconcile_s": 2, "price_age_s": 20},
}
"""Where a machine that stands still for some seconds would be taken for a deaf stream or a mute one, the times are
long; a test that is about them shortens them.
"""


def live_settings(folder: Path, venue: VenueControl, *symbols: Mapping[str, Any], **sections: Any) -> Settings:
    """Return settings for a venue; each symbol, and each section, is the default with the given keys over it."""
    document: dict[str, Any] = {
        "deployment": "live",
        "venue": {"name": venue.name, "rest_url": venue.rest_url, "ws_url": venue.ws_url},
        "symbols": [_without_none({**ETHUSDT, **symbol}) for symbol in symbols or ({},)],
        "journal": {"path": str(folder / "live.sqlite")},
    }
    for section in SECTIONS:
        keys = {**DEFAULTS.get(section, {}), **sections.get(section, {})}
        if keys:
            document.setdefault(section, {}).update(keys)
    path = folder / "live.yaml"
    path.write_text(yaml.safe_dump(document))
    return load_settings(path, {})


def _without_none(keys: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if value is not None}


class LiveDeployment:
    """One deployment against one venue."""

    def __init__(self, settings: Settings, venue: VenueControl) -> None:
        self.settings = settings
        self.venue = venue
        self.roster = Roster.of(settings)
        self.room = PostRoom()
        self.crew = LocalCrew(DeploymentSettings.of(settings), self.room)
        self._hands: list[Hands] = []
        self._before = set(threading.enumerate())
        self.coordinator = self.another_coordinator(is_restarted=False)
        self._begun = time.monotonic()

    def another_coordinator(self, **more: Any) -> Coordinator:
        """Return a coordinator beside those that there are."""
        self._hands.append(Hands(self.crew))
        crew = cast("Crew", self._hands[-1])
        return Coordinator(settings=DeploymentSettings.of(self.settings), crew=crew, clock=SystemClock(), **more)

    def restart_coordinator(self) -> None:
        """Give the deployment a new coordinator, as Ray would after a kill of the old one."""
        self._end_coordinators()
        self.coordinator = self.another_coordinator(is_restarted=True)
        self.coordinator.start()

    def begin(self) -> None:
        """Begin the start; returns at once."""
        self.coordinator.start()

    def start(self) -> None:
        """Start and wait until every actor answers and the feeds have a price."""
        self.begin()
        self.until(lambda: self.state() in ("running", "refused"), "the deployment runs")
        assert self.state() == "running", self.coordinator.snapshot()["refusals"]

    def state(self) -> str:
        return str(self.coordinator.snapshot()["state"])

    def gateway(self) -> dict[str, Any]:
        """Return the gateway's present picture; empty while it is dead, which one that is only slow is not."""
        name, deadline = self.roster.gateway, time.monotonic() + PATIENCE_S
        while (seen := self.crew.ask(name, "snapshot")) is None:
            if self.room.box(name).actor is None or time.monotonic() > deadline:
                return {}
            time.sleep(LOOK_S)
        picture: dict[str, Any] = seen
        return picture

    def symbol(self, name: str = "ETHUSDT") -> dict[str, Any]:
        """Return the gateway's picture of a symbol."""
        found: dict[str, Any] = self.gateway().get("symbols", {}).get(name, {})
        return found

    def levels(self, name: str = "ETHUSDT") -> dict[int, dict[str, Any]]:
        """Return the slots that hold something, by level; of two generations only one is shown."""
        return {row["level"]: row for row in self.symbol(name).get("levels", [])}

    def entries(self, name: str = "ETHUSDT") -> list[str]:
        """Return the prices at which our entries rest at the venue, highest first."""
        resting = self.venue.own_orders(name, is_open=True)
        prices = [Decimal(row["price"]) for row, identity in resting if not identity.purpose.closing]
        return [f"{price.normalize():f}" for price in sorted(prices, reverse=True)]

    def exits(self, name: str = "ETHUSDT") -> list[int]:
        """Return the levels whose exits rest at the venue, highest first.

        Their prices are the levels' targets, or one tick over a price that had passed those when the lot was bought.
        """
        resting = self.venue.own_orders(name, is_open=True)
        return sorted((identity.level for _, identity in resting if identity.purpose.closing), reverse=True)

    def holds(self) -> list[str]:
        """Return the causes of the holds that stand."""
        return sorted(hold["cause"] for hold in self.gateway().get("holds", []))

    def notices(self, kind: str = "") -> list[dict[str, Any]]:
        """Return what the gateway told people, oldest first."""
        return [one for one in self.gateway().get("notices", []) if kind in ("", one["kind"])]

    def counts(self, name: str = "ETHUSDT") -> dict[str, int]:
        """Return what the book counted on a symbol."""
        found: dict[str, int] = self.symbol(name).get("counts", {})
        return found

    def until(self, condition: Callable[[], object], what: str, timeout_s: float = PATIENCE_S) -> None:
        """Wait for a condition; fails, saying what is the case instead."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if self.room.failures:
                raise AssertionError(f"waiting until {what}: {self.room.failures}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{timeout_s} s are over and it is not so that {what}\n{self._plight()}")
            time.sleep(LOOK_S)

    def stays(self, condition: Callable[[], object], what: str, seconds: float) -> None:
        """See that a condition holds all the time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert condition(), f"it was not always so that {what}\n{self._plight()}"
            time.sleep(LOOK_S)

    def settle(self, name: str = "ETHUSDT") -> None:
        """Wait until what rests is what is wanted at the venue's present price, and nothing is under way."""
        self.until(lambda: self._is_settled(name), f"{name} is settled")

    def walk(self, *prices: str, name: str = "ETHUSDT", spread: str = "0.01") -> None:
        """Take the market from price to price, each known to the gateway and settled before the next."""
        for price in prices:
            self.venue.walk(name, price, spread=spread)
            wanted = Decimal(price)
            self.until(lambda wanted=wanted: self._price(name) == wanted, f"{name} is seen at {price}")  # type: ignore[misc]
            self.settle(name)

    def kill_gateway(self) -> None:
        """End the gateway as `kill -9` would: nothing more is journalled, the journal is not closed."""
        self.crew.kill(self.roster.gateway)

    def restart_gateway(self) -> None:
        """Give the gateway a new life; waits until its book agrees with the venue."""
        self.crew.enlist(self.roster.gateway)
        self.until(lambda: self.gateway().get("is_ready"), "the restarted gateway is ready")

    def stop(self, mode: str = "keep") -> dict[str, Any]:
        """Stop as `gridmesh stop` would; returns the coordinator's last word."""
        self.coordinator.stop(mode)
        self.until(lambda: self.state() == "stopped", "the deployment stopped")
        return self.coordinator.snapshot()

    def reckon(self, *, allow: tuple[str, ...] = ()) -> Reckoning:
        """Stop, compare book and venue, and assert that no rule was broken but those that contain allowed words."""
        last, truth = self.stop(), self.venue.truth()
        reckoning = reckon(
            last, truth, self.settings, time.monotonic() - self._begun, records=journalled(self.settings)
        )
        found = [*reckoning.violations, *broken_rules(self.settings, truth), *self.room.failures]
        broken = [text for text in found if not any(words in text for words in allow)]
        assert broken == [], "\n".join(broken)
        return reckoning

    def end(self) -> None:
        """End whatever still runs."""
        if self.state() not in ("stopped", "refused"):
            self.coordinator.stop("keep")
            self.crew.kill(self.roster.gateway)
        self._end_coordinators()
        self.crew.end()
        self.room.end()
        see_threads_end(self._before)

    def _end_coordinators(self) -> None:
        for hands in self._hands:
            hands.end()

    def _price(self, name: str) -> Decimal | None:
        price = self.symbol(name).get("price")
        return Decimal(price) if price is not None else None

    def _is_settled(self, name: str) -> bool:
        gateway = self.gateway()
        picture = gateway.get("symbols", {}).get(name, {})
        if not picture or not same_orders(self.venue.own_orders(name, is_open=True), picture):
            return False
        roster = self.crew.roster(self.settings.account_name)
        if name not in roster.layouts or gateway.get("closing"):
            return True  # nobody serves it any more
        seen = (self.crew.ask(roster.feeds[name], "snapshot") or {"symbols": {}})["symbols"].get(name)
        if not price_is_heard(seen, self.venue.truth()["books"][name], picture):
            return False
        answers = self.crew.ask_all(roster.layouts[name].names(), "explain", name)
        told = [one for found in answers.values() for one in found or ()]
        [window] = [ladder.buy_window for ladder in self.settings.symbols if ladder.symbol == name]
        return slots_want_nothing(told, seen, picture, window)

    def _plight(self) -> str:
        gateway = self.gateway()
        shown = {key: gateway.get(key) for key in ("state", "waiting_for", "refusals", "holds", "counts")}
        levels = {
            name: [(level, row["phase"], row["order"], row["lot"]) for level, row in self.levels(name).items()]
            for name in self.roster.layouts
        }
        prices = {name: str(self._price(name)) for name in self.roster.layouts}
        feeds = {name: self.crew.ask(name, "snapshot") for name in self.roster.feed_list}
        slots = [self.crew.ask_all(layout.names(), "explain") for layout in self.roster.layouts.values()]
        told = [[f"{one.level}: {one}" for found in answers.values() for one in found or ()] for answers in slots]
        return f"{self.state()} {shown}\n{prices} {feeds}\n{levels}\n{told}\n{gateway.get('notices', [])[-12:]}"


def see_threads_end(before: set[threading.Thread]) -> None:
    """Wait until no thread of an actor lives that was not there before."""
    deadline = time.monotonic() + PATIENCE_S
    while left := [
        thread.name
        for thread in set(threading.enumerate()) - before
        if thread.name.startswith(("loop ", "mailbox ", "reconciler"))
    ]:
        assert time.monotonic() < deadline, f"{left} would trouble the next test"
        time.sleep(LOOK_S)


@contextmanager
def deployed(settings: Settings, venue: VenueControl, *, waits: bool = True) -> Iterator[LiveDeployment]:
    """A deployment that was begun and, unless told otherwise, runs; what of it still runs at the end is ended."""
    deployment = LiveDeployment(settings, venue)
    try:
        deployment.start() if waits else deployment.begin()
        yield deployment
    finally:
        deployment.end()
