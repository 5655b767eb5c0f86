"""What an adapter is told, whichever venue it speaks to: hosts, keys, clocks, limits of time and size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlsplit

from exchanges.hosts import is_loopback
from exchanges.reconnect import BackoffRule
from exchanges.websocket import SocketTimes
from grid.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Credentials:
    """An API key and its HMAC secret, with the passphrase that some venues ask for; none is ever printed."""

    api_key: str
    api_secret: str
    passphrase: str = ""

    def __repr__(self) -> str:
        return "Credentials(hidden)"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterSettings:
    """Settings of both halves of an adapter. Times in seconds unless the name says otherwise."""

    now_ms: Callable[[], int]
    monotonic_ns: Callable[[], int]
    random: Random
    credentials: Credentials | None = None
    rest_url: str | None = None
    ws_url: str | None = None
    """Both or none: an override replaces every host."""
    is_testnet: bool = False
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

    @property
    def socket_times(self) -> SocketTimes:
        """Return the times of a socket."""
        return SocketTimes(
            open_timeout_s=self.connect_timeout_s,
            ping_interval_s=self.ping_interval_s,
            ping_timeout_s=self.ping_timeout_s,
        )

    def override(self) -> tuple[str, str] | None:
        """Return the hosts that replace the venue's own (REST, WebSocket), or None.

        Raises `ConfigError` for half an override, and for one whose halves are not on one side of the machine's edge.
        """
        rest, ws = self.rest_url, self.ws_url
        if (rest is None) != (ws is None):
            key = "venue.ws_url" if ws is None else "venue.rest_url"
            raise ConfigError(key, None, "set venue.rest_url and venue.ws_url both, or none of them")
        if rest is None or ws is None:
            return None
        _check_url("venue.rest_url", rest, ("http", "https"))
        _check_url("venue.ws_url", ws, ("ws", "wss"))
        if is_loopback(urlsplit(rest).hostname or "") != is_loopback(urlsplit(ws).hostname or ""):
            raise ConfigError("venue.ws_url", ws, "is on loopback exactly where venue.rest_url is")
        return rest.rstrip("/"), ws.rstrip("/")


def required(credentials: Credentials | None) -> Credentials:
    """Return the credentials; raises `ConfigError` where there are none."""
    if credentials is None:
        raise ConfigError("venue.api_key_env", None, "names the variable that holds the API key: trading needs keys")
    return credentials


def _check_url(key: str, url: str, schemes: tuple[str, ...]) -> None:
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname:
        raise ConfigError(key, url, f"is a whole address that starts with {' or '.join(f'{s}://' for s in schemes)}")
    if parts.username or parts.query:
        raise ConfigError(key, parts.hostname, "holds no user and no query")
