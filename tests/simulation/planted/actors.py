"""Bugs in how actors take messages and come back from the dead."""

from __future__ import annotations

import pytest

from actors.mail.mailbox import Arrival, Mailbox
from actors.mail.messages import SetupWanted
from actors.virtual.gateway import VirtualGateway
from grid.errors import UnexpectedSignal
from grid.holds import Hold
from grid.intent import Standing, Told
from grid.slot_machine import Reaction, SlotMachine
from grid.window import MarketView, Window, WindowChange
from risk.lease import LeaseState
from risk.rules import RiskRules
from risk.supervisor import Supervisor
from tests.simulation.faults import Kind
from tests.simulation.planted.bug import Bug

MESSAGES = frozenset({Kind.MESSAGE_DELAY, Kind.MESSAGE_DROP, Kind.MESSAGE_DOUBLE, Kind.MESSAGE_REORDER})
CRASHES = frozenset({Kind.CRASH_BEFORE_COMMIT, Kind.CRASH_AFTER_COMMIT, Kind.CRASH_AFTER_COMMAND, Kind.KILL_GATEWAY})


def an_old_go_is_as_good_as_a_new_one(patch: pytest.MonkeyPatch) -> None:
    """The desk forgets that the supervisor's go expires."""
    patch.setattr("risk.lease.Lease.state", lambda self, now_ms: LeaseState.VALID)


def a_lost_word_is_never_said_again(patch: pytest.MonkeyPatch) -> None:
    """The gateway does not look at what a slot actor holds to be so."""
    patch.setattr("actors.virtual.gateway.states_missed", lambda known, book: None)


def a_double_breaks_its_receiver(patch: pytest.MonkeyPatch) -> None:
    """The mailbox takes every number that is not the next for one that was missing."""
    place = Mailbox._place

    def unguarded(known: object, sequence: int) -> Arrival:
        arrival = place(known, sequence)  # type: ignore[arg-type]
        if arrival is Arrival.DOUBLE:
            raise KeyError(sequence)
        return arrival

    patch.setattr(Mailbox, "_place", staticmethod(unguarded))


def an_overtaken_word_is_unthinkable(patch: pytest.MonkeyPatch) -> None:
    """A slot holds that the desk's words always come in order."""
    on_told = SlotMachine.on_told

    def trusting(self: SlotMachine, told: Told, standing: Standing, view: MarketView | None, now_ms: int) -> Reaction:
        if self.state is not None and told.state.version < self.state.version:
            raise UnexpectedSignal("the book went back")
        return on_told(self, told, standing, view, now_ms)

    patch.setattr(SlotMachine, "on_told", trusting)


def a_restarted_slot_is_not_told_what_it_held(patch: pytest.MonkeyPatch) -> None:
    """The gateway answers each actor's question for setup once."""
    set_up, served = VirtualGateway._set_up, set[tuple[int, str]]()

    def once(self: VirtualGateway, wanted: SetupWanted) -> None:
        key = (id(self), wanted.receiver)
        if not wanted.modulus or key not in served:
            served.add(key)
            set_up(self, wanted)

    patch.setattr(VirtualGateway, "_set_up", once)


def a_new_window_counts_from_one(patch: pytest.MonkeyPatch) -> None:
    """A restarted feed's views look older than those of the one before it."""
    on_price = Window.on_price

    def from_one(self: Window, price: int, now_ms: int) -> WindowChange:
        return on_price(self, price, 1 if self.view is None else now_ms)

    patch.setattr(Window, "on_price", from_one)


def a_restarted_supervisor_is_never_believed(patch: pytest.MonkeyPatch) -> None:
    """Each life of the supervisor takes itself for older than the one before."""
    begin = Supervisor.__init__

    def counting_down(self: Supervisor, rules: RiskRules, *, incarnation: int, holds: tuple[Hold, ...]) -> None:
        begin(self, rules, incarnation=(1 << 60) - incarnation, holds=holds)

    patch.setattr(Supervisor, "__init__", counting_down)


BUGS = (
    Bug(
        kind=Kind.MESSAGE_DELAY,
        plant=an_old_go_is_as_good_as_a_new_one,
        kin=frozenset({Kind.MESSAGE_DROP, Kind.KILL_RISK, Kind.MARKET_SHOCK, *CRASHES}),
    ),
    Bug(kind=Kind.MESSAGE_DROP, plant=a_lost_word_is_never_said_again, seeds=(15, 18, 38)),
    Bug(kind=Kind.MESSAGE_DOUBLE, plant=a_double_breaks_its_receiver),
    Bug(kind=Kind.MESSAGE_REORDER, plant=an_overtaken_word_is_unthinkable, kin=frozenset({Kind.KILL_SLOT})),
    Bug(kind=Kind.KILL_SLOT, plant=a_restarted_slot_is_not_told_what_it_held),
    Bug(kind=Kind.KILL_FEED, plant=a_new_window_counts_from_one),
    Bug(kind=Kind.KILL_RISK, plant=a_restarted_supervisor_is_never_believed),
)
