"""One account's limiter: the venue's own windows and our ceiling, by lanes. Pure: time is an argument.

Every window is counted as a sliding one and a little longer than the venue's, so that no alignment of the venue's fixed
windows, and no unevenness of the network, can put more into one of them than it allows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from exchanges.cost import Cost
from exchanges.lane import Lane
from exchanges.port import RateWindow, UsedQuota

MS = 1_000_000
SECOND = 1_000_000_000
RESERVE = 10
"""One part in so many of each window is kept for cancels and exits."""
KEEPERS = (Lane.CANCEL, Lane.EXIT)
PAUSE_FIRST_NS, PAUSE_LAST_NS = SECOND, 60 * SECOND
"""The shortest pause after a refusal, and what it grows to while trials are refused: not every venue tells its end."""
TRIAL_NS = 5 * SECOND
"""How long the answer to a trial is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleRule:
    """Our own ceiling for new orders, and by how much each window of the venue is lengthened: a quarter at most."""

    orders_per_second: Decimal = Decimal(25)
    burst: int = 30
    margin_ms: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowState:
    """One window for the metrics: `used` counts ours and others' requests alike."""

    kind: str
    interval_ms: int
    used: int
    limit: int


class _Window:
    """What was spent of one window, oldest first. At most `limit` entries: each is at least one unit."""

    def __init__(self, window: RateWindow, margin_ms: int) -> None:
        self.kind = window.kind
        self.interval_ms = window.interval_ms
        self.limit = window.limit
        self._length_ns = (window.interval_ms + min(margin_ms, window.interval_ms // 4)) * MS
        self._spent: deque[tuple[int, int]] = deque()
        self._used = 0

    def used(self, now_ns: int) -> int:
        while self._spent and self._spent[0][0] + self._length_ns <= now_ns:
            self._used -= self._spent.popleft()[1]
        return self._used

    def add(self, amount: int, at_ns: int) -> None:
        self._spent.append((at_ns, amount))
        self._used += amount

    def give_back(self, amount: int) -> None:
        """Forget the last time that so much was spent."""
        for place in range(len(self._spent) - 1, -1, -1):
            if self._spent[place][1] == amount:
                del self._spent[place]
                self._used -= amount
                return

    def free_at(self, amount: int, allowed: int, now_ns: int) -> int:
        """Return when `amount` more fits under `allowed`."""
        over = self.used(now_ns) + amount - allowed
        if over <= 0:
            return now_ns
        for at_ns, spent in self._spent:
            over -= spent
            if over <= 0:
                return at_ns + self._length_ns
        raise ValueError(f"{amount} {self.kind} never fit into {allowed}")

    def learn(self, used: int, read_ns: int, now_ns: int) -> None:
        """Take over the venue's count where it is higher: the rest was spent by others, or before we started."""
        later = 0
        for at_ns, spent in reversed(self._spent):
            if at_ns <= read_ns:
                break
            later += spent
        missing = used - (self.used(now_ns) - later)
        if missing > 0:
            self.add(missing, now_ns)


class _Bucket:
    """Our ceiling for orders: `burst` tokens, refilled evenly. Counted in nanoseconds of refill, exactly."""

    def __init__(self, rule: ThrottleRule) -> None:
        period = (Decimal(SECOND) / rule.orders_per_second).to_integral_value(rounding=ROUND_CEILING)
        self._period_ns = int(period)
        self.burst = rule.burst
        self._full_at_ns: int | None = None
        """When the bucket will be full again; None while nothing was ever taken."""

    def tokens(self, now_ns: int) -> int:
        missing_ns = max(0, (self._full_at_ns or now_ns) - now_ns)
        return self.burst - -(-missing_ns // self._period_ns)

    def free_at(self, amount: int, kept: int, now_ns: int) -> int:
        """Return when `amount` tokens can be taken so that `kept` stay."""
        if amount == 0:
            return now_ns
        if amount + kept > self.burst:
            raise ValueError(f"{amount} orders at once never fit into a burst of {self.burst}, {kept} of it reserved")
        full_at_ns = self._full_at_ns or now_ns
        return max(now_ns, full_at_ns - (self.burst - kept - amount) * self._period_ns)

    def take(self, amount: int, now_ns: int) -> None:
        self._full_at_ns = max(self._full_at_ns or now_ns, now_ns) + amount * self._period_ns

    def give_back(self, amount: int) -> None:
        if self._full_at_ns is not None:
            self._full_at_ns -= amount * self._period_ns


class Throttle:
    """Says when a request may go, and counts it.

    Entries and reads leave a tenth of each window, and of the burst, to cancels and exits. `now_ns` must never fall.

    After a ban one request goes alone, the most urgent; the rest wait for its answer. So a ban that lasts longer than
    we were told meets one request and not the whole line, which keeps its order.
    """

    def __init__(self, windows: Sequence[RateWindow], rule: ThrottleRule) -> None:
        self._windows = [_Window(window, rule.margin_ms) for window in windows]
        self._bucket = _Bucket(rule)
        self._banned_until_ns = 0
        self._refusals = 0
        """How often in a row the venue refused to hear us; over once a trial is answered."""
        self._trial_ns: int | None = None
        """Since when a trial is under way; the ban lasts on meanwhile."""

    def ready_at(self, lane: Lane, cost: Cost, now_ns: int) -> int:
        """Return the earliest time for the request if nothing else is sent before; `now_ns` where that is now.

        Raises `ValueError` for a request that could never go, however long it waits.
        """
        ready_ns = max(now_ns, self._banned_until_ns)
        kept = 0 if lane in KEEPERS else _reserve(self._bucket.burst)
        ready_ns = max(ready_ns, self._bucket.free_at(cost.orders, kept, now_ns))
        for window in self._windows:
            amount = cost.of(window.kind)
            if amount:
                ready_ns = max(ready_ns, window.free_at(amount, _allowed(window.limit, lane), now_ns))
        return ready_ns

    def take(self, lane: Lane, cost: Cost, now_ns: int) -> bool:
        """Count the request and return True, or return False where it may not go yet."""
        if self.ready_at(lane, cost, now_ns) > now_ns:
            return False
        if cost.orders:
            self._bucket.take(cost.orders, now_ns)
        for window in self._windows:
            amount = cost.of(window.kind)
            if amount:
                window.add(amount, now_ns)
        if self._refusals:
            self._trial_ns, self._banned_until_ns = now_ns, now_ns + TRIAL_NS
        return True

    def give_back(self, cost: Cost) -> None:
        """Uncount a request that was counted just now, and is not sent."""
        self.untried()
        if cost.orders:
            self._bucket.give_back(cost.orders)
        for window in self._windows:
            amount = cost.of(window.kind)
            if amount:
                window.give_back(amount)

    def observe(self, used: UsedQuota, now_ns: int) -> None:
        """Learn what the venue counts; never less than we count ourselves. A reading older than its window is void."""
        for window in self._windows:
            count = used.used.get((window.kind, window.interval_ms))
            if count is not None and now_ns - used.at_ns < window.interval_ms * MS:
                window.learn(count, used.at_ns, now_ns)

    def ban(self, until_ns: int, now_ns: int) -> None:
        """Send nothing before `until_ns`, cancels included: who goes on under a ban is banned for longer.

        Nor for a pause that doubles with each trial that is refused.
        """
        if self._trial_ns is not None:
            self._banned_until_ns, self._trial_ns = now_ns, None
        if now_ns >= self._banned_until_ns:
            pause_ns = min(PAUSE_FIRST_NS << min(self._refusals, 10), PAUSE_LAST_NS)
            until_ns = max(until_ns, now_ns + pause_ns)
            self._refusals += 1
        self._banned_until_ns = max(self._banned_until_ns, until_ns)

    def answered(self, begun_ns: int) -> bool:
        """Note that the venue heard a request that began then; whether this ends a ban."""
        if self._trial_ns is None or begun_ns < self._trial_ns:
            return False
        self._banned_until_ns = self._refusals = 0
        self._trial_ns = None
        return True

    def untried(self) -> bool:
        """Note that no answer is to be expected of what was let go last: the next to go is the trial, if one is due."""
        if self._trial_ns is None:
            return False
        self._banned_until_ns, self._trial_ns = self._trial_ns, None
        return True

    def is_banned(self, now_ns: int) -> bool:
        """Whether a ban is in force, or its end is being tried."""
        return now_ns < self._banned_until_ns

    def tokens(self, now_ns: int) -> int:
        """Return how many orders our own ceiling allows at once."""
        return self._bucket.tokens(now_ns)

    def windows(self, now_ns: int) -> list[WindowState]:
        """Return how full each window is."""
        return [
            WindowState(kind=w.kind, interval_ms=w.interval_ms, used=w.used(now_ns), limit=w.limit)
            for w in self._windows
        ]


def _reserve(limit: int) -> int:
    return -(-limit // RESERVE) if limit > 1 else 0


def _allowed(limit: int, lane: Lane) -> int:
    return limit if lane in KEEPERS else limit - _reserve(limit)
