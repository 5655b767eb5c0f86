"""What goes wrong at the wire: a seeded decision for every request, reply, read and frame.

A rule says which kind of fault strikes, where (scope), how often (probability, count, after) and for how long. The
plan decides and counts; it does nothing itself. Each rule draws from a random stream of its own, so adding a rule
leaves the decisions of the others as they were.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase


class FaultKind(Enum):
    # before the request is acted upon
    REQUEST_LATENCY = "request_latency"
    REQUEST_LOST = "request_lost"
    ACCEPTED_LATE = "accepted_late"
    SERVICE_UNAVAILABLE = "service_unavailable"
    OVERLOADED = "overloaded"
    RATE_LIMITED = "rate_limited"
    BANNED = "banned"
    LOGIN_REFUSED = "login_refused"
    # after it was acted upon
    REPLY_LATENCY = "reply_latency"
    REPLY_LOST = "reply_lost"
    REPLY_TRUNCATED = "reply_truncated"
    UNKNOWN_ERROR = "unknown_error"
    BAD_GATEWAY = "bad_gateway"
    UNEXPECTED_RESPONSE = "unexpected_response"
    BACKEND_TIMEOUT = "backend_timeout"
    # what a read shows
    LATE_VISIBILITY = "late_visibility"
    STALE_READ = "stale_read"
    EMPTY_POSITIONS = "empty_positions"
    EMPTY_OPEN_ORDERS = "empty_open_orders"
    CANDLES_MISSING = "candles_missing"
    # frames of a stream
    STREAM_LATENCY = "stream_latency"
    EVENT_DROPPED = "event_dropped"
    EVENT_DOUBLED = "event_doubled"
    EVENT_DELAYED = "event_delayed"
    EVENT_REORDERED = "event_reordered"
    FROZEN_STREAM = "frozen_stream"
    # the socket, the key, the clock
    HALF_OPEN = "half_open"
    FORCED_CUT = "forced_cut"
    LISTEN_KEY_EXPIRED = "listen_key_expired"
    CLOCK_SKEW = "clock_skew"


class Loss(Enum):
    """How a caller sees that no reply comes."""

    CLOSE = "close"
    HANG = "hang"
    TIMEOUT = "timeout"


class Shape(Enum):
    FIXED = "fixed"
    UNIFORM = "uniform"
    NORMAL = "normal"
    EXPONENTIAL = "exponential"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """A delay in ms: `low` alone (fixed), low to high (uniform), mean and deviation (normal), or low plus an
    exponential tail with mean `high`. Never negative, never over `most_ms`."""

    shape: Shape = Shape.FIXED
    low_ms: float = 0
    high_ms: float = 0
    most_ms: float = 60_000

    def sample_ms(self, rng: random.Random) -> int:
        drawn = self.low_ms
        match self.shape:
            case Shape.FIXED:
                pass
            case Shape.UNIFORM:
                drawn = rng.uniform(self.low_ms, self.high_ms)
            case Shape.NORMAL:
                drawn = rng.gauss(self.low_ms, self.high_ms)
            case Shape.EXPONENTIAL:
                drawn += rng.expovariate(1 / self.high_ms) if self.high_ms > 0 else 0
        return round(min(max(drawn, 0), self.most_ms))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where a rule applies; an empty field matches everything, the others are shell patterns.

    `endpoint` is matched against "POST /fapi/v1/order", the action ("order.place") and the door ("rest", "ws");
    `stream` against the event type or stream name; `path` against the start of a socket's path.
    """

    endpoint: str = ""
    symbol: str = ""
    account: str = ""
    stream: str = ""
    path: str = ""
    client_id: str = ""

    def covers(self, subject: Subject) -> bool:
        return (
            (not self.endpoint or any(fnmatchcase(name, self.endpoint) for name in subject.endpoints))
            and (not self.symbol or fnmatchcase(subject.symbol, self.symbol))
            and (not self.account or fnmatchcase(subject.account, self.account))
            and (not self.stream or fnmatchcase(subject.stream, self.stream))
            and (not self.path or subject.path.startswith(self.path))
            and (not self.client_id or fnmatchcase(subject.client_id, self.client_id))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a fault may strike: one request, reply, read or frame."""

    endpoints: tuple[str, ...] = ()
    symbol: str = ""
    account: str = ""
    stream: str = ""
    path: str = ""
    client_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """`count` is how often it strikes at most (None: no bound), `after` how many matches pass unharmed first;
    it is active from `start_ms` for `length_ms` after it was added (None: until removed).

    What a rule delays, or hides, `until_healed` stays so until the rule is removed, and its delay after that.
    """

    name: str
    kind: FaultKind
    scope: Scope = field(default_factory=Scope)
    probability: float = 1.0
    count: int | None = None
    after: int = 0
    start_ms: int = 0
    length_ms: int | None = None
    delay: Delay = field(default_factory=Delay)
    until_healed: bool = False
    loss: Loss = Loss.CLOSE


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """One fault that happens now. `released`: what it delays waits first until this is set, when its rule goes."""

    rule: str
    kind: FaultKind
    delay_ms: int
    loss: Loss
    released: asyncio.Event | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing but its delay keeps back what it struck."""
        return self.released is None or self.released.is_set()


@dataclass(slots=True)
class _Standing:
    rule: FaultRule
    rng: random.Random
    added_ms: int
    matches: int = 0
    strikes: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)


