"""The machines of rules find what they are there for: each of these mutants is found by the machine of its part."""

from __future__ import annotations
import __future__

import inspect
import sys
import textwrap
from collections.abc import Callable
from types import FunctionType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import Phase as Step
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from exchanges.desk.readings import Readings
from exchanges.desk.reports import Reports
from grid import decision
from grid.slot import TRANSITIONS, Phase, Signal
from tests.property.test_order_desk import DeskMachine
from tests.property.test_window_machine import SlotsMachine

Plant = Callable[[pytest.MonkeyPatch], None]


def rewrite(patch: pytest.MonkeyPatch, owner: Any, name: str, old: str, new: str) -> None:
    """Put a function in the place of another that differs from it by these words."""
    function: FunctionType = getattr(owner, name)
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(old) == 1, f"{name} has no such words any more: {old}"
    module, made = sys.modules[function.__module__], dict[str, Any]()
    flags = __future__.annotations.compiler_flag
    exec(compile(source.replace(old, new), f"<mutant of {name}>", "exec", flags=flags), vars(module), made)
    patch.setattr(owner, name, made[name])


def a_part_is_cut_one_tick_late(patch: pytest.MonkeyPatch) -> None:
    rewrite(patch, decision, "_live_entry", "view.price >= half", "view.price > half")


def absence_is_believed_at_once(patch: pytest.MonkeyPatch) -> None:
    bound = "read.begun_ms >= sent_ms + self._core.settings.absent_after_ms"
    rewrite(patch, Reports, "on_looked_up", bound, "read.begun_ms >= sent_ms")


def a_position_of_before_the_last_event_is_judged(patch: pytest.MonkeyPatch) -> None:
    rewrite(patch, Readings, "_judge", "begun_ms <= core.last_event_ms.get(symbol, -1) or ", "")


def a_fill_takes_the_wish_to_cancel_back(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(TRANSITIONS, (Phase.CANCELLING, Signal.FILL), Phase.LOCKED)


MUTANTS: tuple[tuple[type[RuleBasedStateMachine], Plant], ...] = (
    (SlotsMachine, a_part_is_cut_one_tick_late),
    (DeskMachine, absence_is_believed_at_once),
    (DeskMachine, a_position_of_before_the_last_event_is_judged),
    (DeskMachine, a_fill_takes_the_wish_to_cancel_back),
)


@pytest.mark.parametrize(("machine", "plant"), MUTANTS, ids=lambda value: value.__name__)
def test_a_planted_mutant_is_found(machine: type[RuleBasedStateMachine], plant: Plant) -> None:
    """Told once and not made smaller: that it is found is all that is asked."""
    search = settings(
        max_examples=400,
        stateful_step_count=20,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Step.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        with pytest.raises((AssertionError, RecursionError)):  # a mutant may go round for ever
            run_state_machine_as_test(machine, settings=search)
