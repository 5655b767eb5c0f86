"""The fault plan decides by rule, scope and seed, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from exchanges.sim.server.fault_config import parse_rules, read_rules
from exchanges.sim.server.faults import (
    Delay,
    FaultKind,
    FaultPlan,
    FaultRule,
    FrameCopy,
    Loss,
    Scope,
    Shape,
    Subject,
    frame_copies,
)

PLACE = Subject(endpoints=("POST /fapi/v1/order", "order.place", "rest"), symbol="ETHUSDT", account="main")


def strikes(plan: FaultPlan, kind: FaultKind, subject: Subject, times: int) -> list[bool]:
    return [plan.strike(kind, subject, 0) is not None for _ in range(times)]


def test_a_rule_strikes_so_often_as_it_says_and_after_so_many_unharmed() -> None:
    plan = FaultPlan([FaultRule(name="lost", kind=FaultKind.REPLY_LOST, count=2, after=1)])

    assert strikes(plan, FaultKind.REPLY_LOST, PLACE, 5) == [False, True, True, False, False]
    assert plan.standing()[0][1:] == (5, 2)


def test_a_rule_of_another_kind_is_left_alone() -> None:
    plan = FaultPlan([FaultRule(name="lost", kind=FaultKind.REPLY_LOST)])

    assert plan.strike(FaultKind.BAD_GATEWAY, PLACE, 0) is None


@pytest.mark.parametrize(
    ("scope", "is_covered"),
    [
        (Scope(), True),
        (Scope(endpoint="POST *"), True),
        (Scope(endpoint="order.*"), True),
        (Scope(endpoint="rest"), True),
        (Scope(endpoint="ws"), False),
        (Scope(endpoint="order.place", symbol="BTC*"), False),
        (Scope(account="main"), True),
        (Scope(account="other"), False),
        (Scope(client_id="x*"), False),
        (Scope(path="/private"), False),
    ],
)
def test_a_scope_covers_what_it_names(scope: Scope, is_covered: bool) -> None:
    assert scope.covers(PLACE) is is_covered


def test_decisions_repeat_with_the_seed_and_do_not_depend_on_other_rules() -> None:
    half = FaultRule(name="half", kind=FaultKind.EVENT_DROPPED, probability=0.5)
    other = FaultRule(name="other", kind=FaultKind.EVENT_DROPPED, probability=0.3, scope=Scope(symbol="NONE"))
    alone = strikes(FaultPlan([half], seed=7), FaultKind.EVENT_DROPPED, PLACE, 200)

    assert strikes(FaultPlan([other, half], seed=7), FaultKind.EVENT_DROPPED, PLACE, 200) == alone
    assert strikes(FaultPlan([half], seed=8), FaultKind.EVENT_DROPPED, PLACE, 200) != alone
    assert 60 < sum(alone) < 140


def test_a_rule_is_active_only_in_its_time() -> None:
    plan = FaultPlan()
    plan.add(FaultRule(name="mute", kind=FaultKind.FROZEN_STREAM, start_ms=100, length_ms=50), 1000)

    seen = [plan.strike(FaultKind.FROZEN_STREAM, PLACE, at) is not None for at in (1099, 1100, 1149, 1150)]

    assert seen == [False, True, True, False]


@pytest.mark.parametrize("shape", list(Shape))
def test_a_delay_is_never_negative_nor_over_its_bound(shape: Shape) -> None:
    plan = FaultPlan(
        [
            FaultRule(
                name="slow",
                kind=FaultKind.REPLY_LATENCY,
                delay=Delay(shape=shape, low_ms=20, high_ms=40, most_ms=50),
            )
        ]
    )

    drawn = [plan.strike(FaultKind.REPLY_LATENCY, PLACE, 0) for _ in range(300)]

    delays = [strike.delay_ms for strike in drawn if strike]
    assert len(delays) == 300
    assert all(0 <= delay <= 50 for delay in delays)
    assert (len(set(delays)) > 1) is (shape is not Shape.FIXED)


def test_the_skew_of_the_clock_may_be_negative() -> None:
    plan = FaultPlan([FaultRule(name="slow clock", kind=FaultKind.CLOCK_SKEW, delay=Delay(low_ms=-2500))])

    assert plan.skew_ms(0) == -2500


def test_a_frame_is_sent_once_twice_late_or_never() -> None:
    def fate(kind: FaultKind, delay_ms: int = 0) -> tuple[FrameCopy, ...]:
        rule = FaultRule(name="one", kind=kind, delay=Delay(low_ms=delay_ms))
        return frame_copies(FaultPlan([rule]), Subject(stream="ORDER_TRADE_UPDATE"), 0)

    assert frame_copies(FaultPlan(), PLACE, 0) == (FrameCopy(),)
    assert fate(FaultKind.EVENT_DROPPED) == fate(FaultKind.FROZEN_STREAM) == ()
    assert fate(FaultKind.EVENT_DOUBLED, 30) == (FrameCopy(), FrameCopy(delay_ms=30, is_in_line=False))
    assert fate(FaultKind.EVENT_DELAYED, 30) == fate(FaultKind.STREAM_LATENCY, 30) == (FrameCopy(delay_ms=30),)
    assert fate(FaultKind.EVENT_REORDERED, 30) == (FrameCopy(delay_ms=30, is_in_line=False),)


def test_rules_are_read_from_yaml(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(
        "faults:\n"
        "  - {kind: reply_lost, scope: {endpoint: order.place}, probability: 0.1, loss: hang}\n"
        "  - {kind: request_latency, name: slow, delay: {shape: uniform, low_ms: 5, high_ms: 9}}\n"
        "  - {kind: clock_skew, delay: -300}\n",
        encoding="utf-8",
    )

    lost, slow, skew = read_rules(path)

    assert (lost.name, lost.kind, lost.loss) == ("reply_lost-0", FaultKind.REPLY_LOST, Loss.HANG)
    assert (slow.name, slow.delay.shape, slow.delay.high_ms) == ("slow", Shape.UNIFORM, 9)
    assert skew.delay.low_ms == -300


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "no_such"}, {"kind": "reply_lost", "chance": 1}, {"kind": "reply_lost", "probability": 1.5}, {}],
)
def test_a_wrong_rule_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        parse_rules([wrong])
