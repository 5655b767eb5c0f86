"""Fault rules as YAML or JSON, checked before they are put in force.

faults:
  - {kind: request_latency, scope: {endpoint: "order.*"}, delay: {shape: normal, low_ms: 40, high_ms: 15}}
  - {kind: reply_lost, scope: {endpoint: order.place}, probability: 0.02, loss: hang}
  - {kind: event_dropped, scope: {stream: ORDER_TRADE_UPDATE, symbol: ETHUSDT}, count: 3}
  - {kind: frozen_stream, scope: {stream: "ethusdt@bookTicker"}, start_ms: 20000, length_ms: 20000}
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from exchanges.sim.server.faults import Delay, FaultKind, FaultRule, Loss, Scope, Shape


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DelayModel(_Strict):
    shape: Shape = Shape.FIXED
    low_ms: float = 0
    high_ms: Annotated[float, Field(ge=0)] = 0
    most_ms: Annotated[float, Field(ge=0)] = 60_000


class ScopeModel(_Strict):
    endpoint: str = ""
    symbol: str = ""
    account: str = ""
    stream: str = ""
    path: str = ""
    client_id: str = ""


class FaultModel(_Strict):
    kind: FaultKind
    name: str = ""
    scope: ScopeModel = ScopeModel()
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    count: Annotated[int, Field(ge=1)] | None = None
    after: Annotated[int, Field(ge=0)] = 0
    start_ms: Annotated[int, Field(ge=0)] = 0
    length_ms: Annotated[int, Field(ge=1)] | None = None
    delay: DelayModel | float = DelayModel()
    until_healed: bool = False
    loss: Loss = Loss.CLOSE

    def rule(self, position: int) -> FaultRule:
        delay = self.delay if isinstance(self.delay, DelayModel) else DelayModel(low_ms=self.delay)
        return FaultRule(
            name=self.name or f"{self.kind.value}-{position}",
            kind=self.kind,
            scope=Scope(**self.scope.model_dump()),
            probability=self.probability,
            count=self.count,
            after=self.after,
            start_ms=self.start_ms,
            length_ms=self.length_ms,
            delay=Delay(**delay.model_dump()),
            until_healed=self.until_healed,
            loss=self.loss,
        )


_RULES = TypeAdapter(list[FaultModel])


def parse_rules(document: object, *, first_position: int = 0) -> list[FaultRule]:
    """Return the rules of a list of mappings. Raises pydantic's ValidationError, which names each bad key."""
    models = _RULES.validate_python(document)
    return [model.rule(first_position + index) for index, model in enumerate(models)]


def read_rules(path: Path) -> list[FaultRule]:
    """Read `faults:` (or a bare list) from a YAML file; JSON is YAML too."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    if isinstance(document, dict):
        document = document.get("faults", [])
    return parse_rules(document or [])
