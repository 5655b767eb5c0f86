"""The routes of a simulated KuCoin Futures."""

from __future__ import annotations

from collections.abc import Callable

import orjson
from aiohttp import web

from exchanges.sim.kucoinfutures import account_calls, market_calls, order_queries, trade_calls
from exchanges.sim.kucoinfutures.language import KucoinLanguage
from exchanges.sim.kucoinfutures.talk import Talk
from exchanges.sim.kucoinfutures.venue import PATH, KucoinVenue
from exchanges.sim.server.connection import Connection
from exchanges.sim.server.faults import FaultKind, Subject
from exchanges.sim.server.listeners import Session
from exchanges.sim.server.options import VenueOptions
from exchanges.sim.server.request import Endpoint
from exchanges.sim.server.rest import RestDoor
from exchanges.sim.server.road import Reply

ENDPOINTS: tuple[Endpoint[KucoinVenue], ...] = (
    *market_calls.ENDPOINTS,
    *trade_calls.ENDPOINTS,
    *order_queries.ENDPOINTS,
    *account_calls.ENDPOINTS,
)
UNKNOWN = Reply(status=404, payload={"code": "404000", "msg": "Url Not Found"})


class KucoinDoors:
    """The `Doors` of a simulated KuCoin Futures."""

    def __init__(self, options: VenueOptions, wall_ms: Callable[[], int]) -> None:
        self.venue = KucoinVenue(options, wall_ms)
        language = KucoinLanguage(self.venue)
        self._rest = RestDoor(self.venue, self.venue.quota, language, ENDPOINTS, unknown=UNKNOWN)

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add every route of the venue."""
        router.add_get(PATH, self._serve)
        router.add_route("*", "/{path:.*}", self._rest.handle)

    def connections(self, path: str = "") -> list[Connection]:
        """Return the open sockets whose path starts so."""
        return self.venue.listeners.connections(path)

    async def stop(self) -> None:
        """Give up what is still on its way."""
        await self._rest.stop()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        behaviour = self.venue.behaviour
        socket = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=1 << 20)
        await socket.prepare(request)
        account = self.venue.tokens.account_of(request.query.get("token", ""), self.venue.now_ms())
        refused = self.venue.strike(FaultKind.LOGIN_REFUSED, Subject(endpoints=("login",), path=request.path))
        if account is None or refused:
            told = {"id": "", "type": "error", "code": 401, "data": "token is expired"}
            await socket.send_str(orjson.dumps(told).decode())
            await socket.close()
            return socket
        # a private socket is named as such, so that the control can tell it from the public ones
        path = f"{PATH}/private" if account else PATH
        connection = self.venue.options.connection(socket, request, path=path)
        session = Session(connection=connection, account=account)
        connection.start(
            ping_interval_s=behaviour.ping_interval_s,
            pong_wait_s=behaviour.pong_wait_s,
            lifetime_s=behaviour.connection_lifetime_s,
        )
        talk = Talk(self.venue, session)
        self.venue.listeners.join(session)
        talk.welcome(request.query.get("connectId", ""))
        try:
            await connection.serve(talk.hear)
        finally:
            self.venue.listeners.leave(session)
        return socket
