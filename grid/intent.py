"""What a slot asks of the order desk, and what it is told back."""

from __future__ import annotations

from dataclasses import dataclass

from grid.order import Purpose, TimeInForce
from grid.reasons import Reason
from grid.slot import SlotKey, SlotState


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceIntent:
    """Please place. Refused unless the slot is still at `basis_version`, so that a doubled intent does nothing.

    `reference` is the oriented price it was decided on. `halt_epoch` is the stamp that an entry needs to leave.
    """

    key: SlotKey
    basis_version: int
    purpose: Purpose
    price: int
    quantity: int
    target: int
    time_in_force: TimeInForce
    reference: int | None
    halt_epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelIntent:
    """Please cancel exactly this order."""

    key: SlotKey
    client_id: str
    reason: Reason
    reference: int | None = None


Intent = PlaceIntent | CancelIntent


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Which holds stand against a symbol, as of a halt epoch. Broadcast with every change and part of every answer."""

    symbol: str
    halt_epoch: int
    holds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The book's truth about a slot. `refusal` where an intent was not carried out."""

    state: SlotState
    standing: Standing
    refusal: Reason | None = None
    detail: str = ""
    retry_ms: int | None = None
    has_older_lot: bool = False
