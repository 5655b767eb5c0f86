"""The gateway's dealings with its ownership: a fence at the wire, a hold at the desk, an end once it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from actors.ownership.claimant import Silence
from actors.ownership.errors import AccountTaken
from actors.ownership.ownership import HostOwnership
from exchanges.desk.events import Event, HoldAsked
from exchanges.port import TradingVenue
from grid.holds import HoldCause


class Owning:
    """Takes the account, keeps it, and says at the desk when it does not hold it for the moment."""

    def __init__(self, ownership: HostOwnership, on_event: Callable[[Event], None]) -> None:
        self._ownership = ownership
        self._on_event = on_event
        self._renewing: asyncio.Task[None] | None = None
        self._silence = Silence()
        self._loss: asyncio.Future[None] | None = None

    async def take(self, venue: TradingVenue, wait_for: Callable[[str], None]) -> None:
        """Return once the account is ours, renewed from now on, and every write to the venue fenced by it."""
        venue.fence_by(self._ownership.fence)
        await self._ownership.take(wait_for)
        self._renewing = asyncio.create_task(self._ownership.run())
        self._loss = asyncio.get_running_loop().create_future()

    def lose(self, why: str) -> None:
        """The account is another's: the journal says so."""
        if self._loss is not None and not self._loss.done():
            self._loss.set_exception(AccountTaken((f"another deployment has taken over the account: {why}",)))

    async def while_held(self, *tasks: Coroutine[Any, Any, None]) -> None:
        """Run the tasks; they end, and `AccountTaken` is raised, once another may have the account."""
        taken: AccountTaken | None = None
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep())
                for task in tasks:
                    group.create_task(task)
        except* AccountTaken as found:
            taken = next(one for one in found.exceptions if isinstance(one, AccountTaken))
        if taken is not None:
            raise taken

    async def _keep(self) -> None:
        assert self._renewing is not None
        assert self._loss is not None
        done, _ = await asyncio.wait((self._renewing, self._loss), return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            one.result()

    def look(self) -> None:
        """Put the hold `lease` where nothing may be sent, and lift it where it may again; to be called often."""
        change = self._silence.change(self._ownership.silence)
        if change is not None:
            is_put, reason = change
            self._on_event(HoldAsked(cause=HoldCause.LEASE, symbol="", is_put=is_put, reason=reason))

    def picture(self) -> dict[str, Any]:
        """Return what `status` shows."""
        return self._ownership.picture()

    async def close(self) -> None:
        """Give the account back; nothing is sent any more when this is called."""
        if self._loss is not None:
            self._loss.cancel()
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        await self._ownership.release()
