"""The routes of a simulated HashKey Global."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from exchanges.sim.hashkey import account_calls, market_calls, order_queries, trade_calls
from exchanges.sim.hashkey.language import HashkeyLanguage
from exchanges.sim.hashkey.streams import OWN
from exchanges.sim.hashkey.talk import Talk
from exchanges.sim.hashkey.venue import PRIVATE, PUBLIC, HashkeyVenue
from exchanges.sim.server.connection import Connection
from exchanges.sim.server.faults import FaultKind, Subject
from exchanges.sim.server.listeners import Session
from exchanges.sim.server.options import VenueOptions
from exchanges.sim.server.request import Endpoint
from exchanges.sim.server.rest import RestDoor
from exchanges.sim.server.road import Reply

ENDPOINTS: tuple[Endpoint[HashkeyVenue], ...] = (
    *market_calls.ENDPOINTS,
    *trade_calls.ENDPOINTS,
    *order_queries.ENDPOINTS,
    *account_calls.ENDPOINTS,
)
UNKNOWN = Reply(status=404, payload={"code": "-1020", "msg": "Unsupported operation"})


class HashkeyDoors:
    """The `Doors` of a simulated HashKey Global."""

    def __init__(self, options: VenueOptions, wall_ms: Callable[[], int]) -> None:
        self.venue = HashkeyVenue(options, wall_ms)
        language = HashkeyLanguage(self.venue)
        self._rest = RestDoor(self.venue, self.venue.quota, language, ENDPOINTS, unknown=UNKNOWN)

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add every route of the venue."""
        router.add_get(PUBLIC, self._serve_public)
        router.add_get(f"{PRIVATE}/{{key}}", self._serve_private)
        router.add_route("*", "/{path:.*}", self._rest.handle)

    def connections(self, path: str = "") -> list[Connection]:
        """Return the open sockets whose path starts so."""
        return self.venue.listeners.connections(path)

    async def stop(self) -> None:
        """Give up what is still on its way."""
        await self._rest.stop()

    async def _serve_public(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, PUBLIC)

    async def _serve_private(self, request: web.Request) -> web.StreamResponse:
        """Serve the stream of a listen key's account; who has none is turned away before there is a socket."""
        key = request.match_info["key"]
        account = self.venue.keys.account_of(key, self.venue.now_ms())
        refused = self.venue.strike(FaultKind.LOGIN_REFUSED, Subject(endpoints=("login",), path=PRIVATE))
        if not account or refused:
            return web.json_response({"code": "-1125", "msg": "This listenKey does not exist."}, status=401)
        return await self._serve(request, PRIVATE, account=account, key=key)

    async def _serve(self, request: web.Request, path: str, *, account: str = "", key: str = "") -> web.StreamResponse:
        behaviour = self.venue.behaviour
        socket = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=1 << 20)
        await socket.prepare(request)
        connection = self.venue.options.connection(socket, request, path=path)
        session = Session(connection=connection, account=account, topics={OWN} if account else set())
        connection.start(
            ping_interval_s=behaviour.ping_interval_s,
            pong_wait_s=behaviour.pong_wait_s,
            lifetime_s=behaviour.connection_lifetime_s,
        )
        self.venue.join(session, key)
        try:
            await connection.serve(Talk(self.venue, session).hear)
        finally:
            self.venue.leave(session)
        return socket
