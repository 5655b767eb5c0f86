"""Where Bitget is."""

from __future__ import annotations

from dataclasses import dataclass

from exchanges.hosts import HostPolicy
from exchanges.session.settings import AdapterSettings

REST_URL = "https://api.bitget.com"
STREAM_URL = "wss://ws.bitget.com"
DEMO_STREAM_URL = "wss://wspap.bitget.com"
"""The venue's network for demo trading; its REST host is the same, told apart by a header. No test has reached it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Every address that the adapter ever uses."""

    rest: str
    public: str
    private: str

    @classmethod
    def of(cls, settings: AdapterSettings) -> Endpoints:
        """Return the venue's own addresses, or those of the override. Raises `ConfigError` for half an override."""
        override = settings.override()
        if settings.is_testnet:
            return cls._under(REST_URL, DEMO_STREAM_URL)
        return cls._under(*(override or (REST_URL, STREAM_URL)))

    @classmethod
    def _under(cls, rest: str, stream: str) -> Endpoints:
        return cls(rest=rest, public=f"{stream}/v2/ws/public", private=f"{stream}/v2/ws/private")

    def policy(self) -> HostPolicy:
        """Return which hosts may be reached: these and no other."""
        return HostPolicy.of((self.rest, self.public, self.private))
