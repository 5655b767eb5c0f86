"""Where Bybit is."""

from __future__ import annotations

from dataclasses import dataclass

from exchanges.hosts import HostPolicy
from exchanges.session.settings import AdapterSettings

REST_URL = "https://api.bybit.com"
STREAM_URL = "wss://stream.bybit.com"
TEST_REST_URL = "https://api-testnet.bybit.com"
TEST_STREAM_URL = "wss://stream-testnet.bybit.com"
"""The venue's test network, as its documents name it. No test here has reached it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Every address that the adapter ever uses."""

    rest: str
    public: str
    private: str
    orders: str

    @classmethod
    def of(cls, settings: AdapterSettings) -> Endpoints:
        """Return the venue's own addresses, or those of the override. Raises `ConfigError` for half an override."""
        override = settings.override()
        if settings.is_testnet:
            return cls._under(TEST_REST_URL, TEST_STREAM_URL)
        return cls._under(*(override or (REST_URL, STREAM_URL)))

    @classmethod
    def _under(cls, rest: str, stream: str) -> Endpoints:
        return cls(
            rest=rest,
            public=f"{stream}/v5/public/linear",
            private=f"{stream}/v5/private",
            orders=f"{stream}/v5/trade",
        )

    def policy(self) -> HostPolicy:
        """Return which hosts may be reached: these and no other."""
        return HostPolicy.of((self.rest, self.public, self.private, self.orders))
