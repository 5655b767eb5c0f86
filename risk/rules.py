"""What the supervisor watches and when it halts, as configured and checked."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from grid.errors import ConfigError
from risk.coin_rule import CoinRule
from risk.fall_rule import FallRule
from risk.volume_rule import VolumeRule


class DetectorKind(Enum):
    """By which rule a coin is judged."""

    FALL = "fall"
    VOLUME = "volume"


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRules:
    """Settings of the supervisor; built only where they can be satisfied, else `ConfigError`.

    `trigger_symbols` and `recovery_symbols` of None mean the default for so many coins (`triggers`, `recovers`).
    What belongs to the other detector than the one chosen has no effect.
    """

    watch: tuple[str, ...]
    interval_ms: int = 60_000
    detector: DetectorKind = DetectorKind.FALL
    fall_window: int = 10
    fall_multiplier: Decimal = Decimal(11)
    fall_min: Decimal = Decimal("0.015")
    fall_max: Decimal = Decimal("0.03")
    baseline_window: int = 1440
    average_window: int = 20
    volume_multiplier: Decimal = Decimal(3)
    trigger_symbols: int | None = None
    recovery_symbols: int | None = None
    stale_ms: int = 30_000
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
        for name in ("volume_multiplier", "fall_multiplier"):
            multiplier: Decimal = getattr(self, name)
            if multiplier <= 0 or not multiplier.is_finite():
                raise ConfigError(f"risk.{name}", multiplier, "greater than 0")
        if not 0 < self.fall_min <= self.fall_max < 1:
            raise ConfigError(
                "risk.fall_min", self.fall_min, f"above 0 and at most fall_max = {self.fall_max}, under 1"
            )
        for key, number in (
            ("interval", self.interval_ms),
            ("average_window", self.average_window),
            ("fall_window", self.fall_window),
            ("baseline_window", self.baseline_window),
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
    def coin_rule(self) -> CoinRule:
        """Return the rule that each coin is judged by."""
        match self.detector:
            case DetectorKind.VOLUME:
                return VolumeRule(length=self.average_window, multiplier=self.volume_multiplier)
            case DetectorKind.FALL:
                return FallRule(
                    window=self.fall_window,
                    baseline=self.baseline_window,
                    multiplier=self.fall_multiplier,
                    fall_min=self.fall_min,
                    fall_max=self.fall_max,
                )

    @property
    def triggers(self) -> int:
        """Return how many coins in danger halt: as configured, else a majority (see decision 0010)."""
        return self.trigger_symbols if self.trigger_symbols is not None else len(self.watch) // 2 + 1

    @property
    def recovers(self) -> int:
        """Return how many coins must have recovered: as configured, else a majority."""
        return self.recovery_symbols if self.recovery_symbols is not None else len(self.watch) // 2 + 1
