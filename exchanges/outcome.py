"""What a failed call means: refused, nothing happened, or unknown. One rule for every venue and both transports.

A write whose fate is not certain is *unknown*. Certain is only (a) that the connection was never made, (b) a code that
the venue's table lists as final, (c) a code or reply that the venue documents as "not done".
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

import aiohttp

from exchanges.errors import BadReply, OutcomeUnknown, Refusal, VenueError, VenueRefused, VenueUnreachable

TOO_MANY_REQUESTS = 429
BANNED = 418
OVERLOADED = 503
DEFAULT_PAUSE_S = 1.0
DEFAULT_BAN_S = 60.0

NEVER_CONNECTED = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    ConnectionRefusedError,
    socket.gaierror,
)


Code = int | str
"""A venue's error code: a number or, at some venues, a label."""


class Effect(Enum):
    """Whether a call can change something at the venue."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A venue's answer that is no success. `code` is None where the body held none (a proxy's page)."""

    status: int
    code: Code | None
    message: str
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTable:
    """A venue's own codes. `refused`: final. `not_done`: nothing happened, retry after so many seconds.
    `unknown`: executed or not, whatever the HTTP status. `rate`: too many requests or weight, nothing happened."""

    refused: Mapping[Code, Refusal]
    not_done: Mapping[Code, float]
    unknown: frozenset[Code]
    rate: frozenset[Code]
    not_done_words: str
    """What the message of an overload reply starts with when nothing was executed; empty: it has no such words."""
    banned: frozenset[int] = frozenset({BANNED})
    """HTTP statuses by which the venue shuts the address out: nothing was done, and nothing is to be sent."""
    ban_s: float = DEFAULT_BAN_S
    """How long such a ban lasts where the reply does not tell."""


def judge(failure: Reply | BaseException, effect: Effect, codes: CodeTable) -> VenueError:
    """Return the error to raise for a failed call. A read never becomes `OutcomeUnknown`: it changes nothing."""
    if isinstance(failure, Reply):
        return _judge_reply(failure, effect, codes)
    if isinstance(failure, VenueError) and not isinstance(failure, BadReply):
        return failure
    if isinstance(failure, BadReply) and effect is Effect.READ:
        return failure
    words = _words(failure)
    if any(isinstance(cause, NEVER_CONNECTED) for cause in _causes(failure)):
        return VenueUnreachable(f"not sent: {words}")
    return _uncertain(words, effect)


def _judge_reply(reply: Reply, effect: Effect, codes: CodeTable) -> VenueError:
    words = f"HTTP {reply.status}, code {reply.code}: {reply.message}"
    is_ban = reply.status in codes.banned
    limited = is_ban or reply.status == TOO_MANY_REQUESTS or reply.code in codes.rate
    pause_s = codes.not_done.get(reply.code) if reply.code is not None else None
    if pause_s is not None and not is_ban:
        return VenueUnreachable(words, retry_after_s=max(pause_s, reply.retry_after_s or 0.0))
    if limited:
        default_s = codes.ban_s if is_ban else DEFAULT_PAUSE_S
        return VenueUnreachable(words, retry_after_s=reply.retry_after_s or default_s, banned=True)
    if reply.code in codes.unknown:
        return _uncertain(words, effect)
    says_not_done = codes.not_done_words != "" and reply.message.startswith(codes.not_done_words)
    if reply.status == OVERLOADED and says_not_done:
        return VenueUnreachable(words, retry_after_s=reply.retry_after_s or DEFAULT_PAUSE_S)
    is_request_error = 400 <= reply.status < 500
    if reply.code is not None and is_request_error and reply.code in codes.refused:
        return VenueRefused(str(reply.code), reply.message, codes.refused[reply.code])
    if reply.code is not None and is_request_error and effect is Effect.READ:
        return VenueRefused(str(reply.code), reply.message, Refusal.OTHER)
    return _uncertain(words, effect)


def _uncertain(words: str, effect: Effect) -> VenueError:
    return OutcomeUnknown(words) if effect is Effect.WRITE else VenueUnreachable(words)


def _causes(failure: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = failure
    while seen is not None:
        yield seen
        seen = seen.__cause__


def _words(failure: BaseException) -> str:
    """Name the failure with the host at most: the rest of an address may hold a signature or a listen key."""
    if isinstance(failure, BadReply):
        return str(failure)
    kind = type(failure).__name__
    if isinstance(failure, aiohttp.ClientConnectorError):
        return f"{failure.host}:{failure.port} cannot be reached ({kind})"
    return kind
