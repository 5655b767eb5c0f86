"""ccxt's exchange as we let it run: our session sends, our rule judges, our clock stamps, and nothing is sent twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from exchanges.errors import BadReply, OutcomeUnknown, VenueError, VenueRefused
from exchanges.generic.facts import facts_of
from exchanges.generic.outcome import name_of, worded
from exchanges.hosts import HostPolicy
from exchanges.outcome import BANNED, TOO_MANY_REQUESTS, Effect, Reply
from exchanges.session.http import MESSAGE_LENGTH_MAX, HttpClient, pause_s
from exchanges.session.one_exchange import ccxt_streaming
from exchanges.session.settings import AdapterSettings

READING_FAULTS = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, AssertionError)
"""What ccxt's parsers raise over a message of another shape."""
KEPT = 5_000
"""Orders and trades of a stream that ccxt holds until they are asked for."""


@dataclass(slots=True)
class Call:
    """What a request of ccxt's is for; it may send several."""

    effect: Effect
    timeout_s: float
    closing: bool = False
    post_only: bool = False
    is_sent: bool = False


CALL: ContextVar[Call | None] = ContextVar("ccxt_call", default=None)


@dataclass(slots=True, kw_only=True)
class Ground:
    """What ccxt's exchange stands on: our session, clock and fence."""

    now_ms: Callable[[], int]
    read_timeout_s: float
    http: HttpClient | None = None
    """None until the exchange has told which hosts it needs."""
    fence: Callable[[], None] = lambda: None


@dataclass(slots=True, kw_only=True)
class Ears:
    """Who hears what happens on the sockets of one connection."""

    sent: Callable[[str], None]
    heard: Callable[[str], None]
    broke: Callable[[BaseException], None]


class _Grounded:
    """Stands before ccxt's class: where that would use a session, a clock or a proxy of its own, ours is used."""

    _ground: Ground
    ears: Ears | None

    def milliseconds(self) -> int:
        return self._ground.now_ms()

    def microseconds(self) -> int:
        return self._ground.now_ms() * 1000

    def seconds(self) -> int:
        return self._ground.now_ms() // 1000

    async def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        """Send one request, once; ccxt calls this for every one that it has built and signed."""
        http = self._ground.http
        assert http is not None
        call = CALL.get() or Call(Effect.READ, self._ground.read_timeout_s)
        built: dict[str, str] = self.prepare_request_headers(headers)  # type: ignore[attr-defined]
        if call.effect is Effect.WRITE:
            self._ground.fence()
        call.is_sent = True
        status, told, raw = await http.exchange(
            method, url, effect=call.effect, timeout_s=call.timeout_s, headers=built, body=body
        )
        text = raw.decode("utf-8", "replace")
        decoded = _decoded(text)
        is_success = 200 <= status < 300
        try:
            self.handle_errors(status, "", url, method, dict(told), text, decoded, built, body)  # type: ignore[attr-defined]
            if not is_success:
                self.handle_http_status_code(status, "", url, method, text)  # type: ignore[attr-defined]
        except self.base_error as error:  # type: ignore[attr-defined]
            reply = Reply(
                status=400 if is_success else status,
                code=name_of(error),
                message=text[:MESSAGE_LENGTH_MAX],
                retry_after_s=pause_s(told),
            )
            raise self._known(reply, call.effect) or worded(
                http.judged(reply, call.effect), call.effect, closing=call.closing, post_only=call.post_only
            ) from None
        if not is_success:
            raise http.judged(
                Reply(status=status, code=None, message=text[:MESSAGE_LENGTH_MAX], retry_after_s=pause_s(told)),
                call.effect,
            )
        if decoded is None and text:
            raise BadReply("rest: no JSON")
        return decoded

    def _known(self, reply: Reply, effect: Effect) -> VenueError | None:
        """Return what an answer is known to mean although ccxt's class for it says otherwise."""
        facts = facts_of(self.id)  # type: ignore[attr-defined]
        is_answer = 400 <= reply.status < 500 and reply.status not in (TOO_MANY_REQUESTS, BANNED)
        if effect is Effect.WRITE and any(words in reply.message for words in facts.doubtful):
            return OutcomeUnknown(reply.message)
        for words, refusal in facts.final if is_answer else ():
            if words in reply.message:
                return VenueRefused(str(reply.code), reply.message, refusal)
        return None

    def open(self, lazy: bool = False) -> None:
        """Take the running loop; no session and no certificates of ccxt's own are made."""
        if self.asyncio_loop is None:  # type: ignore[has-type]
            self.asyncio_loop = asyncio.get_running_loop()
            self.throttler.loop = self.asyncio_loop  # type: ignore[attr-defined]

    def client(self, url: str) -> Any:
        """Return the socket of an address, and hear what is sent on it."""
        is_known = url in (self.clients or {})  # type: ignore[attr-defined]
        made = super().client(url)  # type: ignore[misc]
        if not is_known:
            send = made.send

            async def heard_send(message: Any) -> Any:
                if self.ears is not None:
                    self.ears.sent(url)
                return await send(message)

            made.send = heard_send
            _keep_what_nobody_waits_for(made)
        return made

    def on_connected(self, client: Any, message: Any = None) -> None:
        """Take over how often the socket is asked for a sign of life: some venues' answers set it, and high."""
        client.keepAlive = min(client.keepAlive, self.streaming["keepAlive"])  # type: ignore[attr-defined]
        super().on_connected(client, message)  # type: ignore[misc]

    def handle_message(self, client: Any, message: Any) -> None:
        """Read one frame. In ccxt an error here ends the reading of the socket, and nobody is told."""
        if self.ears is not None:
            self.ears.heard(client.url)
        try:
            super().handle_message(client, message)  # type: ignore[misc]
        except (*READING_FAULTS, self.base_error) as fault:  # type: ignore[attr-defined]
            if self.ears is not None:
                self.ears.broke(fault)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(hidden)"


