"""Stop-loss, take-profit and layers: the same keys for a symbol and for the account."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from actors.settings.fields import Exact, Section
from exchanges.desk.settings import Breakers
from risk.breakers import BreakerKind, BreakerRules, Reentry

ENDS_BY_ITSELF = (
    BreakerKind.STOP_LOSS,
    BreakerKind.TAKE_PROFIT,
    BreakerKind.LAYERS,
    BreakerKind.DAILY_LOSS,
    BreakerKind.STOP_PRICE,
)


class BreakerSettings(Section):
    """What ends entries by itself. Profit is total profit: realised, unrealised, fees and funding; amounts in USDT."""

    stop_loss: Exact | None = Field(None, gt=0, description="loss of total profit at which entries end, in USDT")
    profit_arm: Exact | None = Field(None, gt=0, description="total profit from which its peak is trailed, in USDT")
    profit_trail: Exact | None = Field(
        None, gt=0, lt=1, description="give-back of peak profit at which gains are taken, as a fraction"
    )
    max_layers: int | None = Field(None, ge=1, description="levels with a lot at which entries end")
    stop_sells: bool = Field(False, description="a stop-loss or take-profit sells the lots too, as reduce-only slices")
    cool_down_s: Exact | None = Field(
        None, ge=60, description="earliest release after a trip, in s; left out, only the operator releases it"
    )
    recovery: Exact = Field(
        Decimal(0), ge=0, lt=1, description="price rule of the release: this far beyond the price of the trip"
    )

    @property
    def trips_otherwise(self) -> bool:
        """Whether something beside these rules may trip the stop-loss of this scope."""
        return False

    @property
    def end_prices(self) -> tuple[Decimal | None, Decimal | None]:
        """Return the prices at which the whole grid ends with a loss and with its profit; an account has none."""
        return None, None

    def breakers(self) -> Breakers | None:
        """Return the rules; None where nothing is configured."""
        if not self._has_rule() and (self.cool_down_s is None or not self.trips_otherwise):
            return None
        reentry = None
        if self.cool_down_s is not None:
            # A drawdown is the operator's alone: it says that the whole plan is in doubt, not one price.
            rule = Reentry(cool_down_ms=int(self.cool_down_s * 1000), recovery=self.recovery)
            reentry = dict.fromkeys(ENDS_BY_ITSELF, rule)
        rules = BreakerRules(
            stop_loss=self.stop_loss,
            take_profit_arm=self.profit_arm,
            take_profit_give_back=self.profit_trail or Decimal("0.3"),
            layers_max=self.max_layers,
            stop_price=self.end_prices[0],
            profit_price=self.end_prices[1],
            reentry=reentry,
        )
        return Breakers(rules=rules, sells=self.stop_sells)

    def broken_breakers(self) -> list[tuple[str, object, str]]:
        """Return the keys that say nothing without another one."""
        found: list[tuple[str, object, str]] = []
        if self.profit_trail is not None and self.profit_arm is None:
            found.append(("profit_trail", self.profit_trail, "needs profit_arm, the profit from which it trails"))
        if self.profit_arm is not None and self.profit_trail is None:
            found.append(("profit_arm", self.profit_arm, "needs profit_trail, the share that may be given back"))
        if self.cool_down_s is None and self.recovery:
            found.append(("recovery", self.recovery, "needs cool_down_s: without it only the operator releases"))
        if not self._has_rule() and not self.trips_otherwise and self.cool_down_s is not None:
            found.append(
                (
                    "cool_down_s",
                    self.cool_down_s,
                    f"needs {_listed('stop_loss', 'profit_arm', 'max_layers', *self._end_keys())}",
                )
            )
        sells_at = (self.stop_loss, self.profit_arm, *self.end_prices)
        if self.stop_sells and all(limit is None for limit in sells_at):
            found.append(("stop_sells", True, f"needs {_listed('stop_loss', 'profit_arm', *self._end_keys())}"))
        return found

    def _has_rule(self) -> bool:
        limits = (self.stop_loss, self.profit_arm, self.max_layers, *self.end_prices)
        return any(limit is not None for limit in limits)

    def _end_keys(self) -> tuple[str, ...]:
        """Return the keys of `end_prices` where this scope has any."""
        return ()


def _listed(*keys: str) -> str:
    return f"{', '.join(keys[:-1])} or {keys[-1]}"
