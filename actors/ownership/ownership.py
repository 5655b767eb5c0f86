"""The gateway's hold on its account: takes the lease, renews it in the gateway's loop, and fences the wire by it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from actors.file_lock import FileLock
from actors.ownership.claimant import Claimant
from actors.ownership.errors import Fenced
from actors.ownership.lease import Lease, LeasePhase
from actors.ownership.register import Holder
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
        self._claimant: Claimant | None = None
        self._now_ms = now_ms
        self._log = log_of("ownership")
        self._fenced = 0

    async def take(self, wait_for: Callable[[str], None]) -> None:
        """Return once the lease is held and its former holder waited out; raises what a `Claimant` does."""
        await super().take(wait_for)
        assert self._lock is not None
        self._store = self._make_store()
        self._claimant = claimant = Claimant(
            lease=self._lease,
            token=self._token,
            holder=self._make_holder(self._lock),
            where=self._store.where,
            is_patient=self._is_patient,
        )
        while True:
            await self._ask(claimant)
            if claimant.begin(self._now_ms()):
                self._log.info("lease_taken", store=self._store.where)
                return
            if pause_ms := claimant.pause_ms():
                wait_for(claimant.waits_for())
                await asyncio.sleep(pause_ms / 1000)

    async def run(self) -> None:
        """Renew for ever; raises `AccountTaken` once another has it, `LeaseForgotten` where the store forgot us."""
        assert self._claimant is not None
        while True:
            await asyncio.sleep(self._claimant.pause_ms() / 1000)
            await self._ask(self._claimant)

    def fence(self) -> None:
        """Raise `Fenced` unless a request whose time stamp was taken before may be written now."""
        if not self._lease.may_send(self._now_ms()):
            self._fenced += 1
            raise Fenced

    @property
    def silence(self) -> str:
        """Why nothing may be sent now; empty while we may."""
        if self._claimant is None:
            return "the lease on the account is not asked for yet"
        return self._claimant.silence(self._now_ms())

    def picture(self) -> dict[str, Any]:
        """Return what `status` shows."""
        now_ms = self._now_ms()
        return {
            "store": self._store.where if self._store is not None else "",
            "phase": self._lease.phase(now_ms).value,
            "silent_in_ms": self._lease.silent_in_ms(now_ms),
            "fenced": self._fenced,
            "trouble": self._claimant.trouble if self._claimant is not None else "",
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

    async def _ask(self, claimant: Claimant) -> None:
        assert self._store is not None
        asking = claimant.ask(self._now_ms())
        try:
            verdict = await self._store.claim(self._account, asking.claim)
        except StoreUnreachable as error:
            if not claimant.trouble:
                self._log.warning("lease_not_renewed", why=str(error))
            claimant.hear_nothing(str(error))
            return
        claimant.hear(asking, verdict, self._now_ms())
