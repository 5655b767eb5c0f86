"""REST of a protocol that is a table of addresses: found, signed, counted, carried, answered in the venue's words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web

from exchanges.sim.refusal import Refused
from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.faults import FaultKind, Strike, Subject
from exchanges.sim.server.keys import ApiKey
from exchanges.sim.server.quota import OverQuota, Quota
from exchanges.sim.server.request import ApiError, Endpoint, Malformed, Request
from exchanges.sim.server.road import Reply, Road, deliver

V = TypeVar("V", bound=VenueCore)


class Language(Protocol):
    """What a venue says, and how it knows who speaks."""

    def authenticate(self, request: Request) -> ApiKey: ...

    def answer(self, data: Any) -> Reply: ...

    def refusal(self, error: ApiError) -> Reply: ...

    def refused(self, refusal: Refused) -> ApiError: ...

    def malformed(self, error: Malformed) -> ApiError: ...

    def over_quota(self) -> ApiError: ...

    def faulty(self, kind: FaultKind, strike: Strike) -> ApiError:
        """Return the words for a fault of `road.Words` other than a limit."""
        ...

    def headers(self, request: Request, endpoint: Endpoint[Any]) -> dict[str, str]: ...

    def about(self, request: Request) -> tuple[str, str]:
        """Return the engine's symbol and the client id that a request is about; empty where it names none."""
        ...


class RestDoor(Generic[V]):
    """Serves every address of the table, and says that there is no other."""

    def __init__(
        self, venue: V, quota: Quota, language: Language, endpoints: Sequence[Endpoint[V]], *, unknown: Reply
    ) -> None:
        self._venue = venue
        self._quota = quota
        self._language = language
        self._endpoints = endpoints
        self._unknown = unknown
        self._road = Road(venue)

    async def stop(self) -> None:
        await self._road.stop()

    async def handle(self, http: web.Request) -> web.StreamResponse:
        found = await self._read(http)
        reply = self._unknown if found is None else await self._carry(*found)
        return await deliver(http, reply, hang_s=self._venue.behaviour.hang_s)

    async def _read(self, http: web.Request) -> tuple[Endpoint[V], Request] | None:
        body = (await http.read()).decode("utf-8", "replace")
        query = dict(parse_qsl(http.rel_url.raw_query_string, keep_blank_values=True))
        given = {**query, **_decoded(body, http.content_type)}
        for endpoint in self._endpoints:
            parts = endpoint.parts_of(http.method, http.path)
            name, value = endpoint.when
            if parts is None or (name and given.get(name) != value):
                continue
            return endpoint, Request(
                action=endpoint.action,
                method=http.method,
                path=http.path,
                target=http.raw_path,
                body=body,
                headers=http.headers,
                host=http.host,
                params={**given, **parts},
                peer=http.remote or "127.0.0.1",
                received_ms=self._venue.now_ms(),
            )
        return None

    async def _carry(self, endpoint: Endpoint[V], request: Request) -> Reply:
        try:
            request = self._admit(endpoint, request)
        except ApiError as error:
            return self._refuse(error)
        except Malformed as error:
            return self._refuse(self._language.malformed(error))
        except OverQuota:
            reply = self._refuse(self._language.over_quota())
            reply.headers.update(self._language.headers(request, endpoint))
            return reply
        request = request.about(self._subject(endpoint, request))
        reply = await self._road.carry(
            request.subject,
            lambda: self._act(endpoint, request),
            lambda kind, strike: self._language.refusal(self._words(kind, strike, request)),
            is_exempt="cancel" in request.action,
        )
        reply.headers.update(self._language.headers(request, endpoint))
        return reply

    def _admit(self, endpoint: Endpoint[V], request: Request) -> Request:
        self._quota.check_ban(request.peer, request.received_ms)
        if endpoint.is_signed:
            request = request.by(self._language.authenticate(request).account)
        for kind in endpoint.kinds:
            self._quota.charge(kind, request.account or request.peer, request.received_ms, endpoint.weight)
        return request

    def _act(self, endpoint: Endpoint[V], request: Request) -> Reply:
        try:
            return self._language.answer(endpoint.handler(self._venue, request))
        except ApiError as error:
            return self._refuse(error)
        except Refused as refusal:
            return self._refuse(self._language.refused(refusal))
        except Malformed as error:
            return self._refuse(self._language.malformed(error))

    def _refuse(self, error: ApiError) -> Reply:
        self._venue.refusals[error.code] += 1
        return self._language.refusal(error)

    def _words(self, kind: FaultKind, strike: Strike, request: Request) -> ApiError:
        if kind is FaultKind.BANNED:
            self._quota.ban(request.peer, self._venue.now_ms() + max(strike.delay_ms, 1000))
        if kind in (FaultKind.BANNED, FaultKind.RATE_LIMITED):
            return self._language.over_quota()
        return self._language.faulty(kind, strike)

    def _subject(self, endpoint: Endpoint[V], request: Request) -> Subject:
        symbol, client_id = self._language.about(request)
        return Subject(
            endpoints=(f"{endpoint.method} {endpoint.path}", request.action, "rest"),
            symbol=symbol,
            account=request.account,
            path=request.path,
            client_id=client_id,
        )


def _decoded(body: str, content_type: str) -> dict[str, Any]:
    """Return a body's parameters, numbers exact; a list is one parameter without a name."""
    if content_type == "application/x-www-form-urlencoded":
        return dict(parse_qsl(body, keep_blank_values=True))
    try:
        found = json.loads(body or "{}", parse_float=Decimal)
    except json.JSONDecodeError:
        return {}
    if isinstance(found, list):
        return {"": found}
    return found if isinstance(found, dict) else {}
