"""The gateway's hold on its account: takes the lease, renews it in the gateway's loop, and fences the wire by it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from actors.file_lock import FileLock
from actors.ownership.errors import AccountTaken, Fenced, LeaseForgotten
from actors.ownership.lease import Lease, LeasePhase
from actors.ownership.register import Claim, Held, Holder, Verdict
from actors.ownership.store import LeaseStore, StoreUnreachable
from actors.structured_log import log_of
from grid.errors import RefusedToStart

POLL_S = 0.5


class HostOwnership:
    """One writer among the processes of this host, by a lock that its holder's death releases; another is not seen.

    The part of ownership that needs no store. `is_patient`: waits for its turn instead of refusing.
    """

    def __init__(self, *, lock: Callable[[], FileLock] | None = None, is_patient: bool = False) -> None:
        self._take_lock = lock
        self._is_patient = is_patient
        self._lock: FileLock | None = None

    async def take(self, wait_for: Callable[[str], None]) -> None:
        """Return once the account is ours; raises `RefusedToStart`, naming who has it."""
        while self._take_lock is not None and self._lock is None:
            try:
                self._lock = self._take_lock()
            except RefusedToStart as refused:
                if not self._is_patient:
                    raise
                wait_for(str(refused))
                await asyncio.sleep(POLL_S)

    async def run(self) -> None:
        """Keep it; returns never, or raises `AccountTaken`."""
        await asyncio.Event().wait()

    def fence(self) -> None:
        """Raise `Fenced` unless a request whose time stamp was taken before may be written now."""

    @property
    def silence(self) -> str:
        """Why nothing may be sent now; empty while we may."""
        return ""

    def picture(self) -> dict[str, Any]:
        """Return what `status` shows."""
        return {"store": "local", "phase": LeasePhase.HOLDING.value}

    async def release(self) -> None:
        """Give it back: to be called once nothing is sent any more."""
        if self._lock is not None:
            self._lock.release()


class LeaseOwnership(HostOwnership):
    """One writer among all hosts that reach the store, by time bounds. Used from the gateway's loop."""

    def __init__(
        self,
        *,
        lock: Callable[[], FileLock],
        store: Callable[[], LeaseStore],
        lease: Lease,
        account: str,
        token: str,
        holder: Callable[[FileLock], Holder],
        now_ms: Callable[[], int],
        is_patient: bool = False,
    ) -> None:
        super().__init__(lock=lock, is_patient=is_patient)
        self._make_store = store
        self._store: LeaseStore | None = None
        self._lease = lease
        self._account = account
        self._token = token
        self._make_holder = holder
        self._holder: Holder | None = None
        self._now_ms = now_ms
        self._log = log_of("ownership")
        self._trouble = ""
        self._fenced = 0

    async def take(self, wait_for: Callable[[str], None]) -> None:
        """Return once the lease is held and its former holder waited out.

        An impatient claimant (one that is told to wait, or a gateway's new life behind its own former one, is patient)
        refuses as soon as he has seen the holder renew; one that no longer renews is dead or
        stopped, and its lease is waited for.
        """
        await super().take(wait_for)
        assert self._lock is not None
        self._store, self._holder = self._make_store(), self._make_holder(self._lock)
        seen: Held | None = None
        replaces = ""
        while True:
            verdict = await self._ask(replaces)
            if self._lease.begin(self._now_ms()):
                self._log.info("lease_taken", store=self._store.where)
                return
            replaces = ""
            if isinstance(verdict, Held) and verdict.holder is not None and verdict.token:
                # The lock is ours now, so whoever held it on this host is dead, and can renew and send no more.
                if verdict.holder.place == self._holder.place:
                    replaces = verdict.token
                    continue
                if seen is None or seen.token != verdict.token:
                    seen = verdict
                if verdict.renewals > seen.renewals and not self._waits_for(verdict.holder):
                    raise AccountTaken((self._taken(verdict.holder),))
            wait_for(self._what_it_waits_for(verdict))
            await asyncio.sleep(min(POLL_S, self._lease.terms.renew_every_ms / 1000))

    async def run(self) -> None:
        """Renew for ever; raises `AccountTaken` once another has it, `LeaseForgotten` where the store forgot us."""
        while True:
            await asyncio.sleep((self._lease.terms.renew_every_ms if not self._trouble else 200) / 1000)
            await self._ask()
            if self._lease.phase(self._now_ms()) is LeasePhase.LOST:
                raise self._loss(self._lease.rival)

    def fence(self) -> None:
        """Raise `Fenced` unless a request whose time stamp was taken before may be written now."""
        if not self._lease.may_send(self._now_ms()):
            self._fenced += 1
            raise Fenced

    @property
    def silence(self) -> str:
        """Why nothing may be sent now; empty while we may."""
        if self._lease.may_send(self._now_ms()):
            return ""
        return f"the lease on the account is not renewed: {self._trouble or 'the store was not asked in time'}"

    def picture(self) -> dict[str, Any]:
        """Return what `status` shows."""
        now_ms = self._now_ms()
        return {
            "store": self._store.where if self._store is not None else "",
            "phase": self._lease.phase(now_ms).value,
            "silent_in_ms": self._lease.silent_in_ms(now_ms),
            "fenced": self._fenced,
            "trouble": self._trouble,
        }

    async def release(self) -> None:
        """Give it back, so that the next need not wait for its end."""
        if self._store is not None:
            try:
                if self._lease.phase(self._now_ms()) is LeasePhase.HOLDING:
                    await self._store.release(self._account, self._token)
            except StoreUnreachable as error:
                self._log.warning("lease_not_released", why=str(error))
            await self._store.close()
        await super().release()

    async def _ask(self, replaces: str = "") -> Verdict | None:
        assert self._store is not None
        assert self._holder is not None
        terms, asked_ms = self._lease.terms, self._now_ms()
        claim = Claim(
            token=self._token,
            holder=self._holder,
            stage=self._lease.stage(asked_ms),
            lease_ms=terms.lease_ms,
            quarantine_ms=terms.quarantine_ms,
            replaces=replaces,
        )
        try:
            verdict = await self._store.claim(self._account, claim)
        except StoreUnreachable as error:
            if not self._trouble:
                self._log.warning("lease_not_renewed", why=str(error))
            self._trouble = str(error)
            return None
        self._trouble = ""
        self._lease.take(verdict, asked_ms=asked_ms, now_ms=self._now_ms())
        return verdict

    def _waits_for(self, holder: Holder) -> bool:
        assert self._holder is not None
        return self._is_patient or (holder.actor != "" and holder.actor == self._holder.actor)

    def _loss(self, rival: Held | None) -> Exception:
        assert self._holder is not None
        if rival is None or rival.holder is None or rival.holder.place == self._holder.place:
            return LeaseForgotten("the lease store was started anew after our lease had ended")
        return AccountTaken((f"{rival.holder} has taken over the account; nothing was sent since our lease ended",))

    def _what_it_waits_for(self, verdict: Verdict | None) -> str:
        assert self._store is not None
        match verdict:
            case None:
                return f"the lease store: {self._trouble}"
            case Held(holder=None):
                return f"the lease: {self._store.where} knows no holder, or has forgotten him"
            case Held(holder=Holder() as holder, token=""):
                return f"the lease: {self._store.where} was started anew and may have forgotten {holder}"
            case Held(holder=holder):
                return f"the lease of {holder} to end"
            case _:
                return "what a former holder has sent to be over"

    def _taken(self, holder: Holder) -> str:
        assert self._store is not None
        return (
            f"one deployment an account: {holder} has traded on it since {_utc(holder.since_ms)} and renews its lease "
            f"in {self._store.where}; stop it first, or wait for it: gridmesh run --live --standby CONFIG"
        )


def _utc(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
