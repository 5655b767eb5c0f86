"""REST calls, signed here: the request is sent, and its outcome judged, by the shared client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import orjson

from exchanges.okx import requests
from exchanges.outcome import Effect
from exchanges.session.http import HttpClient
from exchanges.session.settings import Credentials

ROOT = "/api/v5/"
Body = Mapping[str, Any] | list[dict[str, Any]]


class RestClient:
    """Calls by path. Without credentials only what is public can be asked."""

    def __init__(
        self,
        credentials: Credentials | None,
        rest_url: str,
        http: HttpClient,
        venue_now_ms: Callable[[], int],
        *,
        is_demo: bool = False,
    ) -> None:
        self._credentials = credentials
        self._rest_url = rest_url
        self._http = http
        self._venue_now_ms = venue_now_ms
        self._always = {"x-simulated-trading": "1"} if is_demo else {}
        self.fence: Callable[[], None] = lambda: None
        """Raises where nothing may be written; asked after the time stamp of a write was taken."""

    def __repr__(self) -> str:
        return "RestClient(hidden)"

    async def get(self, path: str, query: Mapping[str, str | int], timeout_s: float) -> Any:
        """Read, with a signature where there are credentials. Never `OutcomeUnknown`."""
        whole = f"{ROOT}{path}?{urlencode(query)}" if query else f"{ROOT}{path}"
        signed: dict[str, str] = {}
        if self._credentials is not None:
            signed = requests.headers("GET", whole, "", self._credentials, self._venue_now_ms())
        return await self._http.send(
            "GET",
            f"{self._rest_url}{whole}",
            effect=Effect.READ,
            timeout_s=timeout_s,
            headers={**signed, **self._always},
        )

    async def post(self, path: str, body: Body, timeout_s: float, *, good_for_ms: int | None = None) -> Any:
        """Change something; sent once. `good_for_ms`: an order that arrives later than that is refused."""
        assert self._credentials is not None
        venue_ms = self._venue_now_ms()
        words = orjson.dumps(body).decode()
        signed = requests.headers("POST", f"{ROOT}{path}", words, self._credentials, venue_ms)
        window = {} if good_for_ms is None else {"expTime": str(venue_ms + good_for_ms)}
        self.fence()
        return await self._http.send(
            "POST",
            f"{self._rest_url}{ROOT}{path}",
            effect=Effect.WRITE,
            timeout_s=timeout_s,
            headers={**signed, **window, **self._always},
            body=words,
        )
