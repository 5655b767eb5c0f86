"""How Bitget words replies, subscriptions and order requests: what the shared session asks of a venue. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection

from exchanges import wire
from exchanges.bitget import requests
from exchanges.bitget.codes import CODES, SUCCESS
from exchanges.errors import BadReply, VenueUnreachable
from exchanges.outcome import Reply
from exchanges.port import UsedQuota
from exchanges.session.http import MESSAGE_LENGTH_MAX, pause_s
from exchanges.session.keep_alive import KeepAlive
from exchanges.session.request_socket import Unsuccessful
from exchanges.session.settings import Credentials
from exchanges.session.subscription import Confirmed, Heard, Refused, Told

PING = KeepAlive(interval_s=25.0, frame="ping")
"""The venue cuts a socket on which it has read none for two minutes."""
STREAMS_IN_A_FRAME = 25
"""A request may have 4,096 bytes, and ten of them a second."""
PLACE, CANCEL = "place-order", "cancel-order"


class BitgetHttp:
    """REST: `code` is `00000` or an error, whatever the status. Nothing tells what is used of the limits."""

    codes = CODES

    def used(self, headers: Mapping[str, str], at_ns: int) -> UsedQuota | None:
        """Return nothing: the venue does not tell."""
        return None

    def pause_s(self, headers: Mapping[str, str]) -> float | None:
        """Return how long the venue asks us to wait, or None where it does not say."""
        return pause_s(headers)

    def refusal(self, decoded: Any, status: int, retry_after_s: float | None) -> Reply | None:
        """Return the error that a body tells."""
        return refusal_in(decoded, status, retry_after_s)


class BitgetStreams:
    """Streams, public or private: each is confirmed by itself, and named `channel/instrument`."""

    keep_alive: KeepAlive | None = PING

    def requests(self, names: Sequence[str]) -> list[Mapping[str, Any]]:
        """Return the frames that ask for the streams."""
        args = [_arg(name) for name in names]
        parts = [args[start : start + STREAMS_IN_A_FRAME] for start in range(0, len(args), STREAMS_IN_A_FRAME)]
        return [{"op": "subscribe", "args": part} for part in parts]

    def hear(self, message: wire.Row) -> Heard:
        """Return what a frame says."""
        event = message.get("event")
        if event == "error":
            return Refused(words=f"{message.get('code')} {_words(message.get('msg'))}")
        if event not in (None, "subscribe"):
            return None
        arg = wire.mapping(message.get("arg"), "stream.arg")
        name = f"{wire.text(arg, 'channel', 'stream.arg')}/{wire.text(arg, 'instId', 'stream.arg')}"
        return Confirmed(names=(name,)) if event == "subscribe" else Told(name=name, content=message)


class BitgetOrders:
    """Order entry: the socket logs in once, and a request is answered by its number.

    A number is never used twice, so `life` tells those of this program from those of the one before.
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
        told = {"id": self._life + number, "instType": requests.PRODUCT, "channel": method, **params}
        return orjson.dumps({"op": "trade", "args": [told]})

    def number(self, reply: wire.Row) -> str | None:
        """Return which request a reply answers."""
        rows = reply.get("arg")
        row = rows[0] if isinstance(rows, list) and rows else rows
        told = row.get("id") if isinstance(row, dict) else None
        if not isinstance(told, str) or not told.startswith(self._life):
            return None
        return told.removeprefix(self._life)

    def used(self, reply: wire.Row, at_ns: int) -> UsedQuota | None:
        """Return nothing: the venue does not tell."""
        return None

    def result(self, reply: wire.Row) -> Any:
        """Return the acknowledged order; raises `Unsuccessful` for an error of the venue."""
        refused = refusal_in(reply, 400, None)
        if refused is not None:
            raise Unsuccessful(refused)
        if reply.get("event") != "trade" or _code(reply) is None:
            raise BadReply("trade: neither a success nor an error")
        rows = wire.sequence(reply.get("arg"), "trade.arg")
        if len(rows) != 1:
            raise BadReply(f"trade.arg: {len(rows)} answers to one order")
        return wire.mapping(wire.mapping(rows[0], "trade.arg").get("params"), "trade.arg.params")


async def log_in(connection: ClientConnection, credentials: Credentials, venue_now_ms: int) -> None:
    """Log a socket in; raises `VenueUnreachable` in the venue's words where it refuses."""
    await connection.send(requests.login(credentials, venue_now_ms), text=True)
    while True:
        raw = await connection.recv(decode=False)
        if raw == b"pong":
            continue
        message = wire.mapping(wire.decode(raw, "login"), "login")
        if message.get("event") in ("login", "error"):
            break
    if message.get("event") != "login" or _code(message) not in SUCCESS:
        raise VenueUnreachable(f"login refused: {message.get('code')} {_words(message.get('msg'))}")


def refusal_in(decoded: Any, status: int, retry_after_s: float | None) -> Reply | None:
    """Return the error that a decoded body tells (a code that is no success), or None."""
    return _refusal(decoded, ("code", "msg"), status, retry_after_s)


def refusal_of_item(item: Any) -> Reply | None:
    """Return the error that an item of a batch's failures tells, or None."""
    return _refusal(item, ("errorCode", "errorMsg"), 400, None)


def data_of(reply: Any, where: str) -> Any:
    """Return the data of a reply; raises `BadReply` where that is no success in the venue's form."""
    body = wire.mapping(reply, where)
    if _code(body) not in SUCCESS:
        raise BadReply(f"{where}: code {wire.shown(body.get('code'))}")
    return body.get("data")


def _refusal(decoded: Any, keys: tuple[str, str], status: int, retry_after_s: float | None) -> Reply | None:
    code = _code(decoded, keys[0]) if isinstance(decoded, dict) else None
    if code is None or code in SUCCESS:
        return None
    message = str(decoded.get(keys[1], ""))[:MESSAGE_LENGTH_MAX]
    return Reply(status=status, code=code, message=message, retry_after_s=retry_after_s)


def _code(message: Mapping[str, Any], key: str = "code") -> str | None:
    code = message.get(key)
    if isinstance(code, bool) or not isinstance(code, str | int) or not 0 < len(str(code)) <= wire.SHOWN_MAX:
        return None
    return str(code)


def _arg(name: str) -> dict[str, str]:
    channel, _, instrument = name.partition("/")
    return {"instType": requests.PRODUCT, "channel": channel, "instId": instrument}


def _words(told: Any) -> str:
    return told if isinstance(told, str) and len(told) <= wire.SHOWN_MAX else wire.shown(told)
