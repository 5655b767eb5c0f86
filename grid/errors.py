"""The tree of errors, named by what the caller should do."""

from __future__ import annotations


class GridmeshError(Exception):
    """Any error that this program raises on purpose."""


class ConfigError(GridmeshError):
    """Fix the configuration; never retried.

    `key` is the dotted path of the setting, `value` what stood there, `rule` what it has to satisfy.
    """

    def __init__(self, key: str, value: object, rule: str) -> None:
        super().__init__(f"{key} = {value}: {rule}")
        self.key = key
        self.value = value
        self.rule = rule


class Halted(GridmeshError):
    """Risk says no. Carries the causes in force and the halt epoch."""

    def __init__(self, causes: tuple[str, ...], halt_epoch: int) -> None:
        super().__init__(f"halted by {', '.join(causes)} (halt epoch {halt_epoch})")
        self.causes = causes
        self.halt_epoch = halt_epoch


class RefusedToStart(GridmeshError):
    """A pre-start check failed; `reasons` holds one sentence for each failure."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class UnexpectedSignal(GridmeshError):
    """A slot met a (phase, signal) pair that its table does not hold: the caller reconciles with the venue."""
