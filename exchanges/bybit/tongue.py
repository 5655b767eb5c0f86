"""How Bybit words replies, subscriptions and order requests: what the shared session asks of a venue. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection

from exchanges import wire
from exchanges.bybit import requests
from exchanges.bybit.codes import CODES, PARAMETER, POSITION_SIDE, POSITION_WORDS
from exchanges.errors import BadReply, VenueUnreachable
from exchanges.outcome import Reply
from exchanges.port import UsedQuota
from exchanges.session.http import MESSAGE_LENGTH_MAX, pause_s
from exchanges.session.keep_alive import KeepAlive
from exchanges.session.request_socket import Unsuccessful
from exchanges.session.settings import Credentials
from exchanges.session.subscription import Confirmed, Heard, Refused, Told

PING = KeepAlive(interval_s=20.0, frame='{"op":"ping"}')
COUNT = re.compile(r"[0-9]{1,9}")
LIMIT, LEFT = "X-Bapi-Limit", "X-Bapi-Limit-Status"
WINDOW_MS = 1000
COUNTED = {"order.create": "orders", "order.cancel": "cancels"}


class BybitHttp:
    """REST: `retCode` tells an error, whatever the status. What is left comes in headers, for one address each.

    `counted` is the kind of window that the headers speak of; reads share a window here that is narrower than theirs.
    """

    codes = CODES

    def __init__(self, counted: str = "") -> None:
        self._counted = counted

    def used(self, headers: Mapping[str, str], at_ns: int) -> UsedQuota | None:
        """Return what the headers count as used."""
        return used_of(headers, self._counted, at_ns)

    def pause_s(self, headers: Mapping[str, str]) -> float | None:
        """Return how long the venue asks us to wait, or None where it does not say."""
        return pause_s(headers)

    def refusal(self, decoded: Any, status: int, retry_after_s: float | None) -> Reply | None:
        """Return the error that a body tells."""
        return refusal_in(decoded, status, retry_after_s)


class BybitStreams:
    """Streams, public or private: one request for all topics; a ping of the application every 20 s."""

    keep_alive: KeepAlive | None = PING

    def requests(self, names: Sequence[str]) -> list[Mapping[str, Any]]:
        """Return the frame that asks for the streams."""
        return [{"op": "subscribe", "args": list(names)}]

    def hear(self, message: wire.Row) -> Heard:
        """Return what a frame says."""
        if "topic" in message:
            return Told(name=wire.text(message, "topic", "stream"), content=message)
        if message.get("op") != "subscribe":
            return None
        if message.get("success") is True:
            return Confirmed(names=None)
        return Refused(words=_words(message.get("ret_msg")))


class BybitOrders:
    """Order entry: the socket logs in once; a request carries its time and is answered by its number.

    Numbers are never used twice, so `life` tells those of this program from those of the one before.
    """

    codes = CODES
    keep_alive: KeepAlive | None = PING

    def __init__(self, credentials: Credentials, venue_now_ms: Callable[[], int], life: str) -> None:
        self._credentials = credentials
        self._venue_now_ms = venue_now_ms
        self._life = f"{life}-"

    async def log_in(self, connection: ClientConnection) -> None:
        """Give the socket to the account."""
        await log_in(connection, self._credentials, self._venue_now_ms())

    def frame(self, number: str, method: str, params: wire.Row) -> bytes:
        """Return a request as it is sent."""
        return orjson.dumps({"reqId": self._life + number, "op": method, **params})

    def number(self, reply: wire.Row) -> str | None:
        """Return which request a reply answers."""
        told = reply.get("reqId")
        if not isinstance(told, str) or not told.startswith(self._life):
            return None
        return told.removeprefix(self._life)

    def used(self, reply: wire.Row, at_ns: int) -> UsedQuota | None:
        """Return what the reply counts as used."""
        told = reply.get("header")
        counted = COUNTED.get(str(reply.get("op")), "")
        return used_of(told, counted, at_ns) if isinstance(told, dict) else None

    def result(self, reply: wire.Row) -> Any:
        """Return the acknowledgement with its `time`; raises `Unsuccessful` for an error of the venue."""
        refused = refusal_in(reply, 400, None)
        if refused is not None:
            raise Unsuccessful(refused)
        where = "trade"
        wire.integer(reply, "retCode", where)
        head = wire.mapping(reply.get("header"), f"{where}.header")
        return {
            **wire.mapping(reply.get("data"), f"{where}.data"),
            "time": wire.integer(head, "Timenow", f"{where}.header"),
        }


async def log_in(connection: ClientConnection, credentials: Credentials, venue_now_ms: int) -> None:
    """Log a socket in; raises `VenueUnreachable` in the venue's words where it refuses."""
    await connection.send(requests.login(credentials, venue_now_ms), text=True)
    while True:
        message = wire.mapping(wire.decode(await connection.recv(decode=False), "login"), "login")
        if message.get("op") == "auth":
            break
    # the order socket tells a code, the streams whether it went well
    if message.get("success") is not True and message.get("retCode") != 0:
        told = message.get("ret_msg", message.get("retMsg"))
        raise VenueUnreachable(f"login refused: {_words(told)}")


def refusal_in(decoded: Any, status: int, retry_after_s: float | None) -> Reply | None:
    """Return the error that a decoded body tells (a code other than 0), or None."""
    return _refusal(decoded, ("retCode", "retMsg"), status, retry_after_s)


def refusal_of_item(item: Any) -> Reply | None:
    """Return the error that an item of a batch tells, or None."""
    return _refusal(item, ("code", "msg"), 400, None)


def used_of(headers: Mapping[str, Any], counted: str, at_ns: int) -> UsedQuota | None:
    """Return the used count of a window, from the limit of an address and what is left of it."""
    limit, left = headers.get(LIMIT), headers.get(LEFT)
    if not counted or not (_is_count(limit) and _is_count(left)):
        return None
    return UsedQuota(used={(counted, WINDOW_MS): max(0, int(str(limit)) - int(str(left)))}, at_ns=at_ns)


def result_of(reply: Any, where: str) -> wire.Row:
    """Return the result of a reply; raises `BadReply` where that is no success in the venue's form."""
    body = wire.mapping(reply, where)
    if wire.integer(body, "retCode", where) != 0:
        raise BadReply(f"{where}: code {body['retCode']}")
    return wire.mapping(body.get("result"), f"{where}.result")


def _refusal(decoded: Any, keys: tuple[str, str], status: int, retry_after_s: float | None) -> Reply | None:
    code = decoded.get(keys[0]) if isinstance(decoded, dict) else None
    if isinstance(code, bool) or not isinstance(code, int) or code == 0:
        return None
    words = str(decoded.get(keys[1], ""))[:MESSAGE_LENGTH_MAX]
    is_side = code == PARAMETER and POSITION_WORDS in words
    return Reply(status=status, code=POSITION_SIDE if is_side else code, message=words, retry_after_s=retry_after_s)


def _is_count(value: Any) -> bool:
    return isinstance(value, str) and COUNT.fullmatch(value) is not None


def _words(told: Any) -> str:
    return told if isinstance(told, str) and len(told) <= wire.SHOWN_MAX else wire.shown(told)
