"""The lines of a `check`: what was looked at, what it means for a start, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """What a finding means for a start."""

    OK = "ok"
    WARN = "warn"
    REFUSE = "refuse"
    UNKNOWN = "unknown"
    """It could not be read: a start would wait for it and trade nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One line of the report."""

    what: str
    verdict: Verdict
    sentence: str
    is_configuration: bool = False
    """Whether it is the configuration or a key that has to be changed: exit code 4."""


def ok(what: str, sentence: str) -> Checked:
    """Return a line for what is as it should be."""
    return Checked(what=what, verdict=Verdict.OK, sentence=sentence)


def warn(what: str, sentence: str) -> Checked:
    """Return a line for what a start would say and go on."""
    return Checked(what=what, verdict=Verdict.WARN, sentence=sentence)


def refuse(what: str, sentence: str) -> Checked:
    """Return a line for what a start would be refused for."""
    return Checked(what=what, verdict=Verdict.REFUSE, sentence=sentence)
