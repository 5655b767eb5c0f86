"""The port behind which a lease lies where several hosts reach it."""

from __future__ import annotations

from typing import Protocol

from actors.ownership.register import Claim, Verdict
from grid.errors import GridmeshError


class StoreUnreachable(GridmeshError):
    """The store did not answer; whether it took the claim is unknown, which is harmless: claim again."""


class LeaseStore(Protocol):
    """Keeps one record for each account and judges claims by `register.judge`, atomically. Used from one loop."""

    @property
    def where(self) -> str:
        """Where it lies, for people; tells no password."""
        ...

    async def claim(self, account: str, claim: Claim) -> Verdict:
        """Return the verdict. Raises `StoreUnreachable`."""
        ...

    async def release(self, account: str, token: str) -> None:
        """Give a lease back; one that is not the token's stays. Raises `StoreUnreachable`."""
        ...

    async def close(self) -> None: ...
