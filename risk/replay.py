"""The supervisor run over recorded candles: when would it have halted and resumed?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby

from grid.holds import HoldCause
from risk.candle import Candle
from risk.events import CandleBatch, CoinStreamUp, HoldLifted, HoldPlaced, SupervisorOutput, Tick
from risk.falls import Point, index_level
from risk.rules import RiskRules
from risk.supervisor import Supervisor


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """One halt of the supervisor. `end_ms` is None where the tape ends first."""

    start_ms: int
    end_ms: int | None
    reason: str


@dataclass(slots=True, kw_only=True)
class Recording:
    """What a replay saw: the index at each closed candle of all coins together, and the halts."""

    index: list[Point] = field(default_factory=list)
    halts: list[Halt] = field(default_factory=list)


def replay(tape: Iterable[tuple[int, Candle]], rules: RiskRules) -> Recording:
    """Run the rules over (time in ms, candle) pairs in time order; candles of one time are judged together.

    A closed candle carries the time of its close. Unfinished ones may stand before it. The index begins when every
    watched coin has closed a candle.
    """
    supervisor = Supervisor(rules, incarnation=1)
    for symbol in rules.watch:
        supervisor.handle(CoinStreamUp(symbol=symbol), 0)
    recording, halt = Recording(), None
    index = _IndexBuilder(rules.watch)
    for at_ms, pairs in groupby(tape, key=lambda pair: pair[0]):
        candles = tuple(candle for _, candle in pairs)
        recording.index.extend(index.add(at_ms, candles))
        outputs = (
            *supervisor.handle(CandleBatch(candles=candles), at_ms),
            *supervisor.handle(Tick(), at_ms),
        )
        for placed, reason in _changes(outputs):
            if placed and halt is None:
                halt = Halt(start_ms=at_ms, end_ms=None, reason=reason)
            elif not placed and halt is not None:
                recording.halts.append(Halt(start_ms=halt.start_ms, end_ms=at_ms, reason=halt.reason))
                halt = None
    if halt is not None:
        recording.halts.append(halt)
    return recording


def _changes(outputs: Iterable[SupervisorOutput]) -> Iterator[tuple[bool, str]]:
    for output in outputs:
        if isinstance(output, HoldPlaced) and output.hold.cause is HoldCause.RISK and not output.is_repeat:
            yield True, output.hold.reason
        elif isinstance(output, HoldLifted) and output.cause is HoldCause.RISK:
            yield False, output.reason


class _IndexBuilder:
    def __init__(self, watch: tuple[str, ...]) -> None:
        self._watch = watch
        self._closes: dict[str, Decimal] = {}
        self._firsts: dict[str, Decimal] = {}

    def add(self, at_ms: int, candles: tuple[Candle, ...]) -> Iterator[Point]:
        closed = [candle for candle in candles if candle.is_closed and candle.symbol in self._watch]
        for candle in closed:
            self._closes[candle.symbol] = candle.close
        if not closed or len(self._closes) < len(self._watch):
            return
        self._firsts = self._firsts or dict(self._closes)
        yield Point(at_ms, index_level(self._closes, self._firsts))
