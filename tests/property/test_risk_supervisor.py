"""Any sequence of events: the lease and the holds never contradict each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grid.holds import HoldCause
from risk.detector import Condition
from risk.events import (
    CoinStreamDown,
    CoinStreamUp,
    HoldLifted,
    HoldPlaced,
    OperatorSaid,
    OperatorWord,
    SupervisorEvent,
    Tick,
    VenueErrors,
)
from risk.lease import Go, Lease
from risk.rules import DetectorKind, RiskRules
from risk.supervisor import Phase, Supervisor
from tests.unit.risk_candles import MINUTE, candle

WATCH = ("A", "B", "C")


@st.composite
def events(draw: st.DrawFn) -> list[tuple[int, SupervisorEvent]]:
    """A market of minutes with shocks, losses of streams and silences, and words between them."""
    found: list[tuple[int, SupervisorEvent]] = [(0, CoinStreamUp(symbol=coin)) for coin in WATCH]
    for minute in range(draw(st.integers(5, 25))):
        for coin in WATCH:
            kind = draw(st.sampled_from("cccccsrmdu"))
            at_ms = (minute + 1) * MINUTE + draw(st.integers(0, 3))
            volume, close = {"s": ("100", "90"), "r": ("10", "110")}.get(kind, ("10", "100"))
            match kind:
                case "d":
                    found.append((at_ms, CoinStreamDown(symbol=coin, reason="cut")))
                case "u":
                    found.append((at_ms, CoinStreamUp(symbol=coin)))
                case "m":
                    pass
                case _:
                    found.append((at_ms, candle(minute, symbol=coin, volume=volume, close=close)))
        word = draw(st.sampled_from([None, None, None, *OperatorWord]))
        if word is not None:
            found.append(((minute + 1) * MINUTE + 4, OperatorSaid(word=word, reason="")))
        errors = draw(st.integers(0, 6))
        found.append(((minute + 1) * MINUTE + 5, VenueErrors(count=errors)))
        found += [((minute + 1) * MINUTE + 6 + 1000 * tick, Tick()) for tick in range(0, 54, 2)]
    return sorted(found, key=lambda pair: pair[0])


@given(events(), st.integers(1, 3), st.integers(1, 3), st.sampled_from(DetectorKind))
def test_no_lease_is_ever_given_under_a_risk_hold_or_without_data(
    happened: list[tuple[int, SupervisorEvent]], trigger: int, recovery: int, detector: DetectorKind
) -> None:
    rules = RiskRules(
        watch=WATCH,
        detector=detector,
        fall_window=3,
        average_window=3,
        trigger_symbols=trigger,
        recovery_symbols=recovery,
        stale_ms=70_000,
        errors_max=5,
    )
    supervisor, lease = Supervisor(rules, incarnation=1), Lease()
    held: dict[HoldCause, int] = {}
    for now_ms, event in happened:
        for output in supervisor.handle(event, now_ms):
            match output:
                case HoldPlaced():
                    held.setdefault(output.hold.cause, now_ms)
                case HoldLifted():
                    placed_ms = held.pop(output.cause)  # nothing is lifted that was not placed
                    if output.cause is HoldCause.RISK:
                        assert now_ms - placed_ms >= rules.min_hold_ms
                    else:
                        assert isinstance(event, OperatorSaid)
                case Go():
                    assert HoldCause.RISK not in held
                    assert lease.renew(output, now_ms=now_ms)
        state = supervisor.state()
        assert {hold.cause for hold in state.holds} == set(held)
        assert (state.phase is Phase.HALTED) == (HoldCause.RISK in held)
        if state.phase is Phase.GO:
            danger = sum(reading.condition is not Condition.CALM for reading in state.readings)
            assert danger < trigger
