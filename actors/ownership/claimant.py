"""A gateway's side of ownership from its first claim to its loss: what to ask, what to make of the answer. Pure.

Who drives it carries the claims to a store and tells the time; times are ms of a clock that also runs while the
machine is suspended. Live that is `LeaseOwnership`, in the simulation the virtual world.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from actors.ownership.errors import AccountTaken, LeaseForgotten
from actors.ownership.lease import Lease, LeasePhase
from actors.ownership.register import Claim, Held, Holder, Verdict

POLL_MS = 500
TROUBLED_MS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One claim and when it was made: the lease that it gets counts from there."""

    claim: Claim
    asked_ms: int


class Claimant:
    """One life of one gateway. One claim is under way at a time.

    An impatient claimant (one that is told to wait, or a gateway's new life behind its own former one, is patient)
    refuses as soon as he has seen the holder renew; one that no longer renews is dead or stopped, and his lease is
    waited for.
    """

    def __init__(self, *, lease: Lease, token: str, holder: Holder, where: str, is_patient: bool) -> None:
        self.lease = lease
        self._token = token
        self._holder = holder
        self._where = where
        self._is_patient = is_patient
        self._seen: Held | None = None
        self._replaces = ""
        self._has_begun = False
        self._heard: Verdict | None = None
        self.trouble = ""
        """Why the last claim got no answer; empty where it got one."""

    def ask(self, now_ms: int) -> Asking:
        """Return the next claim."""
        terms, replaces = self.lease.terms, self._replaces
        self._replaces = ""
        claim = Claim(
            token=self._token,
            holder=self._holder,
            stage=self.lease.stage(now_ms),
            lease_ms=terms.lease_ms,
            quarantine_ms=terms.quarantine_ms,
            replaces=replaces,
        )
        return Asking(claim=claim, asked_ms=now_ms)

    def hear(self, asking: Asking, verdict: Verdict, now_ms: int) -> None:
        """Take the store's answer.

        Raises `AccountTaken` where another has the account, `LeaseForgotten` where the store forgot us.
        """
        self.trouble, self._heard = "", verdict
        self.lease.take(verdict, asked_ms=asking.asked_ms, now_ms=now_ms)
        if self.lease.phase(now_ms) is LeasePhase.LOST:
            raise self._loss(self.lease.rival)
        if not self._has_begun and isinstance(verdict, Held):
            self._see(verdict)

    def hear_nothing(self, why: str) -> None:
        """Take note that a claim got no answer; whether the store took it is unknown."""
        self.trouble, self._heard = why, None

    def begin(self, now_ms: int) -> bool:
        """Return whether the lease is held and its former holder waited out; asked after every answer until it is."""
        self._has_begun = self._has_begun or self.lease.begin(now_ms)
        return self._has_begun

    def pause_ms(self) -> int:
        """Return how long to wait before the next claim."""
        renew_every_ms = self.lease.terms.renew_every_ms
        if self._has_begun:
            return TROUBLED_MS if self.trouble else renew_every_ms
        return 0 if self._replaces else min(POLL_MS, renew_every_ms)

    def silence(self, now_ms: int) -> str:
        """Return why nothing may be sent now; empty while we may."""
        if self.lease.may_send(now_ms):
            return ""
        return f"the lease on the account is not renewed: {self.trouble or 'the store was not asked in time'}"

    def waits_for(self) -> str:
        """Return what a claimant who has not begun waits for, in words."""
        match self._heard:
            case None:
                return f"the lease store: {self.trouble}"
            case Held(holder=None):
                return f"the lease: {self._where} knows no holder, or has forgotten him"
            case Held(holder=Holder() as holder, token=""):
                return f"the lease: {self._where} was started anew and may have forgotten {holder}"
            case Held(holder=holder):
                return f"the lease of {holder} to end"
            case _:
                return "what a former holder has sent to be over"

    def _see(self, held: Held) -> None:
        holder = held.holder
        if holder is None or not held.token:
            return
        if holder.place == self._holder.place:
            # This host's lock is ours now, so whoever held it here is dead, and can renew and send no more.
            self._replaces = held.token
            return
        if self._seen is None or self._seen.token != held.token:
            self._seen = held
        if held.renewals > self._seen.renewals and not self._may_wait_for(holder):
            raise AccountTaken((self._taken(holder),))

    def _may_wait_for(self, holder: Holder) -> bool:
        return self._is_patient or (holder.actor != "" and holder.actor == self._holder.actor)

    def _loss(self, rival: Held | None) -> Exception:
        if rival is None or rival.holder is None or rival.holder.place == self._holder.place:
            return LeaseForgotten("the lease store was started anew after our lease had ended")
        return AccountTaken((f"{rival.holder} has taken over the account; nothing was sent since our lease ended",))

    def _taken(self, holder: Holder) -> str:
        return (
            f"one deployment an account: {holder} has traded on it since {_utc(holder.since_ms)} and renews its lease "
            f"in {self._where}; stop it first, or wait for it: gridmesh run --live --standby CONFIG"
        )


class Silence:
    """Notices when a holder falls silent and when he may speak again, once each."""

    def __init__(self) -> None:
        self._word = ""

    def change(self, silence: str) -> tuple[bool, str] | None:
        """Return (whether a hold has to be put, why) where that has changed since the last look."""
        former, self._word = self._word, silence
        if bool(silence) == bool(former):
            return None
        return bool(silence), silence or "the lease on the account is renewed again"


def _utc(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
