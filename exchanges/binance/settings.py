"""Where Binance USD-M is."""

from __future__ import annotations

from dataclasses import dataclass

from exchanges.hosts import HostPolicy
from exchanges.session.settings import AdapterSettings

REST_URL = "https://fapi.binance.com"
STREAM_URL = "wss://fstream.binance.com"
ORDER_URL = "wss://ws-fapi.binance.com"
DEMO_REST_URL = "https://demo-fapi.binance.com"
DEMO_STREAM_URL = "wss://fstream.binancefuture.com"
DEMO_ORDER_URL = "wss://testnet.binancefuture.com"
"""The venue's network for demo trading, as ccxt 4.5.90 knows it. No test here has reached it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Every address that the adapter ever uses."""

    rest: str
    public: str
    market: str
    private: str
    orders: str

    @classmethod
    def of(cls, settings: AdapterSettings) -> Endpoints:
        """Return the venue's own addresses, or those of the override. Raises `ConfigError` for half an override."""
        override = settings.override()
        if settings.is_testnet:
            return cls._under(DEMO_REST_URL, DEMO_STREAM_URL, DEMO_ORDER_URL)
        if override is None:
            return cls._under(REST_URL, STREAM_URL, ORDER_URL)
        rest, ws = override
        return cls._under(rest, ws, ws)

    @classmethod
    def _under(cls, rest: str, stream: str, orders: str) -> Endpoints:
        return cls(
            rest=rest,
            public=f"{stream}/public/stream",
            market=f"{stream}/market/stream",
            private=f"{stream}/private/ws",
            orders=f"{orders}/ws-fapi/v1",
        )

    def policy(self) -> HostPolicy:
        """Return which hosts may be reached: these and no other."""
        return HostPolicy.of((self.rest, self.public, self.market, self.private, self.orders))
