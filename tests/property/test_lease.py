"""Leases over clocks that disagree, pauses, cuts, lost answers and forgetful stores: one writer at any true time."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from actors.ownership.lease import Lease, LeasePhase, LeaseTerms
from actors.ownership.register import Claim, Granted, Held, Holder, Record, Stage, Verdict, judge, released

SKEW_MS = 2_000
TERMS = LeaseTerms(lease_ms=12_000, skew_ms=SKEW_MS, recv_window_ms=2_000, margin_ms=500)
PEOPLE = 3


@dataclass
class Claimant:
    """One gateway, life after life: its clocks, its lease, and what it has under way."""

    name: int
    rate_ppm: int
    venue_error_ms: int
    life: int = 0
    epoch: int = 0
    lease: Lease = field(default_factory=lambda: Lease(TERMS))
    is_paused: bool = False
    is_cut: bool = False
    is_off: bool = False
    stamp_ms: int | None = None
    """Time stamp of a request that was signed, before the fence is asked."""
    written: list[tuple[int, int]] = field(default_factory=list)
    """(time stamp, epoch) of requests that passed the fence and have not arrived."""
    answer: tuple[int, Verdict] | None = None
    """(own time of the asking, verdict) that lies in the socket."""
    is_unheard: bool = False
    """The store takes what it says, and no answer comes back."""
    replaces: str = ""
    """The token of a former life on its host, which the store named."""

    def clock(self, true_ms: int) -> int:
        return true_ms + true_ms * self.rate_ppm // 1_000_000 + self.name * 3_600_000

    @property
    def token(self) -> str:
        return f"{self.name}.{self.life}"


WHO = st.integers(0, PEOPLE - 1)
STEP_MS = 500
DRIFT_PPM = SKEW_MS // 4 * 1_000_000 // (2 * TERMS.lease_ms)


class Leases(RuleBasedStateMachine):
    """Three claimants that all want it, one store, and one venue that refuses what is older than its window.

    Claimants' clocks run apart, the store's clock steps and the venue's time is misjudged, all inside the bound.
    """

    def __init__(self) -> None:
        super().__init__()
        self.people = [
            Claimant(name=number, rate_ppm=(number - 1) * DRIFT_PPM, venue_error_ms=(number - 1) * SKEW_MS // 4)
            for number in range(PEOPLE)
        ]
        self.true_ms = 1_000_000
        self.store_step_ms = 0
        self.record: Record | None = None
        self.saved: Record | None = None
        self.store_life = 0
        self.epoch = 0
        self.ends_ms = dict.fromkeys(range(PEOPLE), 0)
        """By claimant: when the last lease that the store granted ends in true time, whether or not it was heard of."""
        self.accepted: list[int] = []
        """Epochs of what the venue took, in its order."""

    @initialize()
    def somebody_holds_it(self) -> None:
        for one in self.people[1:]:
            one.is_off = True
        self.time_passes(40)
        assert self.epoch == 1, "nobody came to hold it"
        for one in self.people[1:]:
            one.is_off = False

    @rule(steps=st.integers(1, 60))
    def time_passes(self, steps: int) -> None:
        """Everybody who can does what a gateway does: claims, begins, signs, asks the fence, writes."""
        for _ in range(steps):
            self.true_ms += STEP_MS
            for one in self.people:
                self._sign(one)
                self._ask_and_hear(one)
                self._begin(one)
                self._write(one)
            self._arrive()
            self._see_one_writer()

    @rule(who=WHO, steps=st.integers(1, 60), has_asked=st.booleans())
    def pauses(self, who: int, steps: int, has_asked: bool) -> None:
        """It stops between asking and hearing, between signing and the fence; then it goes on where it stood."""
        one = self.people[who]
        self._sign(one)
        if has_asked:
            self._ask(one)
        one.is_paused = True
        self.time_passes(steps)
        one.is_paused = False
        if one.answer is not None:
            self._hear(one)
        self._write(one)
        self._see_one_writer()

    @rule(who=WHO, steps=st.integers(1, 4))
    def writes_and_the_network_is_slow(self, who: int, steps: int) -> None:
        """What passed the fence arrives later, which the venue judges by its time stamp."""
        one = self.people[who]
        self._sign(one)
        self._write(one)
        late, one.written = one.written, []
        self.time_passes(steps)
        one.written += late
        self._arrive()

    @rule(who=WHO, is_on=st.booleans())
    def is_cut_off_from_the_store(self, who: int, is_on: bool) -> None:
        self.people[who].is_cut = is_on

    @rule(who=WHO, is_on=st.booleans())
    def is_switched_off(self, who: int, is_on: bool) -> None:
        self.people[who].is_off = is_on

    @rule(who=st.integers(0, PEOPLE), steps=st.integers(20, 70))
    def one_is_alone(self, who: int, steps: int) -> None:
        """Everybody else, or everybody, is off; what it was cut off from is back."""
        for one in self.people:
            one.is_off = one.name != who
            one.is_cut = one.is_cut and one.is_off
        self.time_passes(steps)
        for one in self.people:
            one.is_off = False

    @rule(who=WHO, steps=st.integers(1, 4))
    def hears_no_answer(self, who: int, steps: int) -> None:
        """What it claims arrives, and it does not learn what the store made of it."""
        self.people[who].is_unheard = True
        self.time_passes(steps)
        self.people[who].is_unheard = False

    @rule(who=WHO, is_in_order=st.booleans())
    def starts_anew(self, who: int, is_in_order: bool) -> None:
        """It dies with what it has under way; the next life on its host replaces it at once."""
        self._end_life(self.people[who], is_in_order=is_in_order)

    @rule(who=WHO, whose=WHO, steps=st.integers(1, 24), is_unheard=st.booleans())
    def dies_in_the_middle_of_a_take_over(self, who: int, whose: int, steps: int, is_unheard: bool) -> None:
        """One comes for what another can no longer renew; it misses answers or dies soon after, and comes again."""
        self.people[whose].is_cut = True
        self.time_passes(steps)
        if is_unheard:
            self.hears_no_answer(who, 2)
        else:
            self._end_life(self.people[who])
            self.time_passes(4)
        self.people[whose].is_cut = False

    @rule(step_ms=st.integers(-SKEW_MS // 8, SKEW_MS // 8))
    def store_clock_steps(self, step_ms: int) -> None:
        self.store_step_ms = step_ms

    @rule()
    def store_saves(self) -> None:
        self.saved = self.record

    @rule(is_empty=st.booleans())
    def store_forgets(self, is_empty: bool) -> None:
        """It is started anew, with nothing or with an old copy."""
        self.store_life += 1
        self.record = None if is_empty else self.saved

    @invariant()
    def the_venue_takes_nothing_of_a_former_writer(self) -> None:
        assert self.accepted == sorted(self.accepted), f"an earlier writer after a later one: {self.accepted[-8:]}"

    def _see_one_writer(self) -> None:
        may = [one.name for one in self.people if one.lease.may_send(one.clock(self.true_ms))]
        assert len(may) <= 1, f"{may} may all send at {self.true_ms}"

    def _sign(self, one: Claimant) -> None:
        if self._acts(one) and one.epoch:
            one.stamp_ms = self.true_ms + one.venue_error_ms

    def _write(self, one: Claimant) -> None:
        if self._acts(one) and one.stamp_ms is not None and one.lease.may_send(one.clock(self.true_ms)):
            one.written.append((one.stamp_ms, one.epoch))
        one.stamp_ms = one.stamp_ms if one.is_paused else None

    def _arrive(self) -> None:
        for one in self.people:
            self.accepted += [epoch for at_ms, epoch in one.written if self.true_ms <= at_ms + TERMS.recv_window_ms]
            one.written = []

    def _ask_and_hear(self, one: Claimant) -> None:
        if self._acts(one) and not one.is_cut:
            self._ask(one)
            self._hear(one)

    def _ask(self, one: Claimant) -> None:
        own_ms = one.clock(self.true_ms)
        stage = one.lease.stage(own_ms)
        if one.is_cut or one.is_off:
            return
        store_ms = self.true_ms + self.store_step_ms
        replaces, one.replaces = one.replaces, ""
        verdict, kept = judge(self.record, claim(one.token, stage, replaces), store_ms, str(self.store_life))
        self.record = kept or self.record
        if isinstance(verdict, Granted):
            self.ends_ms[one.name] = self.true_ms + TERMS.lease_ms
        one.answer = (own_ms, verdict) if not one.is_unheard else None

    def _hear(self, one: Claimant) -> None:
        if one.answer is not None:
            asked_ms, verdict = one.answer
            one.lease.take(verdict, asked_ms=asked_ms, now_ms=one.clock(self.true_ms))
            one.answer = None
            if isinstance(verdict, Held) and verdict.token.partition(".")[0] == str(one.name):
                one.replaces = verdict.token
        if one.lease.phase(one.clock(self.true_ms)) is LeasePhase.LOST:
            self._end_life(one)

    def _begin(self, one: Claimant) -> None:
        if self._acts(one) and not one.epoch and one.lease.begin(one.clock(self.true_ms)):
            self.epoch += 1
            one.epoch = self.epoch
            others_ms = max(ends_ms for name, ends_ms in self.ends_ms.items() if name != one.name)
            waited_ms = self.true_ms - others_ms
            assert waited_ms >= TERMS.recv_window_ms, f"{one.token} begins {waited_ms} ms after another's lease"

    def _end_life(self, one: Claimant, *, is_in_order: bool = False) -> None:
        """A life ends; one in order gives its lease back when nothing of it is on its way any more."""
        kept = released(self.record, one.token, self.true_ms + self.store_step_ms)
        if is_in_order and not one.is_cut and not one.written and kept is not None:
            self.record, self.ends_ms[one.name] = kept, min(self.true_ms, self.ends_ms[one.name])
        one.life, one.epoch, one.lease = one.life + 1, 0, Lease(TERMS)
        one.stamp_ms, one.answer, one.replaces = None, None, ""

    @staticmethod
    def _acts(one: Claimant) -> bool:
        return not one.is_paused and not one.is_off


TestLeases = Leases.TestCase
TestLeases.settings = settings(max_examples=200, stateful_step_count=20, deadline=None)


def claim(token: str, stage: Stage = Stage.NEW, replaces: str = "") -> Claim:
    holder = Holder(deployment=token, host="h", pid=1, since_ms=0)
    return Claim(
        token=token, holder=holder, stage=stage, lease_ms=12_000, quarantine_ms=TERMS.quarantine_ms, replaces=replaces
    )


def test_an_empty_store_waits_for_those_it_may_have_forgotten_but_takes_a_holder_s_word() -> None:
    verdict, kept = judge(None, claim("b"), 0, "1")
    assert verdict == Held(holder=None, token="", left_ms=14_000, renewals=0)

    again, held = judge(kept, claim("a", Stage.HOLDING), 100, "1")
    assert again == Granted()
    refused, _ = judge(held, claim("b"), 14_001 - 2_000, "1")
    assert isinstance(refused, Held)
    assert refused.holder == claim("a").holder


def test_who_has_lapsed_is_granted_nothing_that_another_may_have_had() -> None:
    _, kept = judge(None, claim("x"), 0, "1")
    _, kept = judge(kept, claim("b"), 14_000, "1")

    lapsed, unchanged = judge(kept, claim("a", Stage.LAPSED), 90_000, "1")
    assert isinstance(lapsed, Held)
    assert unchanged is None


def test_a_lease_counts_from_the_asking_and_ends_before_its_end() -> None:
    lease = Lease(TERMS)
    lease.take(Granted(), asked_ms=1_000, now_ms=3_000)
    assert lease.begin(3_000)

    assert lease.may_send(1_000 + 12_000 - 4_000 - 1)
    assert not lease.may_send(1_000 + 12_000 - 4_000)
    assert lease.phase(9_000) is LeasePhase.SILENT


def test_a_successor_waits_out_what_may_still_arrive() -> None:
    lease = Lease(TERMS)
    lease.take(Granted(ended_ms_ago=1_000), asked_ms=0, now_ms=100)

    assert lease.phase(100) is LeasePhase.WAITING_OUT
    assert not lease.begin(100 + 4_500 - 1_000 - 1)
    assert lease.begin(100 + 4_500 - 1_000)


def test_what_a_former_holder_may_have_sent_is_waited_out_whoever_hears_that_he_ended() -> None:
    _, kept = judge(None, claim("a", Stage.HOLDING), 0, "1")

    first, taken = judge(kept, claim("b"), 12_100, "1")
    unheard, again = judge(taken, claim("b"), 12_600, "1")
    replaced, third = judge(again, claim("c", replaces="b"), 13_000, "1")
    assert (first, unheard, replaced) == (
        Granted(ended_ms_ago=100),
        Granted(ended_ms_ago=600),
        Granted(ended_ms_ago=1_000),
    )

    assert third is not None
    assert Record.loads(third.dumps()) == third
    begun, kept = judge(third, claim("c", Stage.HOLDING), 17_000, "1")
    assert begun == Granted()
    assert kept is not None
    assert b"former" not in kept.dumps()  # as versions without it wrote it, and read it
    assert Record.loads(kept.dumps()) == kept
    assert judge(kept, claim("d", replaces="c"), 17_100, "1")[0] == Granted()


def test_a_dead_holder_of_this_host_is_replaced_at_once_and_a_released_lease_is_remembered() -> None:
    _, kept = judge(None, claim("a", Stage.HOLDING), 0, "1")

    at_once, taken = judge(kept, claim("b", replaces="a"), 10, "1")
    assert at_once == Granted()
    assert taken is not None
    given_back = released(taken, "b", 500)
    later, _ = judge(given_back, claim("c"), 700, "1")
    assert later == Granted(ended_ms_ago=200)
    assert released(taken, "a", 500) is None


def passed_on(*claims: tuple[int, Claim]) -> tuple[Verdict, Record | None]:
    """Let a holder's lease end at 12 s, and judge what others claim afterwards."""
    _, kept = judge(None, claim("a", Stage.HOLDING), 0, "1")
    verdict: Verdict = Granted()
    for at_ms, one in claims:
        verdict, changed = judge(kept, one, at_ms, "1")
        kept = changed or kept
    return verdict, kept


