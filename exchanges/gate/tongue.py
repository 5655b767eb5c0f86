"""How Gate words replies, subscriptions and order requests: what the shared session asks of a venue. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection

from exchanges import wire
from exchanges.errors import BadReply, VenueUnreachable
from exchanges.gate import requests
from exchanges.gate.codes import CODES
from exchanges.gate.requests import Body
from exchanges.gate.weights import SECOND_MS
from exchanges.outcome import Reply
from exchanges.port import UsedQuota
from exchanges.session.http import MESSAGE_LENGTH_MAX, PAUSE_S_MAX, pause_s
from exchanges.session.keep_alive import KeepAlive
from exchanges.session.request_socket import Unsuccessful
from exchanges.session.settings import Credentials
from exchanges.session.subscription import Confirmed, Heard, Refused, Told

LIMIT, LEFT = "X-Gate-RateLimit-Limit", "X-Gate-RateLimit-Requests-Remain"
RESET = "X-Gate-RateLimit-Reset-Timestamp"
SECONDS_MAX = 10**11
"""The socket tells the end of a limit in milliseconds, REST in seconds: what is larger than this is no second."""
CANDLES = "futures.candlesticks"
QUOTES = "futures.book_ticker"
TICKERS = "futures.tickers"
PRINTS = "futures.trades"
ORDER_PLACE, ORDER_CANCEL = "futures.order_place", "futures.order_cancel"
ALL_CONTRACTS = "!all"


class GateHttp:
    """REST: a `label` is an error, and so is an item of a batch with one; limits come in headers, by address."""

    codes = CODES

    def __init__(self, counts_orders: bool = False) -> None:
        self._counts_orders = counts_orders

    def used(self, headers: Mapping[str, str], at_ns: int) -> UsedQuota | None:
        """Return what the headers of the address for new orders count as used."""
        if not self._counts_orders:
            return None
        return used_of(headers.get(LIMIT), headers.get(LEFT), at_ns)

    def pause_s(self, headers: Mapping[str, str]) -> float | None:
        """Return how long a limit lasts: until the moment that the venue names, by the venue's own date."""
        try:
            answered_ms = int(parsedate_to_datetime(headers["Date"]).timestamp()) * 1000
        except (KeyError, ValueError):
            return pause_s(headers)
        return _left_s(headers.get(RESET), answered_ms) or pause_s(headers)

    def refusal(self, decoded: Any, status: int, retry_after_s: float | None) -> Reply | None:
        """Return the error that a body, or an item of a batch, tells."""
        return refusal_in(decoded, status, retry_after_s)


class GateStreams:
    """Subscriptions by channel, each answered by its number. A stream's name is its channel and what it is about."""

    keep_alive: KeepAlive | None = None

    def __init__(self, venue_now_ms: Callable[[], int]) -> None:
        self._venue_now_ms = venue_now_ms
        self._asked: dict[int, tuple[str, ...]] = {}

    def requests(self, names: Sequence[str]) -> list[Mapping[str, Any]]:
        """Return the frames that ask for the streams: candles one by one, the rest by channel."""
        self._asked = {}
        frames: list[Mapping[str, Any]] = []
        channels: dict[str, list[str]] = {}
        for name in names:
            channel, _, about = name.partition(":")
            if channel == CANDLES:
                interval, _, contract = about.partition("_")
                frames.append(self._frame(channel, [interval, contract], (name,)))
            else:
                channels.setdefault(channel, []).append(about)
        for channel, about_all in channels.items():
            asked = tuple(stream_name(channel, about) for about in about_all)
            frames.append(self._frame(channel, about_all, asked))
        return frames

    def hear(self, message: wire.Row) -> Heard:
        """Return what a frame says."""
        if message.get("event") == "subscribe":
            return self._answer(message)
        if message.get("event") not in ("update", "all"):
            return None
        channel = wire.text(message, "channel", "stream")
        return Told(name=self._told_name(channel, message.get("result")), content=message)

    def _frame(self, channel: str, payload: Sequence[str], names: tuple[str, ...]) -> Body:
        number = len(self._asked) + 1
        self._asked[number] = names
        return requests.subscription(channel, payload, number, self._venue_now_ms())

    def _answer(self, message: wire.Row) -> Heard:
        error = message.get("error")
        if error:
            told = error.get("message") if isinstance(error, dict) else error
            return Refused(words=_words(told))
        return Confirmed(names=self._asked.get(wire.integer(message, "id", "subscribe"), ()))

    def _told_name(self, channel: str, result: Any) -> str:
        rows = result if isinstance(result, list) else [result]
        first = rows[0] if rows and isinstance(rows[0], dict) else {}
        return stream_name(channel, str(first.get({CANDLES: "n", QUOTES: "s"}.get(channel, "contract"), "")))


class GateAccountStreams(GateStreams):
    """The account's channels: each request is signed and names the account's number, which the login tells."""

    def __init__(self, credentials: Credentials, venue_now_ms: Callable[[], int]) -> None:
        super().__init__(venue_now_ms)
        self._credentials = credentials
        self._user = ""

    async def log_in(self, connection: ClientConnection) -> None:
        """Learn the account's number."""
        self._user = await log_in(connection, self._credentials, self._venue_now_ms())

    def requests(self, names: Sequence[str]) -> list[Mapping[str, Any]]:
        """Return the frames that ask for the channels of all contracts."""
        self._asked = {}
        asked = [self._frame(name, [self._user, ALL_CONTRACTS], (name,)) for name in names]
        return [requests.authorised(frame, self._credentials) for frame in asked]

    def _told_name(self, channel: str, result: Any) -> str:
        return channel


