"""The supervisor: market, errors, equity and the operator's words in; holds and the lease of "go" out.

A pure state machine. It starts WAITING and gives no go before there are data; it fails closed, since what is missing
or stale counts towards the trigger and never towards the recovery; and it lifts nothing but its own holds.
Times are milliseconds of one monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from grid.holds import Hold, HoldCause
from risk.breakers import Drawdown
from risk.candle import Candle
from risk.detector import CoinDetector, CoinReading
from risk.events import (
    CandleBatch,
    CashMoved,
    CoinSeeded,
    CoinStreamDown,
    CoinStreamUp,
    EquityRead,
    Evidence,
    HoldLifted,
    HoldPlaced,
    OperatorSaid,
    OperatorWord,
    SupervisorEvent,
    SupervisorOutput,
    Tick,
    VenueErrors,
)
from risk.lease import Go
from risk.rules import RiskRules
from risk.trouble import ErrorTest, MarketTest, Trouble


class Phase(Enum):
    """Where the supervisor stands. Only GO renews the lease."""

    WAITING = "waiting"
    GO = "go"
    HALTED = "halted"


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorState:
    """A snapshot for `status`."""

    phase: Phase
    reason: str
    since_ms: int
    troubles: tuple[Trouble, ...]
    readings: tuple[CoinReading, ...]
    holds: tuple[Hold, ...]


class Supervisor:
    """One deployment's supervisor.

    `incarnation` rises with each start. `holds` are those of causes risk, stop_loss and operator that the gateway has
    in force when this life begins: they are taken over, so a restart lifts none of them early.
    """

    def __init__(
        self,
        rules: RiskRules,
        *,
        incarnation: int,
        drawdown: Drawdown | None = None,
        holds: tuple[Hold, ...] = (),
    ) -> None:
        self._rules = rules
        self._detectors = {
            symbol: CoinDetector(symbol, rules.coin_rule, interval_ms=rules.interval_ms, stale_ms=rules.stale_ms)
            for symbol in rules.watch
        }
        self._readings = {symbol: detector.read(0) for symbol, detector in self._detectors.items()}
        self._market = MarketTest(rules)
        self._errors = ErrorTest(rules)
        self._drawdown = drawdown
        self._equity_ms: int | None = None
        self._incarnation = incarnation
        self._grants = 0
        self._renewed_ms: int | None = None
        self._holds = {hold.cause: hold for hold in holds}
        # A hold that another life placed says nothing of its troubles: the strictest recovery applies.
        self._troubles = {Trouble.MARKET} if HoldCause.RISK in self._holds else set[Trouble]()
        self._phase = Phase.HALTED if self._troubles else Phase.WAITING
        self._reason = self._holds[HoldCause.RISK].reason if self._troubles else "no candles yet"
        self._since_ms: int | None = None
        self._closed_at_halt: dict[str, int] = {}

    def state(self) -> SupervisorState:
        """Return a snapshot."""
        return SupervisorState(
            phase=self._phase,
            reason=self._reason,
            since_ms=self._since_ms or 0,
            troubles=tuple(trouble for trouble in Trouble if trouble in self._troubles),
            readings=tuple(self._readings.values()),
            holds=tuple(self._holds.values()),
        )

    def handle(self, event: SupervisorEvent, now_ms: int) -> tuple[SupervisorOutput, ...]:
        """Take one event; returns what has to be told, in order. A candle of a coin not watched changes nothing."""
        if self._since_ms is None:
            self._since_ms = now_ms
        outputs = self._take(event, now_ms)
        return (*outputs, *self._decide(now_ms), *self._renew(now_ms))

    def _take(self, event: SupervisorEvent, now_ms: int) -> tuple[SupervisorOutput, ...]:
        match event:
            case Candle() | CoinSeeded() | CoinStreamUp() | CoinStreamDown():
                self._take_coin(event, now_ms)
            case CandleBatch():
                for candle in event.candles:
                    self._take_coin(candle, now_ms)
            case Tick():
                self._read_all(now_ms)
            case VenueErrors():
                self._errors.add(event.count, now_ms)
            case CashMoved():
                if self._drawdown is not None:
                    self._drawdown.cash_moved(event.amount)
            case EquityRead():
                self._equity_ms = now_ms
                return self._take_equity(event, now_ms)
            case OperatorSaid():
                return self._take_word(event, now_ms)
        return ()

    def _take_coin(self, event: Candle | CoinSeeded | CoinStreamUp | CoinStreamDown, now_ms: int) -> None:
        detector = self._detectors.get(event.symbol)
        if detector is None:
            return
        match event:
            case Candle():
                detector.add(event, now_ms=now_ms)
            case CoinSeeded():
                detector.seed(event.candles, venue_ms=event.venue_ms, now_ms=now_ms)
            case CoinStreamUp():
                detector.stream_up()
            case CoinStreamDown():
                detector.stream_down(event.reason)
        self._readings[event.symbol] = detector.read(now_ms)

    def _take_equity(self, event: EquityRead, now_ms: int) -> tuple[SupervisorOutput, ...]:
        tripped = self._drawdown.update(event.equity) if self._drawdown is not None else ""
        return (self._place(HoldCause.STOP_LOSS, tripped, now_ms),) if tripped else ()

    def _take_word(self, said: OperatorSaid, now_ms: int) -> tuple[SupervisorOutput, ...]:
        match said.word:
            case OperatorWord.HALT:
                return (self._place(HoldCause.OPERATOR, said.reason or "operator", now_ms),)
            case OperatorWord.RESUME:
                return self._lift(HoldCause.OPERATOR, said.reason or "operator")
            case OperatorWord.CLEAR_STOP_LOSS:
                if self._drawdown is not None:
                    self._drawdown.rebase()
                return self._lift(HoldCause.STOP_LOSS, said.reason or "operator")

    def _read_all(self, now_ms: int) -> None:
        for symbol, detector in self._detectors.items():
            self._readings[symbol] = detector.read(now_ms)

    def _decide(self, now_ms: int) -> tuple[SupervisorOutput, ...]:
        if self._phase is not Phase.GO:
            self._read_all(now_ms)  # a go never rests on an answer that has become stale since the last tick
        found = self._dangers(now_ms)
        match self._phase:
            case Phase.WAITING:
                crash = self._market.is_crash(self._readings)
                if crash or Trouble.ERRORS in found:
                    return self._halt(found, now_ms)
                if not found and self._market.is_ready(self._readings):
                    return self._go("data complete", now_ms)
                self._reason = "; ".join(found.values()) or self._market.sentence(self._readings)
                return ()
            case Phase.GO:
                return self._halt(found, now_ms) if found else ()
            case Phase.HALTED:
                return self._recover(found, now_ms)

    def _dangers(self, now_ms: int) -> dict[Trouble, str]:
        found: dict[Trouble, str] = {}
        if self._market.is_danger(self._readings):
            found[Trouble.MARKET] = self._market.sentence(self._readings)
        if self._errors.is_danger(now_ms):
            found[Trouble.ERRORS] = self._errors.sentence(now_ms)
        if self._drawdown is not None and not self._is_equity_fresh(now_ms):
            found[Trouble.EQUITY] = f"no equity reading within {self._rules.equity_stale_ms / 1000:g} s"
        return found

    def _is_equity_fresh(self, now_ms: int) -> bool:
        return self._equity_ms is not None and now_ms - self._equity_ms <= self._rules.equity_stale_ms

    def _halt(self, found: dict[Trouble, str], now_ms: int) -> tuple[SupervisorOutput, ...]:
        self._troubles = set(found)
        self._closed_at_halt = self._newest_closed()
        self._enter(Phase.HALTED, "; ".join(found.values()), now_ms)
        return (self._place(HoldCause.RISK, self._reason, now_ms),)

    def _recover(self, found: dict[Trouble, str], now_ms: int) -> tuple[SupervisorOutput, ...]:
        if Trouble.MARKET in found and Trouble.MARKET not in self._troubles:
            self._closed_at_halt = self._newest_closed()
        self._troubles |= set(found)
        if self._market.is_recovered(self._readings, self._closed_at_halt):
            self._troubles.discard(Trouble.MARKET)
        if self._errors.is_recovered(now_ms):
            self._troubles.discard(Trouble.ERRORS)
        if Trouble.EQUITY not in found:
            self._troubles.discard(Trouble.EQUITY)
        held_ms = now_ms - (self._since_ms or 0)
        if self._troubles or held_ms < self._rules.min_hold_ms:
            return ()
        return self._go(f"recovered after {held_ms / 1000:.0f} s", now_ms)

    def _newest_closed(self) -> dict[str, int]:
        return {symbol: reading.closed_ms for symbol, reading in self._readings.items()}

    def _go(self, reason: str, now_ms: int) -> tuple[SupervisorOutput, ...]:
        self._enter(Phase.GO, reason, now_ms)
        return self._lift(HoldCause.RISK, reason, self._evidence(now_ms))

    def _enter(self, phase: Phase, reason: str, now_ms: int) -> None:
        self._phase, self._reason, self._since_ms = phase, reason, now_ms
        self._renewed_ms = None  # a change is told at once, not at the next renewal

    def _renew(self, now_ms: int) -> tuple[SupervisorOutput, ...]:
        if self._renewed_ms is not None and now_ms - self._renewed_ms < self._rules.renew_ms:
            return ()
        is_first, self._renewed_ms = self._renewed_ms is None, now_ms
        repeats = () if is_first else tuple(HoldPlaced(hold=h, is_repeat=True) for h in self._holds.values())
        if self._phase is not Phase.GO:
            return repeats
        self._grants += 1
        return (*repeats, Go(number=self._grants, incarnation=self._incarnation))

    def _place(self, cause: HoldCause, reason: str, now_ms: int) -> HoldPlaced:
        hold = Hold(cause=cause, symbol="", reason=reason, since_ms=now_ms)
        self._holds[cause] = hold
        return HoldPlaced(hold=hold, evidence=self._evidence(now_ms) if cause is HoldCause.RISK else ())

    def _lift(self, cause: HoldCause, reason: str, evidence: Evidence = ()) -> tuple[SupervisorOutput, ...]:
        if self._holds.pop(cause, None) is None:
            return ()
        return (HoldLifted(cause=cause, symbol="", reason=reason, evidence=evidence),)

    def _evidence(self, now_ms: int) -> Evidence:
        return tuple((symbol, detector.evidence(now_ms)) for symbol, detector in self._detectors.items())