class FaultPlan:
    """The rules in force, in the order they were added."""

    def __init__(self, rules: Iterable[FaultRule] = (), *, seed: int = 0, now_ms: int = 0) -> None:
        self._seed = seed
        self._standing: dict[str, _Standing] = {}
        self.struck: deque[tuple[int, Strike, Subject]] = deque(maxlen=2000)
        for rule in rules:
            self.add(rule, now_ms)

    def add(self, rule: FaultRule, now_ms: int) -> None:
        """Put a rule in force; one of the same name is replaced and starts anew."""
        self.remove(rule.name)
        self._standing[rule.name] = _Standing(rule, random.Random(f"{self._seed}/{rule.name}"), now_ms)

    def remove(self, name: str) -> bool:
        standing = self._standing.pop(name, None)
        if standing is not None:
            standing.released.set()
        return standing is not None

    def clear(self) -> None:
        for name in list(self._standing):
            self.remove(name)

    def strike(self, kind: FaultKind, subject: Subject, now_ms: int) -> Strike | None:
        """Decide whether a fault of this kind strikes the subject; the first rule that strikes wins."""
        for standing in self._standing.values():
            if standing.rule.kind is kind and self._hits(standing, subject, now_ms):
                strike = Strike(
                    rule=standing.rule.name,
                    kind=kind,
                    delay_ms=standing.rule.delay.sample_ms(standing.rng),
                    loss=standing.rule.loss,
                    released=standing.released if standing.rule.until_healed else None,
                )
                self.struck.append((now_ms, strike, subject))
                return strike
        return None

    def first_strike(self, kinds: Iterable[FaultKind], subject: Subject, now_ms: int) -> Strike | None:
        for kind in kinds:
            strike = self.strike(kind, subject, now_ms)
            if strike is not None:
                return strike
        return None

    def skew_ms(self, now_ms: int) -> int:
        """Return what the venue's clock is off by now: the sum over the active rules, not counted as strikes."""
        return sum(
            round(standing.rule.delay.low_ms)
            for standing in self._standing.values()
            if standing.rule.kind is FaultKind.CLOCK_SKEW and _is_active(standing, now_ms)
        )

    def standing(self) -> list[tuple[FaultRule, int, int]]:
        """Return each rule with its matches and strikes so far."""
        return [(held.rule, held.matches, held.strikes) for held in self._standing.values()]

    def _hits(self, standing: _Standing, subject: Subject, now_ms: int) -> bool:
        rule = standing.rule
        if not _is_active(standing, now_ms) or not rule.scope.covers(subject):
            return False
        standing.matches += 1
        if standing.matches <= rule.after or (rule.count is not None and standing.strikes >= rule.count):
            return False
        if standing.rng.random() >= rule.probability:
            return False
        standing.strikes += 1
        return True


def _is_active(standing: _Standing, now_ms: int) -> bool:
    age_ms = now_ms - standing.added_ms - standing.rule.start_ms
    return age_ms >= 0 and (standing.rule.length_ms is None or age_ms < standing.rule.length_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameCopy:
    """One sending of a frame: after `delay_ms`, in line with the others or past them."""

    delay_ms: int = 0
    is_in_line: bool = True


def frame_copies(plan: FaultPlan, subject: Subject, now_ms: int) -> tuple[FrameCopy, ...]:
    """Decide what becomes of one frame: none (dropped), one, or two, each with its delay."""
    if plan.first_strike((FaultKind.EVENT_DROPPED, FaultKind.FROZEN_STREAM), subject, now_ms):
        return ()
    latency = plan.strike(FaultKind.STREAM_LATENCY, subject, now_ms)
    base_ms = latency.delay_ms if latency else 0
    delayed = plan.strike(FaultKind.EVENT_DELAYED, subject, now_ms)
    reordered = plan.strike(FaultKind.EVENT_REORDERED, subject, now_ms)
    first = FrameCopy(
        delay_ms=base_ms + (delayed.delay_ms if delayed else 0) + (reordered.delay_ms if reordered else 0),
        is_in_line=reordered is None,
    )
    doubled = plan.strike(FaultKind.EVENT_DOUBLED, subject, now_ms)
    if doubled is None:
        return (first,)
    return (first, FrameCopy(delay_ms=first.delay_ms + doubled.delay_ms, is_in_line=doubled.delay_ms == 0))
