"""What the adapter is told: hosts, keys, clocks, limits of time and size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlsplit

from exchanges.hosts import HostPolicy, is_loopback
from exchanges.reconnect import BackoffRule
from grid.errors import ConfigError

REST_URL = "https://fapi.binance.com"
STREAM_URL = "wss://fstream.binance.com"
ORDER_URL = "wss://ws-fapi.binance.com"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Credentials:
    """An API key and its HMAC secret; neither is ever printed."""

    api_key: str
    api_secret: str

    def __repr__(self) -> str:
        return "Credentials(hidden)"


@dataclass(frozen=True, slots=True, kw_only=True)
class BinanceSettings:
    """Settings of both halves of the adapter. Times in seconds unless the name says otherwise."""

    now_ms: Callable[[], int]
    monotonic_ns: Callable[[], int]
    random: Random
    credentials: Credentials | None = None
    rest_url: str | None = None
    ws_url: str | None = None
    """Both or none: an override replaces every host."""
    symbols: tuple[str, ...] = ()
    """Symbols whose position must be in every reading, flat or not."""
    quote_asset: str = "USDT"
    recv_window_ms: int = 2000
    read_timeout_s: float = 5.0
    order_timeout_s: float = 3.0
    connect_timeout_s: float = 5.0
    ping_interval_s: float = 15.0
    ping_timeout_s: float = 15.0
    connection_life_s: float = 23 * 3600.0
    """A connection is renewed by ourselves before the venue cuts it at 24 h; scattered downwards by a tenth."""
    keep_alive_s: float = 30 * 60.0
    time_probes: int = 5
    private_buffer: int = 10_000
    in_flight_max: int = 200
    backoff: BackoffRule = field(default_factory=BackoffRule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Every address that the adapter ever uses."""

    rest: str
    public: str
    market: str
    private: str
    orders: str

    @classmethod
    def of(cls, settings: BinanceSettings) -> Endpoints:
        """Return the venue's own addresses, or those of the override. Raises `ConfigError` for half an override."""
        rest, ws = settings.rest_url, settings.ws_url
        if (rest is None) != (ws is None):
            key = "venue.ws_url" if ws is None else "venue.rest_url"
            raise ConfigError(key, None, "set venue.rest_url and venue.ws_url both, or none of them")
        if rest is None or ws is None:
            return cls._under(REST_URL, STREAM_URL, ORDER_URL)
        _check_url("venue.rest_url", rest, ("http", "https"))
        _check_url("venue.ws_url", ws, ("ws", "wss"))
        if is_loopback(urlsplit(rest).hostname or "") != is_loopback(urlsplit(ws).hostname or ""):
            raise ConfigError("venue.ws_url", ws, "is on loopback exactly where venue.rest_url is")
        return cls._under(rest.rstrip("/"), ws.rstrip("/"), ws.rstrip("/"))

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


def _check_url(key: str, url: str, schemes: tuple[str, ...]) -> None:
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname:
        raise ConfigError(key, url, f"is a whole address that starts with {' or '.join(f'{s}://' for s in schemes)}")
    if parts.username or parts.query:
        raise ConfigError(key, parts.hostname, "holds no user and no query")
