"""One HTTP exchange with the venue: sent once, judged by the outcome rule, its used quota noted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import aiohttp
from yarl import URL

from exchanges import wire
from exchanges.errors import BadReply, VenueError, VenueUnreachable
from exchanges.hosts import HostPolicy
from exchanges.outcome import CodeTable, Effect, Reply, judge
from exchanges.port import UsedQuota

NS = 1_000_000_000
MESSAGE_LENGTH_MAX = 300
BODY_BYTES_MAX = 64 * 2**20
"""Thirty times the venue's largest reply."""
PAUSE = re.compile(r"[0-9]{1,9}")
PAUSE_S_MAX = 3 * 24 * 3600.0
"""The longest ban that a venue documents."""


class HttpTongue(Protocol):
    """How a venue says no over HTTP, and what its headers tell."""

    @property
    def codes(self) -> CodeTable: ...

    def used(self, headers: Mapping[str, str], at_ns: int) -> UsedQuota | None:
        """Return the used counts that a reply's headers tell, or None."""
        ...

    def pause_s(self, headers: Mapping[str, str]) -> float | None:
        """Return how long the venue asks us to wait, or None where it does not say."""
        ...

    def refusal(self, decoded: Any, status: int, retry_after_s: float | None) -> Reply | None:
        """Return the error that a decoded body tells, or None. An item of a batch may be such a body too."""
        ...


class HttpClient:
    """A session bound to the allowed hosts. Follows no redirect, reads no proxy setting, sends nothing twice."""

    def __init__(
        self,
        policy: HostPolicy,
        tongue: HttpTongue,
        monotonic_ns: Callable[[], int],
        connect_timeout_s: float,
        where: str = "rest",
    ) -> None:
        self._policy = policy
        self._tongue = tongue
        self._monotonic_ns = monotonic_ns
        self._connect_timeout_s = connect_timeout_s
        self._where = where
        self._session: aiohttp.ClientSession | None = None
        self._banned_until_ns = 0
        self.on_quota: Callable[[UsedQuota], None] | None = None

    async def send(
        self,
        method: str,
        url: str,
        *,
        effect: Effect,
        timeout_s: float,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
        tongue: HttpTongue | None = None,
    ) -> Any:
        """Return the decoded reply. `url` is sent as it is: it is signed. Raises `VenueError`.

        `tongue` reads this reply instead, where headers mean one thing at one address and another at the next.

        Nothing is sent while the venue bans us: whoever goes on is banned for longer.
        """
        status, told, raw = await self.exchange(
            method, url, effect=effect, timeout_s=timeout_s, headers=headers, body=body
        )
        try:
            return self._result(status, told, raw, tongue or self._tongue)
        except BadReply as failure:
            raise judge(failure, effect, self._tongue.codes) from failure
        except _Failed as failed:
            raise self.judged(failed.reply, effect) from None

    async def exchange(
        self,
        method: str,
        url: str,
        *,
        effect: Effect,
        timeout_s: float,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers and body of one reply, whatever they say. Raises `VenueError` where none came."""
        left_s = (self._banned_until_ns - self._monotonic_ns()) / NS
        if left_s > 0:
            raise VenueUnreachable("not sent: the venue has banned us", retry_after_s=left_s, banned=True)
        limits = aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(timeout_s, self._connect_timeout_s))
        try:
            async with self._open().request(
                method,
                URL(url, encoded=True),
                data=body.encode() if body else None,
                headers=headers,
                timeout=limits,
                allow_redirects=False,
            ) as response:
                return response.status, response.headers, await _body(response)
        except (aiohttp.ClientError, TimeoutError, OSError, BadReply) as failure:
            raise judge(failure, effect, self._tongue.codes) from failure

    def judged(self, reply: Reply, effect: Effect) -> VenueError:
        """Return the error for a reply that is no success; a ban keeps everything back from now on."""
        error = judge(reply, effect, self._tongue.codes)
        if isinstance(error, VenueUnreachable) and error.banned:
            self._banned_until_ns = self._monotonic_ns() + int(error.retry_after_s * NS)
        return error

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=self._policy.connector(), trust_env=False)
            # aiohttp sends idempotent methods a second time after a lost connection, DELETE included: a cancel
            # that was carried out would then answer "unknown order", and "not connected" would not mean "not sent"
            self._session._retry_connection = False
        return self._session

    def _result(self, status: int, headers: Mapping[str, str], raw: bytes, tongue: HttpTongue) -> Any:
        used = tongue.used(headers, self._monotonic_ns())
        if used is not None and self.on_quota is not None:
            self.on_quota(used)
        if 200 <= status < 300:
            # an error under a success status is a request error: the venue answered, and said no
            decoded = wire.decode(raw, self._where)
            failure = self._tongue.refusal(decoded, 400, None)
            if failure is None:
                return decoded
            raise _Failed(failure)
        raise _Failed(self._reply(status, headers, raw))

    def _reply(self, status: int, headers: Mapping[str, str], raw: bytes) -> Reply:
        retry_after_s = self._tongue.pause_s(headers)
        try:
            found = self._tongue.refusal(wire.decode(raw, "rest"), status, retry_after_s)
        except BadReply:
            found = None
        if found is not None:
            return found
        words = raw[:MESSAGE_LENGTH_MAX].decode("utf-8", "replace")
        return Reply(status=status, code=None, message=words, retry_after_s=retry_after_s)


def pause_s(headers: Mapping[str, str]) -> float | None:
    """Return what HTTP's own header asks us to wait, or None where there is none."""
    told = headers.get("Retry-After", "")
    return min(float(told), PAUSE_S_MAX) if PAUSE.fullmatch(told) else None


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """Return the whole body; raises `BadReply` for one that no reply of the venue can be."""
    raw = bytearray()
    async for chunk in response.content.iter_any():
        raw += chunk
        if len(raw) > BODY_BYTES_MAX:
            raise BadReply(f"rest: a reply of more than {BODY_BYTES_MAX} bytes")
    return bytes(raw)


class _Failed(Exception):
    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.message)
        self.reply = reply