def test_who_did_not_hear_that_he_was_granted_waits_for_the_former_holder_all_the_same() -> None:
    verdict, _ = passed_on((12_100, claim("b")), (12_600, claim("b")))

    lease = Lease(TERMS)
    lease.take(verdict, asked_ms=12_600, now_ms=12_600)
    assert not lease.begin(12_000 + TERMS.wait_out_ms - 1)
    assert lease.begin(12_000 + TERMS.wait_out_ms)


def test_who_replaces_a_claimant_that_died_in_its_wait_waits_for_the_rest_of_it() -> None:
    verdict, _ = passed_on((12_100, claim("b.1")), (12_600, claim("b.1")), (13_000, claim("b.2", replaces="b.1")))

    lease = Lease(TERMS)
    lease.take(verdict, asked_ms=13_000, now_ms=13_000)
    assert not lease.begin(12_000 + TERMS.wait_out_ms - 1)
    assert lease.begin(12_000 + TERMS.wait_out_ms)


def test_who_slept_in_his_wait_waits_for_whoever_came_meanwhile() -> None:
    lease = Lease(TERMS)
    lease.take(Granted(ended_ms_ago=100), asked_ms=0, now_ms=0)  # and he sleeps; another is granted, and goes silent

    lease.take(Granted(ended_ms_ago=200), asked_ms=40_000, now_ms=40_000)

    assert not lease.begin(40_000 + TERMS.wait_out_ms - 200 - 1)
    assert lease.begin(40_000 + TERMS.wait_out_ms - 200)


def test_who_replaces_one_that_had_waited_begins_at_once() -> None:
    verdict, _ = passed_on((12_100, claim("b.1")), (20_000, claim("b.1")), (20_100, claim("b.2", replaces="b.1")))

    lease = Lease(TERMS)
    lease.take(verdict, asked_ms=20_100, now_ms=20_100)
    assert lease.begin(20_100)
