"""The lease in a named actor of the cluster: one register for all, which grants nothing that it may have forgotten."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, Any

from actors.ownership.register import Claim, Granted, Held, Holder, Stage, Verdict
from actors.ownership.store import StoreUnreachable

if TYPE_CHECKING:
    from actors.runtime.cluster import Cluster
    from actors.runtime.lease_actor import ClusterLeases

LEASE_MS = 1_500
LONG_MS = 3_600_000
PATIENCE_S = 120.0
"""Longer than an answer takes: one that is given up was carried out all the same, and the next says something else."""


def claim(token: str, stage: Stage = Stage.NEW, *, lease_ms: int = LEASE_MS) -> Claim:
    """Return a claim for so long; a register that may have forgotten somebody grants nothing for as long."""
    holder = Holder(deployment=token, host="here", pid=7, since_ms=1)
    return Claim(token=token, holder=holder, stage=stage, lease_ms=lease_ms, quarantine_ms=lease_ms)


async def answered(store: ClusterLeases, wanted: Claim, account: str = "account") -> Verdict:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await store.claim(account, wanted)
            except StoreUnreachable:
                await asyncio.sleep(0.1)


async def granted(store: ClusterLeases, wanted: Claim) -> Granted:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            verdict = await answered(store, wanted)
            if isinstance(verdict, Granted):
                return verdict
            await asyncio.sleep(0.1)


async def test_the_register_keeps_one_holder_and_a_new_life_of_it_takes_only_his_word(cluster: Cluster) -> None:
    import ray

    from actors.runtime.lease_actor import NAME, NAMESPACE, ClusterLeases

    first, second = ClusterLeases(timeout_s=PATIENCE_S), ClusterLeases(timeout_s=PATIENCE_S)
    for _ in range(2):
        unknown = await answered(first, claim("a", lease_ms=LONG_MS), "another account")
        assert isinstance(unknown, Held), "it knows nothing yet"
    await granted(first, claim("a"))
    await answered(first, claim("a", Stage.HOLDING, lease_ms=LONG_MS))
    refused = await answered(second, claim("b"))
    assert isinstance(refused, Held)
    assert refused.holder == claim("a").holder

    register: Any = ray.get_actor(NAME, namespace=NAMESPACE)
    former: int = ray.get(register.process.remote())
    os.kill(former, signal.SIGKILL)
    forgotten = await answered(second, claim("b", lease_ms=LONG_MS))
    assert ray.get(register.process.remote()) != former
    assert isinstance(forgotten, Held)
    assert forgotten.holder is None
    assert await answered(first, claim("a", Stage.HOLDING)) == Granted()

    await first.release("account", "a")
    passed = await granted(second, claim("b"))
    assert passed.ended_ms_ago is not None
    ray.kill(register, no_restart=True)
