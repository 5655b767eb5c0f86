"""Where OKX v5 is."""

from __future__ import annotations

from dataclasses import dataclass

from exchanges.hosts import HostPolicy
from exchanges.session.settings import AdapterSettings

REST_URL = "https://www.okx.com"
STREAM_URL = "wss://ws.okx.com:8443"
DEMO_STREAM_URL = "wss://wspap.okx.com:8443"
"""Demo trading has sockets of its own and the REST host of production, told apart by a header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Every address that the adapter ever uses."""

    rest: str
    public: str
    business: str
    private: str
    is_demo: bool

    @classmethod
    def of(cls, settings: AdapterSettings) -> Endpoints:
        """Return the venue's own addresses, or those of the override. Raises `ConfigError` for half an override."""
        override = settings.override()
        if settings.is_testnet:
            return cls._under(REST_URL, DEMO_STREAM_URL, is_demo=True)
        rest, stream = override or (REST_URL, STREAM_URL)
        return cls._under(rest, stream, is_demo=False)

    @classmethod
    def _under(cls, rest: str, stream: str, *, is_demo: bool) -> Endpoints:
        return cls(
            rest=rest,
            public=f"{stream}/ws/v5/public",
            business=f"{stream}/ws/v5/business",
            private=f"{stream}/ws/v5/private",
            is_demo=is_demo,
        )

    def policy(self) -> HostPolicy:
        """Return which hosts may be reached: these and no other."""
        return HostPolicy.of((self.rest, self.public, self.business, self.private))
