"""What the gateway sees besides its desk and tells people: a near liquidation, and orders refused in a row."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from decimal import Decimal

from exchanges.desk.commands import Notice
from exchanges.desk.events import Event, PlaceAnswered, Refused
from exchanges.errors import Refusal
from exchanges.port import Position

MINUTE_MS = 60_000
HARMLESS = (Refusal.POST_ONLY_WOULD_TAKE,)
REFUSALS_KEPT = 1_000


class Watching:
    """Judges readings and answers; says each trouble again only after it was over."""

    def __init__(self, *, near_liquidation: Decimal, refused_orders: int, on_notice: Callable[[Notice], None]) -> None:
        self._near = near_liquidation
        self._refused_max = refused_orders
        self._on_notice = on_notice
        self._close: set[str] = set()
        self._refusals: deque[tuple[int, str]] = deque(maxlen=REFUSALS_KEPT)
        self._is_refusing = False

    def on_positions(self, positions: Iterable[Position]) -> None:
        """Compare each mark with the price at which the venue would liquidate."""
        for position in positions:
            distance = _distance(position)
            if distance is None or distance > self._near:
                self._close.discard(position.symbol)
            elif position.symbol not in self._close:
                self._close.add(position.symbol)
                text = (
                    f"{position.symbol} is near its liquidation: mark {position.mark_price} is {distance:.2%} from "
                    f"{position.liquidation}"
                )
                self._on_notice(Notice(kind="near_liquidation", text=text, level="critical"))

    def on_event(self, event: Event, now_ms: int) -> None:
        """Count refused orders of the last minute; those that would have taken are the day's work."""
        if not isinstance(event, PlaceAnswered) or not isinstance(event.outcome, Refused):
            return
        if event.outcome.refusal in HARMLESS:
            return
        self._refusals.append((now_ms, f"{event.outcome.code} {event.outcome.message}"))
        while self._refusals and self._refusals[0][0] <= now_ms - MINUTE_MS:
            self._refusals.popleft()
        if len(self._refusals) < self._refused_max:
            self._is_refusing = False
        elif not self._is_refusing:
            self._is_refusing = True
            text = f"{len(self._refusals)} orders were refused within a minute: the last for {self._refusals[-1][1]}"
            self._on_notice(Notice(kind="refused_orders", text=text, level="warning"))


def _distance(position: Position) -> Decimal | None:
    """Return how far mark is from liquidation, as a fraction of mark; None where there is no such price."""
    if not position.quantity or not position.liquidation or not position.mark_price:
        return None
    return abs(position.mark_price - position.liquidation) / position.mark_price
