"""Signed REST calls. ccxt knows the addresses and signs; the request is sent, and its outcome judged, here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exchanges.outcome import Effect
from exchanges.session.http import HttpClient
from exchanges.session.one_exchange import ccxt_class
from exchanges.session.settings import Credentials

PRODUCTION = "https://fapi.binance.com"
PUBLIC, PRIVATE, PRIVATE_V2, PRIVATE_V3 = "fapiPublic", "fapiPrivate", "fapiPrivateV2", "fapiPrivateV3"


class _Signer(ccxt_class("binanceusdm")):  # type: ignore[misc]
    """ccxt's exchange with our clock. Its own limiter, retries and currency look-up are off; it opens no session."""

    def __init__(self, credentials: Credentials | None, rest_url: str, venue_now_ms: Callable[[], int]) -> None:
        self._venue_now_ms = venue_now_ms
        self.urls: dict[str, Any]
        super().__init__(
            {
                "apiKey": credentials.api_key if credentials else "",
                "secret": credentials.api_secret if credentials else "",
                "enableRateLimit": False,
                "number": str,
                "options": {"fetchCurrencies": False, "maxRetriesOnFailure": 0, "recvWindow": None},
            }
        )
        self.addresses = addresses_under(self.urls["api"], rest_url)
        # every table of addresses goes, test and demo hosts included: what is not there can't be called
        self.urls = {"api": self.addresses}

    def nonce(self) -> int:
        return self._venue_now_ms()

    def __repr__(self) -> str:
        return "_Signer(hidden)"


class RestClient:
    """Calls by ccxt's section, path and parameters."""

    def __init__(
        self, credentials: Credentials | None, rest_url: str, http: HttpClient, venue_now_ms: Callable[[], int]
    ) -> None:
        self._signer = _Signer(credentials, rest_url, venue_now_ms)
        self._http = http
        self.fence: Callable[[], None] = lambda: None
        """Raises where nothing may be written; asked after the time stamp of a write was taken."""

    def addresses(self) -> dict[str, str]:
        """Return every address that a call could go to, by ccxt's section."""
        return dict(self._signer.addresses)

    async def call(
        self, section: str, method: str, path: str, params: dict[str, Any], *, effect: Effect, timeout_s: float
    ) -> Any:
        """Return the decoded reply of one call, sent once. Raises `VenueError`."""
        request = self._signer.sign(path, [section], method, dict(params))
        if effect is Effect.WRITE:
            self.fence()
        return await self._http.send(
            method,
            request["url"],
            effect=effect,
            timeout_s=timeout_s,
            headers=request["headers"],
            body=request["body"],
        )


def addresses_under(known: dict[str, Any], rest_url: str) -> dict[str, str]:
    """Return ccxt's USD-M sections under another host; every other section is dropped, so that none can be reached."""
    return {
        section: address.replace(PRODUCTION, rest_url, 1)
        for section, address in known.items()
        if isinstance(address, str) and address.startswith(f"{PRODUCTION}/")
    }
