"""The lease in a named actor of the one cluster: a register that outlives its gateways, and forgets when it dies."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import ray
from ray.exceptions import RayError

from actors.clock import running_ms
from actors.ownership.register import Claim, Record, Verdict, judge, released
from actors.ownership.store import StoreUnreachable
from actors.runtime.actor_options import actor_options

NAME = "leases"
NAMESPACE = "gridmesh-leases"
"""One for all deployments of a cluster: they may share an account."""


class LeaseRegister:
    """Keeps the records in memory. A new life knows nothing, and grants nothing until all leases before it are over."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._life = f"{os.getpid()}.{running_ms()}"

    def claim(self, account: str, claim: Claim) -> Verdict:
        """Return the verdict."""
        verdict, kept = judge(self._records.get(account), claim, running_ms(), self._life)
        if kept is not None:
            self._records[account] = kept
        return verdict

    def release(self, account: str, token: str) -> None:
        """Give a lease back."""
        if (kept := released(self._records.get(account), token, running_ms())) is not None:
            self._records[account] = kept

    def process(self) -> int:
        """Return the process id."""
        return os.getpid()


class ClusterLeases:
    """The `LeaseStore` of one Ray cluster. Two clusters, or two halves of a torn one, are two stores: it joins none."""

    where = "the cluster's lease actor"

    def __init__(self, *, timeout_s: float = 2.0) -> None:
        self._timeout_s = timeout_s
        self._handle: Any = None

    async def claim(self, account: str, claim: Claim) -> Verdict:
        """Return the verdict."""
        verdict: Verdict = await self._ask("claim", account, claim)
        return verdict

    async def release(self, account: str, token: str) -> None:
        """Give a lease back."""
        await self._ask("release", account, token)

    async def close(self) -> None:
        """Nothing to close: the register outlives its claimants."""

    async def _ask(self, question: str, *arguments: Any) -> Any:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.to_thread(self._call, question, arguments)
        except (RayError, TimeoutError, ValueError) as error:
            self._handle = None
            raise StoreUnreachable(f"{self.where} does not answer ({type(error).__name__})") from None

    def _call(self, question: str, arguments: tuple[Any, ...]) -> Any:
        if self._handle is None:
            # Whoever comes first creates it; Ray starts it again where its node dies.
            self._handle = ray.remote(LeaseRegister).options(**actor_options(NAME, NAMESPACE)).remote()
        return ray.get(getattr(self._handle, question).remote(*arguments), timeout=self._timeout_s)
