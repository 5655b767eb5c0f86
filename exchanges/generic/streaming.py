"""What a reader reads for, where ccxt has the sockets: a link for each connection, its streams up and down by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp

from exchanges.errors import Refusal, VenueError, VenueRefused
from exchanges.generic.calls import Calls
from exchanges.generic.exchange import exchange
from exchanges.generic.link import CcxtLink, Watch
from exchanges.port import StreamDown, StreamUp
from exchanges.session.ages import Ages
from exchanges.session.settings import AdapterSettings
from exchanges.session.subscription import Announce

Prepare = Callable[[], Awaitable[None]]
Take = Callable[[str, Any], Awaitable[None]]


class CcxtStreams:
    """Handler of one connection after the other; each has an exchange of its own with the markets of the first."""

    def __init__(
        self,
        calls: Calls,
        settings: AdapterSettings,
        watches: Sequence[Watch],
        *,
        ages: Ages,
        take: Take,
        announce: Announce,
        prepare: Prepare,
    ) -> None:
        self._calls = calls
        self._settings = settings
        self._watches = list(watches)
        self._names = list(dict.fromkeys(watch.ours for watch in watches))
        self._ages = ages
        self._take = take
        self._announce = announce
        self._prepare = prepare

    async def open(self) -> CcxtLink:
        """Connect and subscribe. Raises `VenueError`."""
        await self._prepare()
        session = aiohttp.ClientSession(connector=self._calls.policy.connector(), trust_env=False)
        made = exchange(self._calls.name, self._settings, self._calls.ground, session)
        made.open()  # some ask for their sockets' address before they open one
        made.set_markets_from_exchange(self._calls.exchange)
        made.markets_loading = self._calls.exchange.markets_loading
        link = CcxtLink(made, session, self._settings.socket_times, self._settings.monotonic_ns)
        try:
            await link.start(self._watches)
        except VenueRefused as refusal:
            await link.close()
            await self._mind_clock(refusal)
            raise
        except BaseException:
            await link.close()
            raise
        return link

    async def up(self) -> None:
        """Announce every stream of the connection."""
        for name in self._names:
            self._ages.heard(name)
            await self._announce(StreamUp(name=name))

    async def message(self, raw: Any) -> None:
        """Take one news of a stream."""
        name, news = raw
        self._ages.heard(name)
        await self._take(name, news)

    def retire(self) -> bool:
        """Nothing is asked on these sockets that would be waited for."""
        return True

    async def down(self, reason: str) -> None:
        """Announce the loss, also of an attempt that failed."""
        for name in self._names:
            await self._announce(StreamDown(name=name, reason=reason))

    async def _mind_clock(self, refusal: VenueRefused) -> None:
        if refusal.refusal is Refusal.CLOCK:
            try:
                await self._calls.measure_clock()
            except VenueError:
                return
