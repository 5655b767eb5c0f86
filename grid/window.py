"""The window: which levels entered or left as the price moved (rules 5, 9, 10, 15).

Messages grow with levels crossed, never with levels times ticks: a quote that crosses nothing gives an empty change.
"""

from __future__ import annotations

from dataclasses import dataclass

from grid.ladder import Ladder
from grid.policy import GridPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketView:
    """What a level needs to know of the price. `price` is the oriented reference price (best bid of a long grid).

    `top` is c and `floor` is f of rule 5. `version` rises with every announced change. `at_ms` is when the quote came.
    """

    symbol: str
    generation: int
    price: int
    top: int
    floor: int
    version: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowChange:
    """The difference that a quote made: levels that opened or closed to entries, exits now due, alarms rung.

    A level that has `left` takes no new entry; one that rests there goes only once it is beyond the slack.
    """

    view: MarketView
    entered: tuple[int, ...] = ()
    left: tuple[int, ...] = ()
    due: tuple[int, ...] = ()
    rung: tuple[int, ...] = ()
    quoted_ms: int | None = None
    """When the quote came that made the difference; None in the answer to a question, which no quote has made."""

    @property
    def levels(self) -> tuple[int, ...]:
        """Return every level concerned, once."""
        return tuple(sorted({*self.entered, *self.left, *self.due, *self.rung}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A slot's wish to be told once the oriented price is at or under `low`, or at or above `high`.

    A price that was told before `after_ms` says nothing to it.
    """

    level: int
    low: int | None = None
    high: int | None = None
    after_ms: int = 0

    def rings_at(self, price: int, at_ms: int) -> bool:
        """Whether the price of this time is outside the band."""
        if at_ms < self.after_ms:
            return False
        return (self.low is not None and price <= self.low) or (self.high is not None and price >= self.high)


class Window:
    """Turns quotes of one symbol into differences. Holds no truth: a new one announces itself as a whole."""

    def __init__(self, ladder: Ladder, policy: GridPolicy) -> None:
        self._ladder = ladder
        self._policy = policy
        self._view: MarketView | None = None
        self._alarms: dict[int, Alarm] = {}
        self._touched = range(0)
        self._calm = range(0)
        """Prices at which nothing is announced: nearly all quotes are among them."""

    @property
    def view(self) -> MarketView | None:
        """Return the last view, None before the first quote."""
        return self._view

    def levels_in_reach(self) -> range:
        """Return the levels in which an entry may rest or stay, window and slack, for a listener that missed a word.

        One that rests in the slack by a word that this window has taken back is told again when it has to go.
        """
        if self._view is None:
            return range(0)
        reach = range(self._lowest_kept(self._view.top), self._view.top + 1)
        self._touched = range(min(reach.start, self._touched.start), max(reach.stop, self._touched.stop))
        return reach

    def on_price(self, price: int, now_ms: int) -> WindowChange:
        """Take the oriented reference price of a new quote; return what changed."""
        last = self._view
        if last is not None and last.price == price and price in self._calm:
            return WindowChange(view=last)
        rung: tuple[int, ...] = ()
        if last is not None and price in self._calm:
            top, floor, moved = last.top, last.floor, False
        else:
            top, floor = self._place(price)
            rung = tuple(level for level, alarm in self._alarms.items() if alarm.rings_at(price, now_ms))
            moved = last is None or (top, floor) != (last.top, last.floor) or bool(rung)
            for level in rung:
                del self._alarms[level]
            self._calm = self._calm_around(price, floor)
        # A new window starts at the time, so that its views are newer than those of the one it replaces.
        version = max(1, now_ms) if last is None else last.version + (1 if moved else 0)
        view = MarketView(
            symbol=self._policy.symbol,
            generation=self._ladder.generation,
            price=price,
            top=top,
            floor=floor,
            version=version,
            at_ms=now_ms,
        )
        self._view = view
        if not moved:
            return WindowChange(view=view)
        return self._difference(last, view, rung)

    def set_alarm(self, alarm: Alarm) -> bool:
        """Keep the alarm, one for each level; return True where it rings at once (and is not kept)."""
        if self._view is not None and alarm.rings_at(self._view.price, self._view.at_ms):
            self._alarms.pop(alarm.level, None)
            return True
        self._alarms[alarm.level] = alarm
        self._calm = range(0)
        return False

    def _place(self, price: int) -> tuple[int, int]:
        ladder = self._ladder
        floor = ladder.floor(price)
        top = floor if ladder.at(floor) <= price - ladder.guard(floor) else floor - 1
        return self._policy.nearest(top), floor

    def _calm_around(self, price: int, floor: int) -> range:
        """Return the prices with the same top and floor at which no alarm rings, now or later."""
        ladder = self._ladder
        opens = ladder.at(floor) + ladder.guard(floor)
        low, high = (opens, ladder.at(floor + 1)) if price >= opens else (ladder.at(floor), opens)
        for alarm in self._alarms.values():
            low = low if alarm.low is None else max(low, alarm.low + 1)
            high = high if alarm.high is None else min(high, alarm.high)
        return range(low, high)

    def _lowest_kept(self, top: int) -> int:
        return top - self._policy.buy_window + 1 - self._policy.entry_slack

    def _difference(self, last: MarketView | None, view: MarketView, rung: tuple[int, ...]) -> WindowChange:
        width, slack = self._policy.buy_window, self._policy.entry_slack
        open_now = range(view.top - width + 1, view.top + 1)
        if last is None:
            self._touched = open_now
            return WindowChange(view=view, entered=tuple(open_now), rung=rung)
        open_before = range(last.top - width + 1, last.top + 1)
        entered = tuple(level for level in open_now if level not in open_before)
        # Where an entry may still rest: a fall leaves some above the price, and a jump back must withdraw those too.
        kept_from = open_now.start - slack
        leaving = range(self._touched.start, min(self._touched.stop, kept_from))
        # Those that are only closed are told as well, or one that falls empty would buy by the view it had before.
        closed = (level for level in open_before if level not in open_now)
        left = tuple(sorted({*leaving, *closed}))
        lowest = min(max(self._touched.start, kept_from), open_now.start)
        self._touched = range(lowest, max(self._touched.stop, open_now.stop))
        return WindowChange(view=view, entered=entered, left=left, due=self._exits_due(last, view), rung=rung)

    def _exits_due(self, last: MarketView, view: MarketView) -> tuple[int, ...]:
        sell_window = self._policy.sell_window
        if sell_window is None or view.floor <= last.floor:
            return ()
        # T = L(i + 1) <= L(f + Ns) became true for the levels between both floors.
        return tuple(range(last.floor + sell_window, view.floor + sell_window))
