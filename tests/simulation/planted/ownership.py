"""Bugs in who may write: the lease, the fence, the owner epoch, and what a successor reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from actors.ownership.claimant import Asking, Claimant
from actors.ownership.lease import Lease, LeaseTerms
from actors.ownership.register import Claim, Granted, Record, Verdict, judge
from actors.virtual.deployment import Deployment
from actors.virtual.gateway import VirtualGateway
from actors.virtual.journal import VirtualJournal
from actors.virtual.owner import VirtualOwner
from actors.virtual.stamp import Stamp
from actors.virtual.wire import Wire
from exchanges.desk.commands import Effects
from exchanges.desk.events import Event, Instant
from exchanges.order_desk import OrderDesk
from tests.simulation.faults import Kind
from tests.simulation.planted.bug import Bug, TraitBug
from tests.simulation.traits import Trait

STALLS = frozenset({Kind.OWNER_STALLS, Kind.STALL_AT_COMMIT, Kind.STALL_AT_WIRE, Kind.STALL_ASKING})
UNANSWERED = frozenset({Kind.STORE_CUT, Kind.STORE_FORGETS, Kind.STORE_LATE, Kind.STORE_LOST})
TAKE_OVERS = STALLS | {Kind.HOST_KILLED, Kind.STORE_CUT, Kind.STORE_FORGETS}
STANDBY = frozenset({Trait.STANDBY})


def a_successor_keeps_the_epoch(patch: pytest.MonkeyPatch) -> None:
    """Only the first owner raises the epoch."""
    begin = OrderDesk.begin

    def first_only(self: VirtualJournal) -> int:
        self.owner_epoch = 1
        return 1

    def unasked(self: OrderDesk, owner_epoch: int, records: Iterable[Any], now: Instant) -> Effects:
        self.book.owner_epoch = 0
        return begin(self, owner_epoch, records, now)

    patch.setattr(VirtualJournal, "raise_owner_epoch", first_only)
    patch.setattr(OrderDesk, "begin", unasked)


def the_fence_is_asked_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    """Whether anything may be written is judged when an event comes in, not when something is written."""
    on_event, write, noted = VirtualGateway.on_event, Wire.write, dict[str, bool]()

    def noting(self: VirtualGateway, event: Event) -> None:
        if self._owner is not None and not self._process.is_stopped:
            noted[self._owner.token] = self._owner.may_send()
        on_event(self, event)

    def believing(self: Wire, one: Callable[[Stamp], None], refused: Callable[[Any], None]) -> None:
        owner = self._owner
        if owner is None:
            write(self, one, refused)
            return
        with pytest.MonkeyPatch.context() as still:
            still.setattr(owner, "may_send", lambda: noted.get(owner.token, False))
            write(self, one, refused)

    patch.setattr(VirtualGateway, "on_event", noting)
    patch.setattr(Wire, "write", believing)


def a_request_is_stamped_when_it_is_written(patch: pytest.MonkeyPatch) -> None:
    """The time stamp is taken after the fence."""
    write = Wire.write

    def stamping(self: Wire, one: Callable[[Stamp], None], refused: Callable[[Any], None]) -> None:
        write(self, lambda stamp: one(replace(stamp, at_ms=self._process.now_ms)), refused)

    patch.setattr(Wire, "write", stamping)


def a_lease_counts_from_its_answer(patch: pytest.MonkeyPatch) -> None:
    """Its end is judged by the time at which the answer is heard."""
    hear = Claimant.hear

    def late(self: Claimant, asking: Asking, verdict: Verdict, now_ms: int) -> None:
        hear(self, replace(asking, asked_ms=now_ms), verdict, now_ms)

    patch.setattr(Claimant, "hear", late)


def a_lease_counts_from_halfway(patch: pytest.MonkeyPatch) -> None:
    """The store is taken to have granted it in the middle between the asking and the answer."""
    hear = Claimant.hear

    def halved(self: Claimant, asking: Asking, verdict: Verdict, now_ms: int) -> None:
        hear(self, replace(asking, asked_ms=(asking.asked_ms + now_ms) // 2), verdict, now_ms)

    patch.setattr(Claimant, "hear", halved)


def the_book_is_read_when_the_wait_begins(patch: pytest.MonkeyPatch) -> None:
    """A standby reads the journal, and then waits for the account."""
    claim, begin, noted = Deployment._claim, VirtualGateway.__init__, dict[str, int]()

    def noting(self: Deployment, *given: Any) -> VirtualOwner:
        owner = claim(self, *given)
        noted[owner.token] = len(self._around.journal.rows)
        return owner

    def early(self: VirtualGateway, **given: Any) -> None:
        journal, owner = given["journal"], given["owner"]
        rows = journal.rows
        journal.rows = rows[: noted[owner.token]] if owner is not None else rows
        begin(self, **given)
        journal.rows = rows

    patch.setattr(Deployment, "_claim", noting)
    patch.setattr(VirtualGateway, "__init__", early)


def only_answers_end_a_lease(patch: pytest.MonkeyPatch) -> None:
    """A holder takes no note of the time that passes without a renewal."""
    patch.setattr(Lease, "may_send", lambda self, now_ms: self._has_begun and not self._is_lost)


def a_store_that_knows_nothing_grants(patch: pytest.MonkeyPatch) -> None:
    """A store that was started anew takes it that nobody held anything."""

    def quick(record: Record | None, claim: Claim, now_ms: int, life: str) -> tuple[Verdict, Record | None]:
        if record is not None and record.life == life:
            return judge(record, claim, now_ms, life)
        kept = Record(token=claim.token, holder=claim.holder, ends_ms=now_ms + claim.lease_ms, renewals=0, life=life)
        return Granted(), kept

    patch.setattr("actors.virtual.leases.judge", quick)


def no_answer_is_a_yes(patch: pytest.MonkeyPatch) -> None:
    """A claim without an answer counts as granted."""
    ask, asked_ms = Claimant.ask, dict[int, int]()

    def noting(self: Claimant, now_ms: int) -> Asking:
        asked_ms[id(self)] = now_ms
        return ask(self, now_ms)

    def content(self: Claimant, why: str) -> None:
        self.lease.take(Granted(), asked_ms=asked_ms[id(self)], now_ms=asked_ms[id(self)])

    patch.setattr(Claimant, "ask", noting)
    patch.setattr(Claimant, "hear_nothing", content)


def all_clocks_agree(patch: pytest.MonkeyPatch) -> None:
    """Nothing is left for clocks that run apart."""
    patch.setattr(LeaseTerms, "silence_ms", property(lambda self: self.recv_window_ms))


def everybody_is_granted(patch: pytest.MonkeyPatch) -> None:
    """The store says yes to whoever asks."""

    def generous(record: Record | None, claim: Claim, now_ms: int, life: str) -> tuple[Verdict, Record | None]:
        return Granted(), judge(record, claim, now_ms, life)[1]

    patch.setattr("actors.virtual.leases.judge", generous)


BUGS = (
    Bug(kind=Kind.OWNER_STALLS, plant=a_successor_keeps_the_epoch, kin=TAKE_OVERS, traits=STANDBY),
    Bug(kind=Kind.STALL_AT_COMMIT, plant=the_fence_is_asked_before_the_commit, traits=STANDBY),
    Bug(kind=Kind.STALL_AT_WIRE, plant=a_request_is_stamped_when_it_is_written, traits=STANDBY),
    Bug(
        kind=Kind.STALL_ASKING,
        plant=a_lease_counts_from_its_answer,
        kin=STALLS | {Kind.STORE_LATE},
        traits=STANDBY,
    ),
    Bug(kind=Kind.HOST_KILLED, plant=the_book_is_read_when_the_wait_begins, kin=TAKE_OVERS, traits=STANDBY),
    Bug(kind=Kind.STORE_CUT, plant=only_answers_end_a_lease, kin=STALLS | UNANSWERED, traits=STANDBY),
    Bug(kind=Kind.STORE_FORGETS, plant=a_store_that_knows_nothing_grants, traits=STANDBY),
    Bug(kind=Kind.STORE_LATE, plant=a_lease_counts_from_halfway, kin=STALLS, traits=STANDBY),
    Bug(kind=Kind.STORE_LOST, plant=no_answer_is_a_yes, kin=STALLS | UNANSWERED, traits=STANDBY),
    Bug(kind=Kind.CLOCKS_APART, plant=all_clocks_agree, traits=STANDBY),
)
TRAIT_BUGS = (TraitBug(trait=Trait.STANDBY, plant=everybody_is_granted),)
