"""How OKX words replies, subscriptions, logins and order requests: what the shared session asks of a venue. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection

from exchanges import wire
from exchanges.errors import BadReply
from exchanges.okx.codes import CODES, DONE, PARAMETER, POSITION_SIDE
from exchanges.outcome import Effect, Reply, judge
from exchanges.port import UsedQuota
from exchanges.session.http import MESSAGE_LENGTH_MAX, pause_s
from exchanges.session.keep_alive import KeepAlive
from exchanges.session.request_socket import Unsuccessful
from exchanges.session.subscription import Confirmed, Heard, Refused, Told

KEEP_ALIVE = KeepAlive(interval_s=20.0, frame="ping")
"""The venue cuts a socket on which it heard nothing, and sent nothing, for 30 s."""
ARGUMENTS_MAX = 100
REQUEST_ERROR = 400


class OkxHttp:
    """REST: a `code` other than 0 is an error; in a list of operations each item has its own, and is judged apart."""

    codes = CODES

    def used(self, headers: Mapping[str, str], at_ns: int) -> UsedQuota | None:
        """Return None: the venue does not tell what is used."""
        return None

    def pause_s(self, headers: Mapping[str, str]) -> float | None:
        """Return how long the venue asks us to wait, or None where it does not say."""
        return pause_s(headers)

    def refusal(self, decoded: Any, status: int, retry_after_s: float | None) -> Reply | None:
        """Return the error that a body tells as a whole."""
        return refusal_in(decoded, status, retry_after_s)


class OkxStreams:
    """Streams by channel and instrument, each confirmed by itself.

    A stream's name is `channel:instrument`, or `channel:` with the kind of instruments for those of an account.
    """

    keep_alive: KeepAlive | None = KEEP_ALIVE

    def requests(self, names: Sequence[str]) -> list[Mapping[str, Any]]:
        """Return the frames that ask for the streams."""
        chunks = [names[start : start + ARGUMENTS_MAX] for start in range(0, len(names), ARGUMENTS_MAX)]
        return [{"op": "subscribe", "args": [_argument(name) for name in chunk]} for chunk in chunks]

    def hear(self, message: wire.Row) -> Heard:
        """Return what a frame says. An announced upgrade of the venue's ends the connection before the venue does."""
        event = message.get("event")
        if event == "subscribe":
            return Confirmed(names=(_name(message),))
        if event in ("error", "notice"):
            return Refused(words=_words(message))
        if event is not None or "arg" not in message:
            return None
        return Told(name=_name(message), content=message)


class OkxOrders:
    """The order socket: logged in once, requests answered by their number, and each order by a code of its own."""

    codes = CODES
    keep_alive: KeepAlive | None = KEEP_ALIVE

    def __init__(self, log_in: Callable[[ClientConnection], Awaitable[None]]) -> None:
        self._log_in = log_in

    async def log_in(self, connection: ClientConnection) -> None:
        """Log in; what it raises is a failed attempt."""
        await self._log_in(connection)

    def frame(self, number: str, method: str, params: wire.Row) -> bytes:
        """Return a request as it is sent."""
        return orjson.dumps({"id": number, "op": method, **params})

    def number(self, reply: wire.Row) -> str | None:
        """Return which request a reply answers; None for a notice."""
        number = reply.get("id")
        return number if isinstance(number, str) else None

    def used(self, reply: wire.Row, at_ns: int) -> UsedQuota | None:
        """Return None: the venue does not tell what is used."""
        return None

    def result(self, reply: wire.Row) -> Any:
        """Return the reply; raises `Unsuccessful` where the request failed as a whole."""
        if not isinstance(reply.get("code"), str):
            raise BadReply("order socket.code: missing")
        refused = refusal_in(reply, REQUEST_ERROR, None)
        if refused is not None:
            raise Unsuccessful(refused)
        return reply


async def log_in(connection: ClientConnection, frame: bytes) -> None:
    """Log a socket in. Raises `VenueError` where the venue says no."""
    await connection.send(frame, text=True)
    while True:
        message = wire.mapping(wire.decode(await connection.recv(decode=False), "login"), "login")
        event = message.get("event")
        if event not in ("login", "error"):
            continue
        code = str(message.get("code", ""))
        if event == "login" and code == DONE:
            return
        words = str(message.get("msg", ""))[:MESSAGE_LENGTH_MAX]
        raise judge(Reply(status=REQUEST_ERROR, code=code, message=words), Effect.READ, CODES)


def refusal_in(decoded: Any, status: int, retry_after_s: float | None) -> Reply | None:
    """Return the error that a reply tells as a whole; None where it has items, which have codes of their own."""
    if not isinstance(decoded, dict):
        return None
    code = decoded.get("code")
    if not isinstance(code, str) or code == DONE or _has_items(decoded.get("data")):
        return None
    message = str(decoded.get("msg", ""))[:MESSAGE_LENGTH_MAX]
    return Reply(status=status, code=code, message=message, retry_after_s=retry_after_s)


def item_refusal(row: wire.Row) -> Reply | None:
    """Return the error of one item of a list of operations, or None where it was done."""
    code, words = wire.text(row, "sCode", "item"), str(row.get("sMsg", ""))[:MESSAGE_LENGTH_MAX]
    if code == DONE:
        return None
    if code == PARAMETER and "posSide" in words:
        code = POSITION_SIDE
    return Reply(status=REQUEST_ERROR, code=code, message=words)


def _has_items(data: Any) -> bool:
    return isinstance(data, list) and bool(data) and all(isinstance(row, dict) and "sCode" in row for row in data)


def _argument(name: str) -> dict[str, str]:
    channel, _, what = name.partition(":")
    argument = {"channel": channel, "instType" if what == "SWAP" else "instId": what}
    if channel == "positions":
        # pushed when something happened to them, and not every few seconds besides
        argument["extraParams"] = '{"updateInterval":"0"}'
    return argument


def _name(message: wire.Row) -> str:
    argument = wire.mapping(message.get("arg"), "stream.arg")
    channel = wire.text(argument, "channel", "stream.arg")
    return f"{channel}:{argument.get('instId') or argument.get('instType') or ''}"


def _words(message: wire.Row) -> str:
    return f"{message.get('code', '')} {str(message.get('msg', ''))[: wire.SHOWN_MAX]}"
