"""Coins of the generated market from a YAML file, for markets other than the demo's.

coins:
  - {symbol: ETHUSDT, start: "3000", swing: "2", step_ms: 40}
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from exchanges.sim.generator import CoinPlan


class CoinModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    symbol: Annotated[str, Field(min_length=1)]
    start: Annotated[Decimal, Field(gt=0)]
    swing: Annotated[Decimal, Field(gt=0)]
    step_ms: Annotated[int, Field(ge=1)] = 200


_COINS = TypeAdapter(list[CoinModel])


def read_coins(path: Path) -> tuple[CoinPlan, ...]:
    """Read `coins:` from a YAML file; prices and swings snap to the symbol's ticks where the market is made."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    models = _COINS.validate_python(document["coins"])
    return tuple(
        CoinPlan(symbol=model.symbol, start=model.start, swing=model.swing, step_ms=model.step_ms) for model in models
    )
