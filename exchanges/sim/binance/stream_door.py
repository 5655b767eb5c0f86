"""The stream doors: three roots and the retired one, bare and combined, by path, query or SUBSCRIBE."""

from __future__ import annotations

import asyncio
from collections import deque

from aiohttp import WSCloseCode, web

from exchanges.sim.binance.sessions import StreamSession, converse
from exchanges.sim.binance.stream_names import Root
from exchanges.sim.binance.venue import Venue

MESSAGES_PER_SECOND_MAX = 10
_ROOTS = {"public": Root.PUBLIC, "market": Root.MARKET, "private": Root.PRIVATE}


def first_streams(request: web.Request) -> tuple[str, ...]:
    """Return the names that the address itself asks for: `/ws/a/b`, `?streams=a/b`, or `?listenKey=k`."""
    query = request.query
    names = request.match_info.get("names", "")
    joined = "/".join((names, query.get("streams", ""), query.get("listenKey", "")))
    return tuple(name for name in joined.split("/") if name)


class StreamDoor:
    """Serves stream sockets until they end."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    async def handle(self, request: web.Request) -> web.StreamResponse:
        behaviour = self._venue.behaviour
        socket = web.WebSocketResponse(autoping=False, autoclose=True, compress=False, max_msg_size=1 << 20)
        await socket.prepare(request)
        connection = self._venue.options.connection(socket, request, path=request.path)
        session = StreamSession(
            connection=connection,
            root=_ROOTS.get(request.match_info.get("root", ""), Root.LEGACY),
            is_combined=request.match_info["kind"] == "stream",
        )
        events = frozenset(name for name in request.query.get("events", "").split("/") if name)
        for name in first_streams(request):
            session.add(name, events)
        connection.start(
            ping_interval_s=behaviour.ping_interval_s,
            pong_wait_s=behaviour.pong_wait_s,
            lifetime_s=behaviour.connection_lifetime_s,
        )
        self._venue.hub.join(session)
        try:
            await connection.serve(_Talk(session, self._venue).hear)
        finally:
            self._venue.hub.leave(session)
        return socket


class _Talk:
    """Hears a client's requests and cuts one that talks too fast."""

    def __init__(self, session: StreamSession, venue: Venue) -> None:
        self._session = session
        self._venue = venue
        self._heard: deque[float] = deque(maxlen=MESSAGES_PER_SECOND_MAX)

    async def hear(self, text: str) -> None:
        now = asyncio.get_running_loop().time()
        if len(self._heard) == MESSAGES_PER_SECOND_MAX and now - self._heard[0] < 1.0:
            await self._session.connection.close(WSCloseCode.POLICY_VIOLATION, b"Too many requests")
            return
        self._heard.append(now)
        converse(self._session, text, self._venue.hub.refresh)
