"""What a run may do with its orders, and on what terms a paper account trades."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

from pydantic import Field, model_validator

from actors.settings.fields import Exact, Section, broken


class Trading(Enum):
    """Where the orders of a run go."""

    PAPER = "paper"
    """Nowhere: prices are the venue's, and our own engine fills."""
    PRACTICE = "practice"
    """To the venue's test network, or to a simulated venue on this machine: no real money can be meant."""
    LIVE = "live"
    """To the venue itself: `venue.live: true` and `--live`, both."""


class PaperSettings(Section):
    """The paper account, which a run without `--live` trades on."""

    balance: Exact = Field(
        Decimal(10_000), gt=0, description="what the account begins with, in quote currency; later it is what it became"
    )
    leverage: int = Field(5, ge=1, le=125, description="leverage of a symbol whose ladder names none")
    maker_fee: Exact = Field(
        Decimal("0.0002"), ge=Decimal("-0.01"), le=Decimal("0.01"), description="what a maker pays, as a fraction"
    )
    taker_fee: Exact = Field(
        Decimal("0.0005"), ge=Decimal("-0.01"), le=Decimal("0.01"), description="what a taker pays, as a fraction"
    )
    funding_rate: Exact | None = Field(
        None,
        ge=Decimal("-0.01"),
        le=Decimal("0.01"),
        description="what longs pay shorts every eight hours, as a fraction of the position at mark; left out: the "
        "venue's own rate at its own time",
    )
    latency_min_ms: int = Field(20, ge=0, le=60_000, description="quickest way of an order to the matcher, in ms")
    latency_max_ms: int = Field(80, ge=0, le=60_000, description="slowest way of an order to the matcher, in ms")
    seed: int = Field(1, ge=0, le=2**32, description="seed by which latencies are drawn")

    @model_validator(mode="after")
    def _rules(self) -> PaperSettings:
        found: list[tuple[str, object, str]] = []
        if self.latency_min_ms > self.latency_max_ms:
            found.append(
                ("latency_min_ms", self.latency_min_ms, f"can be at most latency_max_ms, {self.latency_max_ms}")
            )
        broken(found)
        return self
