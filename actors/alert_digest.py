"""Which notices are alarms, and how often one is said: the first at once, the same again only now and then, counted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from exchanges.desk.commands import Notice

KEYS_MAX = 200


class AlertKind(Enum):
    """What an alarm is about; people choose among these."""

    HALT = "halt"
    MISMATCH = "mismatch"
    STALE_STREAM = "stale_stream"
    NEAR_LIQUIDATION = "near_liquidation"
    REFUSED_ORDERS = "refused_orders"
    NOT_CLOSED = "not_closed"


_KINDS = {
    "daily_loss": AlertKind.HALT,
    "selling": AlertKind.HALT,
    "fenced": AlertKind.HALT,
    "unexplained": AlertKind.MISMATCH,
    "foreign_position": AlertKind.MISMATCH,
    "foreign_fill": AlertKind.MISMATCH,
    "near_liquidation": AlertKind.NEAR_LIQUIDATION,
    "refused_orders": AlertKind.REFUSED_ORDERS,
    "reduce_only_conflict": AlertKind.REFUSED_ORDERS,
    "exit_ended_by_venue": AlertKind.REFUSED_ORDERS,
    "stop_gone": AlertKind.MISMATCH,
    "stop_missing": AlertKind.REFUSED_ORDERS,
    "not_flat": AlertKind.NOT_CLOSED,
    "not_closed": AlertKind.NOT_CLOSED,
}
_HOLDS = {
    "risk": AlertKind.HALT,
    "stop_loss": AlertKind.HALT,
    "margin": AlertKind.HALT,
    "lease": AlertKind.HALT,
    "venue_rule": AlertKind.HALT,
    "reconcile": AlertKind.MISMATCH,
    "price": AlertKind.STALE_STREAM,
    "order_stream": AlertKind.STALE_STREAM,
}
"""By cause. An operator's own hold alarms nobody: a person put it."""
STARTING = "starting:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm. Those with the same `key` are the same trouble."""

    kind: AlertKind
    key: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is to be sent now; `count` is how often it came since it was last said."""

    alarm: Alarm
    count: int

    def title(self, account: str) -> str:
        """Return the subject line, which of several accounts names the one in trouble."""
        who = f"gridmesh {account}" if account else "gridmesh"
        return f"{who}: {self.alarm.kind.value.replace('_', ' ')}"

    @property
    def body(self) -> str:
        """Return the sentence."""
        return self.alarm.text if self.count == 1 else f"{self.alarm.text} ({self.count} times since it was last said)"


def alarm_of(notice: Notice) -> Alarm | None:
    """Return the alarm that a notice is, or None where it is not for anybody's phone."""
    kind = _KINDS.get(notice.kind)
    if notice.kind == "hold":
        words = notice.text.split()
        kind = _HOLDS.get(words[1]) if len(words) > 1 and STARTING not in notice.text else None
    if kind is None:
        return None
    # Figures change from one time to the next: what comes before the first colon names the trouble.
    return Alarm(kind=kind, key=f"{notice.kind} {notice.text.partition(':')[0][:80]}", text=notice.text)


class Digest:
    """Decides what is said when. Times are seconds of one clock; what is remembered is bounded."""

    def __init__(self, repeat_s: float) -> None:
        self._repeat_s = repeat_s
        self._said_s: dict[str, float] = {}
        self._held_back: dict[str, Said] = {}

    def take(self, alarm: Alarm, now_s: float) -> Said | None:
        """Return what to say at once; the same trouble again is counted and held back."""
        if alarm.key not in self._said_s:
            self._remember(alarm.key, now_s)
            return Said(alarm=alarm, count=1)
        held = self._held_back.get(alarm.key)
        self._held_back[alarm.key] = Said(alarm=alarm, count=1 if held is None else held.count + 1)
        return None

    def due(self, now_s: float) -> list[Said]:
        """Return what was held back long enough; forget what has not come again."""
        found = []
        for key, said_s in list(self._said_s.items()):
            if now_s - said_s < self._repeat_s:
                continue
            held = self._held_back.pop(key, None)
            if held is None:
                del self._said_s[key]
            else:
                self._said_s[key] = now_s
                found.append(held)
        return found

    def next_s(self) -> float | None:
        """Return when `due` may have something; None where nothing was said."""
        return min(self._said_s.values()) + self._repeat_s if self._said_s else None

    def _remember(self, key: str, now_s: float) -> None:
        if len(self._said_s) >= KEYS_MAX:
            oldest = min(self._said_s, key=lambda one: self._said_s[one])
            del self._said_s[oldest]
            self._held_back.pop(oldest, None)
        self._said_s[key] = now_s
