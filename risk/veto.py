"""Permission as a type: a venue takes nothing but `Approved`, and only this package makes one."""

from __future__ import annotations

from dataclasses import dataclass

from grid.order import OrderRequest
from grid.stop import StopRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """An order that has passed every check before the wire. Made by `risk.wire_check.approve` only."""

    request: OrderRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedStop:
    """An exchange-side stop that has passed its check. Made by `risk.stop_rule.approve_stop` only."""

    request: StopRequest
