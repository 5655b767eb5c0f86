"""What the supervisor watches and when it halts, as configured and checked."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from grid.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRules:
    """Settings of the supervisor; built only where they can be satisfied, else `ConfigError`.

    `trigger_symbols` and `recovery_symbols` of None mean the default for so many coins (`triggers`, `recovers`).
    """

    watch: tuple[str, ...]
    interval_ms: int = 60_000
    average_window: int = 20
    volume_multiplier: Decimal = Decimal(3)
    trigger_symbols: int | None = None
    recovery_symbols: int | None = None
    stale_ms: int = 15_000
    """No candle of a coin for longer than this: the coin counts as danger."""
    min_hold_ms: int = 60_000
    """A halt lasts at least this long."""
    renew_ms: int = 2_000
    errors_max: int = 20
    """More venue errors than this within `errors_window_ms` hold entries; half as many lift that again."""
    errors_window_ms: int = 60_000
    equity_stale_ms: int = 60_000
    """With a drawdown limit, no equity reading for longer than this holds entries."""

    def __post_init__(self) -> None:
        count = len(self.watch)
        if not count or len(set(self.watch)) != count:
            raise ConfigError("risk.watch", list(self.watch), "at least one coin, none twice")
        for key, value in (("trigger_symbols", self.trigger_symbols), ("recovery_symbols", self.recovery_symbols)):
            if value is not None and not 1 <= value <= count:
                raise ConfigError(f"risk.{key}", value, f"1 to {count}, since {count} coins are watched")
        if self.volume_multiplier <= 0 or not self.volume_multiplier.is_finite():
            raise ConfigError("risk.volume_multiplier", self.volume_multiplier, "greater than 0")
        for key, number in (
            ("interval", self.interval_ms),
            ("average_window", self.average_window),
            ("stale_s", self.stale_ms),
            ("renew", self.renew_ms),
            ("errors_max", self.errors_max),
            ("errors_window", self.errors_window_ms),
            ("equity_stale", self.equity_stale_ms),
        ):
            if number < 1:
                raise ConfigError(f"risk.{key}", number, "at least 1")
        if self.min_hold_ms < 0:
            raise ConfigError("risk.min_hold_s", self.min_hold_ms, "0 or more milliseconds")

    @property
    def triggers(self) -> int:
        """Return how many coins in danger halt: as configured, else a majority (see decision 0010)."""
        return self.trigger_symbols if self.trigger_symbols is not None else len(self.watch) // 2 + 1

    @property
    def recovers(self) -> int:
        """Return how many coins must have recovered: as configured, else a majority."""
        return self.recovery_symbols if self.recovery_symbols is not None else len(self.watch) // 2 + 1
