"""The exchange-side stop of a symbol, as it is configured."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from actors.settings.fields import Exact, Section, broken, fraction
from grid.stop import WorkingType
from risk.stop_rule import StopRule


class StopSettings(Section):
    """A stop at the venue that closes the whole position when its price comes, whether or not we live."""

    distance: Annotated[Exact | None, BeforeValidator(fraction)] = Field(
        None, gt=0, lt=1, description="so far beyond the ladder's end, as a fraction (0.08 or 8%)"
    )
    price: Exact | None = Field(None, gt=0, description="or at this price, in USDT; it never moves then")
    working_type: WorkingType = Field(WorkingType.MARK, description="the price that triggers it: mark or last")
    closes_foreign_position: bool = Field(
        False, description="consent: it would close what other hands hold on the symbol too"
    )

    @model_validator(mode="after")
    def _rules(self) -> StopSettings:
        if (self.distance is None) == (self.price is None):
            broken([("distance", self.distance, "needs to be given, or price; not both")])
        return self

    def rule(self) -> StopRule:
        """Return the rule by which the desk keeps it."""
        return StopRule(
            distance=self.distance,
            price=self.price,
            working_type=self.working_type,
            closes_foreign=self.closes_foreign_position,
        )
