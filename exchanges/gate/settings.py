"""Where Gate's futures are."""

from __future__ import annotations

from dataclasses import dataclass

from exchanges.hosts import HostPolicy
from exchanges.session.settings import AdapterSettings

REST_URL = "https://api.gateio.ws"
SOCKET_URL = "wss://fx-ws.gateio.ws"
TEST_REST_URL = "https://api-testnet.gateapi.io"
TEST_SOCKET_URL = "wss://fx-ws-testnet.gateio.ws"
"""The venue's test network, as its documents and ccxt 4.5.90 name it. No test here has reached it."""
PREFIX = "/api/v4"
SOCKET_PATH = "/v4/ws/usdt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Every address that the adapter ever uses: one socket address serves streams, the account and orders."""

    rest: str
    socket: str

    @classmethod
    def of(cls, settings: AdapterSettings) -> Endpoints:
        """Return the venue's own addresses, or those of the override. Raises `ConfigError` for half an override."""
        override = settings.override()
        if settings.is_testnet:
            return cls(rest=TEST_REST_URL, socket=TEST_SOCKET_URL + SOCKET_PATH)
        rest, socket = override or (REST_URL, SOCKET_URL)
        return cls(rest=rest, socket=socket + SOCKET_PATH)

    def policy(self) -> HostPolicy:
        """Return which hosts may be reached: these and no other."""
        return HostPolicy.of((self.rest, self.socket))
