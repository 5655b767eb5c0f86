"""How good the halts were: falls caught early, and halts that were for nothing."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from risk.falls import HOUR_MS, MINUTE_MS, Fall, Point, find_falls, lowest_within
from risk.replay import Halt, Recording

EARLY_MS = 30 * MINUTE_MS
FURTHER = Decimal("0.01")
_WEEK_MS = 7 * 24 * HOUR_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedFall:
    """A fall, and whether a halt came in time.

    Caught: a halt *began* between 30 minutes before its start and the minute where half of it was done. Covered: one
    was in force at some minute of that span, whenever it began.
    """

    fall: Fall
    is_caught: bool
    is_covered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedHalt:
    """Halts that began less than 60 minutes after one another, as one, judged where the first began.

    Useless: the index did not fall a further 1 % in the next 60 minutes. With less than that left on the tape and no
    such fall, it is neither.
    """

    start_ms: int
    end_ms: int | None
    parts: int
    is_useless: bool
    is_undecided: bool
    further: Decimal
    """Largest further fall of the index in the next 60 minutes, as a fraction."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is counted over one tape, or over several together; `table` gives it as rows for print."""

    length_ms: int
    falls: int
    caught: int
    """Falls that a halt came early enough for."""
    covered: int
    """Falls that began, or ran to their half, under a halt."""
    halts: int
    useless: int
    halted_ms: int

    @property
    def weeks(self) -> Decimal:
        """Return the length."""
        return Decimal(self.length_ms) / _WEEK_MS

    def table(self) -> list[tuple[str, str]]:
        """Return the summary as (what, figure) rows."""
        weeks = self.weeks or Decimal(1)
        share = Decimal(self.halted_ms) / max(1, self.length_ms)
        return [
            ("weeks", f"{self.weeks:.2f}"),
            ("falls of 5 % within 60 min", str(self.falls)),
            ("caught early", str(self.caught)),
            ("under a halt in time", str(self.covered)),
            ("halts", str(self.halts)),
            ("useless halts", str(self.useless)),
            ("halts a week", f"{self.halts / weeks:.1f}"),
            ("useless halts a week", f"{self.useless / weeks:.1f}"),
            ("time halted", f"{share:.1%}"),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskReport:
    """The measured answer for one tape."""

    start_ms: int
    end_ms: int
    falls: tuple[JudgedFall, ...]
    halts: tuple[JudgedHalt, ...]
    halted_ms: int

    @property
    def figures(self) -> Figures:
        """Return what is counted."""
        return Figures(
            length_ms=self.end_ms - self.start_ms,
            falls=len(self.falls),
            caught=sum(judged.is_caught for judged in self.falls),
            covered=sum(judged.is_covered for judged in self.falls),
            halts=len(self.halts),
            useless=sum(judged.is_useless for judged in self.halts),
            halted_ms=self.halted_ms,
        )


def together(reports: Sequence[RiskReport]) -> Figures:
    """Return the sums over several tapes."""
    each = [report.figures for report in reports]
    return Figures(
        length_ms=sum(one.length_ms for one in each),
        falls=sum(one.falls for one in each),
        caught=sum(one.caught for one in each),
        covered=sum(one.covered for one in each),
        halts=sum(one.halts for one in each),
        useless=sum(one.useless for one in each),
        halted_ms=sum(one.halted_ms for one in each),
    )


def judge(recording: Recording) -> RiskReport:
    """Measure a replay; raises `ValueError` where the coins never traded together."""
    index = recording.index
    if not index:
        raise ValueError("no minute in which every watched coin has a candle")
    start_ms, end_ms = index[0].at_ms, index[-1].at_ms
    # Before every coin has a candle there is no index to judge by.
    halts = [halt for halt in recording.halts if halt.start_ms >= start_ms]
    halted = sum((halt.end_ms or end_ms) - halt.start_ms for halt in halts)
    return RiskReport(
        start_ms=start_ms,
        end_ms=end_ms,
        falls=tuple(_judge_fall(fall, halts) for fall in find_falls(index)),
        halts=tuple(_judge_halt(group, index) for group in _joined(halts)),
        halted_ms=halted,
    )


def _judge_fall(fall: Fall, halts: Sequence[Halt]) -> JudgedFall:
    first_ms, last_ms = fall.start_ms - EARLY_MS, fall.half_ms
    return JudgedFall(
        fall=fall,
        is_caught=any(first_ms <= halt.start_ms <= last_ms for halt in halts),
        is_covered=any(halt.start_ms <= last_ms and (halt.end_ms is None or halt.end_ms >= first_ms) for halt in halts),
    )


def _joined(halts: Sequence[Halt]) -> list[list[Halt]]:
    groups: list[list[Halt]] = []
    for halt in halts:
        if groups and halt.start_ms - groups[-1][-1].start_ms < HOUR_MS:
            groups[-1].append(halt)
        else:
            groups.append([halt])
    return groups


def _judge_halt(group: Sequence[Halt], index: Sequence[Point]) -> JudgedHalt:
    start_ms = group[0].start_ms
    place = min(bisect_left(index, start_ms, key=lambda point: point.at_ms), len(index) - 1)
    lowest = lowest_within(index, place, HOUR_MS)
    further = 1 - index[lowest].level / index[place].level
    is_complete = index[-1].at_ms >= start_ms + HOUR_MS
    return JudgedHalt(
        start_ms=start_ms,
        end_ms=group[-1].end_ms,
        parts=len(group),
        is_useless=is_complete and further < FURTHER,
        is_undecided=not is_complete and further < FURTHER,
        further=further,
        reason=group[0].reason,
    )