class GateOrders:
    """Order entry: the socket logs in once; a request is acknowledged, then answered, by its number."""

    codes = CODES
    keep_alive: KeepAlive | None = None

    def __init__(self, credentials: Credentials, venue_now_ms: Callable[[], int]) -> None:
        self._credentials = credentials
        self._venue_now_ms = venue_now_ms

    async def log_in(self, connection: ClientConnection) -> None:
        """Give the socket to the account."""
        await log_in(connection, self._credentials, self._venue_now_ms())

    def frame(self, number: str, method: str, params: wire.Row) -> bytes:
        """Return a request as it is sent; `params` hold its `time` and the rest of its payload."""
        payload = {"req_id": number, **params["payload"]}
        return orjson.dumps({"time": params["time"], "channel": method, "event": "api", "payload": payload})

    def number(self, reply: wire.Row) -> str | None:
        """Return which request a reply answers; None for a mere acknowledgement."""
        told = reply.get("request_id")
        return told if isinstance(told, str) and reply.get("ack") is not True else None

    def used(self, reply: wire.Row, at_ns: int) -> UsedQuota | None:
        """Return what the reply to an order counts as used."""
        head = reply.get("header")
        if not isinstance(head, dict) or head.get("channel") != ORDER_PLACE:
            return None
        # what is used up is left out
        left = head.get("x_gate_ratelimit_requests_remain", 0)
        return used_of(head.get("x_gate_ratelimit_limit"), left, at_ns)

    def result(self, reply: wire.Row) -> Any:
        """Return the result of a reply; raises `Unsuccessful` for an error of the venue."""
        where = "order socket"
        head, told = wire.mapping(reply.get("header"), where), wire.mapping(reply.get("data"), where)
        status = wire.integer(head, "status", where)
        if status == 200 and "errs" not in told:
            if "result" not in told:
                raise BadReply(f"{where}: neither result nor error")
            return told["result"]
        found = refusal_in(told.get("errs"), 400 if status == 200 else status, _pause_s(head))
        raise Unsuccessful(found or Reply(status=status, code=None, message="no label in the reply"))


async def log_in(connection: ClientConnection, credentials: Credentials, venue_now_ms: int) -> str:
    """Log a socket in and return the account's number; raises `VenueUnreachable` where the venue refuses."""
    number = "login"
    await connection.send(requests.login(credentials, venue_now_ms, number), text=True)
    while True:
        message = wire.mapping(wire.decode(await connection.recv(decode=False), number), number)
        if message.get("request_id") == number and message.get("ack") is not True:
            break
    told = wire.mapping(message.get("data"), number)
    if "errs" in told or not isinstance(told.get("result"), dict):
        errors = told.get("errs")
        raise VenueUnreachable(f"login refused: {_words(errors.get('label') if isinstance(errors, dict) else errors)}")
    return wire.text(told["result"], "uid", number)


def stream_name(channel: str, about: str) -> str:
    """Return the name of a stream: the venue has none of its own."""
    return f"{channel}:{about}"


def refusal_in(decoded: Any, status: int, retry_after_s: float | None) -> Reply | None:
    """Return the error that a decoded body tells, or None. An order's own label is an error in a batch only."""
    label = decoded.get("label") if isinstance(decoded, dict) else None
    if not isinstance(label, str) or not label or decoded.get("succeeded") is True:
        return None
    message = str(decoded.get("message", decoded.get("detail", "")))[:MESSAGE_LENGTH_MAX]
    return Reply(status=status, code=label[:MESSAGE_LENGTH_MAX], message=message, retry_after_s=retry_after_s)


def used_of(limit: Any, left: Any, at_ns: int) -> UsedQuota | None:
    """Return how many orders are counted in the running second; None where there are no numbers."""
    try:
        allowed, remaining = int(limit), int(left)
    except (TypeError, ValueError):
        return None
    if not 0 <= remaining <= allowed:
        return None
    return UsedQuota(used={("orders", SECOND_MS): allowed - remaining}, at_ns=at_ns)


def _pause_s(head: wire.Row) -> float | None:
    """Return how long a limit lasts: the venue tells when it answered and when it ends."""
    return _left_s(head.get("x_gate_ratelimit_reset_timestamp"), head.get("response_time"))


def _left_s(until: Any, now_ms: Any) -> float | None:
    """Return how long it is until then; None where that is no time, or over: without a limit the venue tells now."""
    try:
        told, answered_ms = int(until), int(now_ms)
    except (TypeError, ValueError):
        return None
    until_ms = told * 1000 if told < SECONDS_MAX else told
    return min(max(0.0, (until_ms - answered_ms) / 1000), PAUSE_S_MAX) or None


def _words(told: Any) -> str:
    return told if isinstance(told, str) and len(told) <= wire.SHOWN_MAX else wire.shown(told)
