"""Puts a gateway's ownership together from the settings."""

from __future__ import annotations

import os
import secrets
import socket
from functools import partial
from pathlib import Path

from actors.account_lock import hold_account
from actors.clock import Clock, running_ms
from actors.file_lock import FileLock
from actors.ownership.lease import Lease, LeaseTerms
from actors.ownership.ownership import HostOwnership, LeaseOwnership
from actors.ownership.register import Holder
from actors.ownership.stores import lease_store
from actors.settings.account import Settings
from actors.settings.credentials import account_mark
from actors.settings.venue import Credentials

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
TOKEN_BYTES = 16


def ownership(settings: Settings, credentials: Credentials, clock: Clock, *, actor: str = "") -> HostOwnership:
    """Return the ownership that the settings ask for; does no I/O."""
    lock = partial(hold_account, settings.venue, credentials)
    is_patient = settings.ownership.standby
    if settings.ownership.is_local or settings.is_paper:
        return HostOwnership(lock=lock, is_patient=is_patient)
    return LeaseOwnership(
        lock=lock,
        store=partial(lease_store, settings),
        lease=Lease(lease_terms(settings)),
        account=account_mark(settings.venue, credentials),
        token=secrets.token_hex(TOKEN_BYTES),
        holder=partial(_holder, settings.deployment, actor, clock.now_ms()),
        now_ms=running_ms,
        is_patient=is_patient,
    )


def lease_terms(settings: Settings) -> LeaseTerms:
    """Return the bounds that the settings name."""
    return LeaseTerms(
        lease_ms=int(settings.ownership.lease_s * 1000),
        skew_ms=int(settings.ownership.skew_s * 1000),
        recv_window_ms=settings.gateway.recv_window_ms,
    )


def _holder(deployment: str, actor: str, since_ms: int, lock: FileLock) -> Holder:
    return Holder(
        deployment=deployment,
        host=socket.gethostname(),
        pid=os.getpid(),
        since_ms=since_ms,
        place=_place(lock),
        actor=actor,
    )


def _place(lock: FileLock) -> str:
    """Return what is equal only for processes that share one host's life and one lock file; empty matches nobody."""
    try:
        boot = BOOT_ID.read_text().strip()
    except OSError:
        boot = secrets.token_hex(TOKEN_BYTES)  # unknown: nobody is proved dead by it
    return f"{boot} {lock.identity}"
