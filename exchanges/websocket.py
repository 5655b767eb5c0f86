"""Opening a WebSocket to an allowed host, and to no other."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from exchanges.hosts import HostPolicy

# the library prints whole frames at DEBUG, and frames hold keys and signatures: it never gets that far
_LOGGER = logging.getLogger("exchanges.websocket")
_LOGGER.setLevel(logging.WARNING)

MESSAGE_BYTES_MAX = 4 * 2**20
UNREAD_MESSAGES_MAX = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketTimes:
    """How long to wait for a connection, and how soon a half-open one is noticed (interval + timeout)."""

    open_timeout_s: float
    ping_interval_s: float
    ping_timeout_s: float


class _Direct(connect):
    """A connection that follows no redirect: the settings name the hosts, the venue does not."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def open_websocket(url: str, policy: HostPolicy, times: SocketTimes) -> ClientConnection:
    """Return an open connection. Raises `ForbiddenHost`, `OSError`, `TimeoutError` or a WebSocket error.

    Reading stops at a bounded number of unread messages, which then holds back the sender.
    """
    address = policy.address_of(url)
    place: dict[str, Any] = {} if address is None else {"host": address}
    return await _Direct(
        url,
        proxy=None,
        compression=None,
        open_timeout=times.open_timeout_s,
        ping_interval=times.ping_interval_s,
        ping_timeout=times.ping_timeout_s,
        close_timeout=1,
        max_size=MESSAGE_BYTES_MAX,
        max_queue=UNREAD_MESSAGES_MAX,
        logger=_LOGGER,
        **place,
    )
