"""The coordinator's hands without Ray: builds the plain actors in this process, each behind its own mailbox."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from actors.actor_names import COORDINATOR, SlotLayout
from actors.clock import SystemClock
from actors.deployment.roster import Roster
from actors.gateway.grids import milliseconds, risk_rules
from actors.grid_slot import GridSlot
from actors.journal import file as journal_file
from actors.journal.database import DatabaseJournal
from actors.journal.place import journal_account, journal_place
from actors.journal.writer import Journal
from actors.order_gateway import OrderGateway
from actors.ownership.builder import ownership
from actors.ownership.ownership import HostOwnership
from actors.price_feed import PriceFeed
from actors.reconciler import Reconciler
from actors.risk_supervisor import RiskSupervisor
from actors.settings.account import Settings
from actors.settings.deployment import DeploymentSettings
from actors.settings.venue import Credentials
from actors.venues import market_venue, trading_venue
from exchanges.sim.server.options import DEMO_KEY, DEMO_PASSPHRASE, DEMO_SECRET
from tests.live_mail import PlainActor, PostRoom

KEYS = Credentials(
    api_key=SecretStr(DEMO_KEY), api_secret=SecretStr(DEMO_SECRET), passphrase=SecretStr(DEMO_PASSPHRASE)
)


class Killed(Exception):
    """The process that would have written this is dead."""


class Mortal(Journal):
    """A journal whose writer can die: from then on nothing more is written, and what is there stays as it was."""

    _is_dead = False

    def die(self) -> None:
        self._is_dead = True

    def append(self, batch: Any, **more: Any) -> int:
        if self._is_dead:
            raise Killed
        return super().append(batch, **more)

    def save_snapshot(self, seq: int, body: dict[str, Any]) -> None:
        if not self._is_dead:
            super().save_snapshot(seq, body)

    def prune(self, before_seq: int) -> int:
        return 0 if self._is_dead else super().prune(before_seq)

    def close(self) -> None:
        if not self._is_dead:
            super().close()
        elif not self._connection.closed:
            journal_file.hang_up(self._connection)
            self._lock.release()


class MortalJournal(Mortal, Journal):
    """One in a file."""


class MortalDatabase(Mortal, DatabaseJournal):
    """One in a database."""


class Hands:
    """The crew as one life of a coordinator holds it: once that is over, its thread stands still at the next touch."""

    def __init__(self, crew: LocalCrew) -> None:
        self._crew = crew
        self._is_over = False

    def end(self) -> None:
        """End the life, as `kill -9` would."""
        self._is_over = True

    def __getattr__(self, name: str) -> Any:
        if self._is_over:
            threading.Event().wait()
        return getattr(self._crew, name)


class LocalCrew:
    """The `Crew` of the coordinator within one process."""

    def __init__(self, settings: DeploymentSettings, room: PostRoom) -> None:
        self._settings = settings
        self._room = room
        self._rosters = {one.account_name: Roster.of(one) for one in settings.accounts}
        self._clock = SystemClock()
        self._journals: dict[str, Mortal] = {}
        """By the name of the gateway that writes it."""
        self._ended = threading.Event()
        self._lives: dict[str, str] = {}
        self._door = threading.Lock()
        self._is_over = False
        self.leader: str | None = None
        """Which life of the coordinator the cluster takes for the present one."""
        self._first = {self._rosters[one.account_name].gateway: one for one in settings.accounts}
        self._layouts: dict[str, tuple[SlotLayout, ...]] = {}
        """By feed and slot actor: as with Ray, a restarted one is given what the first life was given."""
        self._run = f"{time.monotonic_ns()}"

    def roster(self, account_name: str) -> Roster:
        """Return who is who of an account at present."""
        return self._rosters[account_name]

    def enlist(self, name: str) -> None:
        with self._door:
            box = self._room.box(name)
            if box.actor is None and not self._is_over:
                self._lives[name] = f"{time.monotonic_ns():020d}"
                box.seat(self._build(name))

    def ask(self, name: str, question: str, *arguments: Any) -> Any:
        box = self._room.box(name)

        def answer() -> Any:
            return None if box.actor is None else getattr(box.actor, question)(*arguments)

        return box.call(answer, timeout_s=60.0 if question == "stop" else 10.0)

    def ask_all(self, names: Iterable[str], question: str, *arguments: Any) -> dict[str, Any]:
        return {name: self.ask(name, question, *arguments) for name in names}

    def incarnations(self, names: Iterable[str]) -> dict[str, str | None]:
        living = {name: life for name, life in list(self._lives.items()) if self._room.box(name).actor is not None}
        return {name: self.leader if name == COORDINATOR else living.get(name) for name in names}

    def is_there(self, name: str) -> bool:
        """Whether it was enlisted and not dismissed; one that was killed is only dead for a while, as with Ray."""
        return name in self._lives

    def dismiss(self, names: Iterable[str]) -> None:
        for name in names:
            self._unseat(name)
            self._lives.pop(name, None)
            self._layouts.pop(name, None)

    def end(self) -> None:
        """End everybody who lives; nobody comes after."""
        with self._door:
            self._is_over = True
        self.dismiss(list(self._lives))

    def regroup(self, settings: Settings, roster: Roster) -> None:
        self._settings = self._settings.with_account(settings)
        self._rosters[settings.account_name] = roster

    def kill(self, name: str) -> None:
        """End an actor as `kill -9` would: nothing more of it reaches the journal or a socket."""
        if name in self._journals:
            self._journals[name].die()
        self._unseat(name)

    def _unseat(self, name: str) -> None:
        if hasattr(self._room.box(name).actor, "stop"):
            self.ask(name, "stop")
        self._room.box(name).seat(None)

    def _on_end(self, name: str) -> None:
        if name not in self._journals or not self._journals[name]._is_dead:
            self._room.failures.append(f"{name} ended its process")

    def _build(self, name: str) -> PlainActor:
        settings, roster = self._account_of(name)
        around: dict[str, Any] = {"outbox": self._room.outbox(name), "clock": self._clock}
        end: Callable[[], None] = partial(self._on_end, name)
        market = partial(market_venue, settings)
        if name == roster.gateway:
            # As with Ray, a restarted actor is given what the first life was given.
            settings = self._first[name]
            return OrderGateway(
                name=name,
                run=self._run,
                settings=settings,
                roster=Roster.of(settings),
                venue=lambda: trading_venue(settings, KEYS),
                market=market,
                journal=partial(self._open_journal, name, settings),
                ownership=self._ownership(settings),
                end=end,
                **around,
            )
        if name == roster.reconciler:
            period_s = float(settings.runtime.reconcile_s)
            return Reconciler(name=name, period_s=period_s, ask_gateway=partial(self.ask, roster.gateway))
        if name == roster.risk:
            accounts, watched = self._settings.accounts, self._settings.watched
            return RiskSupervisor(
                name=name,
                wards={self._rosters[one.account_name].gateway: one.account.drawdown for one in accounts},
                rules=risk_rules(watched),
                interval=watched.risk.interval,
                market=partial(market_venue, watched),
                end=end,
                **around,
            )
        if name in roster.feed_list:
            served = tuple(roster.layouts[symbol] for symbol, feed in roster.feeds.items() if feed == name)
            layouts = self._layouts.setdefault(name, served)
            return PriceFeed(name=name, gateway=roster.gateway, layouts=layouts, market=market, end=end, **around)
        return self._slot(name, roster, around)

    def _account_of(self, name: str) -> tuple[Settings, Roster]:
        owned = ((one, self._rosters[one.account_name]) for one in self._settings.accounts)
        return next((one, roster) for one, roster in owned if name in roster.everyone)

    def _slot(self, name: str, roster: Roster, around: dict[str, Any]) -> GridSlot:
        served = roster.layouts_of(name)
        return GridSlot(
            layouts=self._layouts.setdefault(name, served),
            index=served[0].names().index(name),
            gateway=roster.gateway,
            feed=roster.feeds[served[0].symbol],
            waker=self._room.box(name),
            reconcile_ms=milliseconds(self._settings.runtime.reconcile_s),
            **around,
        )

    def _ownership(self, settings: Settings) -> HostOwnership | None:
        """A lease where the settings name a store; processes of one test share no lock of the host."""
        return None if settings.ownership.is_local else ownership(settings, KEYS, self._clock)

    def _open_journal(self, gateway: str, settings: Settings) -> Journal:
        place, account = journal_place(settings), journal_account(settings)
        if isinstance(place, Path):
            opened: Journal = MortalJournal.open(place, account=account)
        else:
            opened = MortalDatabase.at(place, account=account)
        assert isinstance(opened, Mortal)
        self._journals[gateway] = opened
        return opened