def _keep_what_nobody_waits_for(client: Any) -> None:
    """Have news that came while nobody waited answer the next who asks: ccxt would tell them with the news after."""
    future, resolve = client.future, client.resolve
    missed: dict[str, Any] = {}

    def next_future(message_hash: str) -> Any:
        made = future(message_hash)
        if message_hash in missed and not made.done():
            resolve(missed.pop(message_hash), message_hash)
        return made

    def keeping_resolve(result: Any, message_hash: str) -> Any:
        if message_hash not in client.futures:
            missed[message_hash] = result
        return resolve(result, message_hash)

    client.future, client.resolve = next_future, keeping_resolve


@cache
def _class_of(name: str) -> Any:
    streaming, base_error = ccxt_streaming(name)
    return type(name, (_Grounded, streaming), {"base_error": base_error})


def exchange(name: str, settings: AdapterSettings, ground: Ground, session: aiohttp.ClientSession | None = None) -> Any:
    """Return ccxt's exchange, pointed where the settings say. Does no I/O; `session` is for its sockets."""
    keys = settings.credentials
    facts = facts_of(name)
    options: dict[str, Any] = {
        "defaultType": "swap",
        "defaultSubType": "linear",
        "adjustForTimeDifference": False,
        "maxRetriesOnFailure": 0,
        "fetchMarkets": {"types": [facts.market_type]},
        "recvWindow": settings.recv_window_ms,
        "ordersLimit": KEPT,
        "tradesLimit": KEPT,
        **facts.options,
    }
    config: dict[str, Any] = {"enableRateLimit": False, "number": str, "options": options}
    if keys is not None:
        config |= {"apiKey": keys.api_key, "secret": keys.api_secret, "password": keys.passphrase}
    if session is not None:
        config["session"] = session
    kind = _class_of(name)
    made = kind.__new__(kind)
    made._ground, made.ears = ground, None  # its constructor may ask for the time
    made.__init__(config)
    made.timeout_on_exit = 0
    made.has = {**made.has, "fetchCurrencies": False}
    if settings.is_testnet:
        made.set_sandbox_mode(True)
    override = settings.override()
    if override is not None:
        made.urls = {"api": _moved(made.urls["api"], *override), "logo": "", "www": "", "doc": []}
    beat_ms = int(settings.ping_interval_s * 1000)
    made.streaming = {**made.streaming, "keepAlive": min(beat_ms, int(made.streaming.get("keepAlive") or beat_ms))}
    return made


def policy(made: Any) -> HostPolicy:
    """Return which hosts an exchange may reach: those of its table of addresses and no other."""
    told = [address.replace("{hostname}", str(made.hostname)) for address in _addresses(made.urls["api"])]
    known = HostPolicy.of(told)
    # on loopback the simulated venue tells its own
    return (
        known if known.loopback_only else HostPolicy.of([*told, *(f"wss://{one}" for one in facts_of(made.id).hosts)])
    )


def _addresses(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        for branch in tree.values():
            yield from _addresses(branch)
    elif isinstance(tree, str) and "://" in tree:
        yield tree


def _moved(tree: Any, rest: str, sockets: str) -> Any:
    """Return a table of addresses under other hosts, the paths kept."""
    if isinstance(tree, dict):
        return {name: _moved(branch, rest, sockets) for name, branch in tree.items()}
    if not isinstance(tree, str) or "://" not in tree:
        return tree
    parts = urlsplit(tree)
    base = urlsplit(sockets if parts.scheme.startswith("ws") else rest)
    return urlunsplit((base.scheme, base.netloc, parts.path, parts.query, parts.fragment))


def _decoded(text: str) -> Any:
    """Return the JSON with its fractions as the text that stood there, or None where it is none."""
    try:
        return json.loads(text, parse_float=str)
    except ValueError:
        return None
