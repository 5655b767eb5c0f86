"""How Binance USD-M words replies, subscriptions and order requests: what the shared session asks of a venue. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection

from exchanges import wire
from exchanges.binance import quota
from exchanges.binance.codes import CODES
from exchanges.errors import BadReply
from exchanges.outcome import Reply
from exchanges.port import UsedQuota
from exchanges.session.http import MESSAGE_LENGTH_MAX, PAUSE_S_MAX, pause_s
from exchanges.session.keep_alive import KeepAlive
from exchanges.session.request_socket import Unsuccessful
from exchanges.session.subscription import Confirmed, Heard, Refused, Told

SUBSCRIBE_ID = 1


class BinanceHttp:
    """REST: a negative `code` is an error, whatever the status; used counts come in headers."""

    codes = CODES

    def used(self, headers: Mapping[str, str], at_ns: int) -> UsedQuota | None:
        """Return what the headers count as used."""
        return quota.from_headers(headers, at_ns)

    def pause_s(self, headers: Mapping[str, str]) -> float | None:
        """Return how long the venue asks us to wait, or None where it does not say."""
        return pause_s(headers)

    def refusal(self, decoded: Any, status: int, retry_after_s: float | None) -> Reply | None:
        """Return the error that a body, or an item of a batch, tells."""
        return refusal_in(decoded, status, retry_after_s)


class BinanceStreams:
    """Public streams: one SUBSCRIBE for all names, answered by its id; pings are the protocol's own."""

    keep_alive: KeepAlive | None = None

    def requests(self, names: Sequence[str]) -> list[Mapping[str, Any]]:
        """Return the frames that ask for the streams."""
        return [{"method": "SUBSCRIBE", "params": list(names), "id": SUBSCRIBE_ID}]

    def hear(self, message: wire.Row) -> Heard:
        """Return what a frame says."""
        if "stream" not in message and message.get("id") == SUBSCRIBE_ID:
            if "result" in message and message["result"] is None:
                return Confirmed(names=None)
            return Refused(words=_error_words(message))
        stream = message.get("stream", "")
        if not isinstance(stream, str):
            raise BadReply(f"stream: expected a name, got {wire.shown(stream)}")
        return Told(name=stream, content=wire.mapping(message.get("data"), "stream.data")) if stream else None


class BinanceOrders:
    """The WebSocket API: each request is signed by itself and answered by its id, with status and used counts."""

    codes = CODES
    keep_alive: KeepAlive | None = None

    async def log_in(self, connection: ClientConnection) -> None:
        """Do nothing: requests carry their own signature."""

    def frame(self, number: str, method: str, params: wire.Row) -> bytes:
        """Return a request as it is sent."""
        return orjson.dumps({"id": number, "method": method, "params": params})

    def number(self, reply: wire.Row) -> str | None:
        """Return which request a reply answers."""
        return str(reply.get("id"))

    def used(self, reply: wire.Row, at_ns: int) -> UsedQuota | None:
        """Return what the reply counts as used."""
        return quota.from_reply(reply.get("rateLimits"), at_ns)

    def result(self, reply: wire.Row) -> Any:
        """Return the result; raises `Unsuccessful` for an error of the venue, `BadReply` for no answer at all."""
        status = wire.integer(reply, "status", "ws-fapi")
        if status == 200:
            if "result" not in reply:
                raise BadReply("ws-fapi.result: missing")
            return reply["result"]
        error = reply.get("error")
        found = refusal_in(error, status, _pause_s(error))
        raise Unsuccessful(found or Reply(status=status, code=None, message="no error in the reply"))


def refusal_in(decoded: Any, status: int, retry_after_s: float | None) -> Reply | None:
    """Return the error that a decoded body tells (a negative code), or None. An item of a batch is such a body too."""
    if not isinstance(decoded, dict):
        return None
    code = decoded.get("code")
    if isinstance(code, bool) or not isinstance(code, int) or code >= 0:
        return None
    message = str(decoded.get("msg", ""))[:MESSAGE_LENGTH_MAX]
    return Reply(status=status, code=code, message=message, retry_after_s=retry_after_s)


def _pause_s(error: Any) -> float | None:
    """Return how long the venue bans us: it tells its own time now and the time when the ban ends."""
    told = error.get("data") if isinstance(error, dict) else None
    if not isinstance(told, dict):
        return None
    now_ms, until_ms = told.get("serverTime"), told.get("retryAfter")
    if not isinstance(now_ms, int) or not isinstance(until_ms, int):
        return None
    return min(max(0.0, (until_ms - now_ms) / 1000), PAUSE_S_MAX)


def _error_words(message: dict[str, Any]) -> str:
    error = message.get("error", message)
    told = [error.get("code"), error.get("msg")] if isinstance(error, dict) else [error]
    return " ".join(one if isinstance(one, str) and len(one) <= wire.SHOWN_MAX else wire.shown(one) for one in told)
