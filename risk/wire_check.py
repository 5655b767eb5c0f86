"""The last, dumb check before the wire (trading rule 6): knows no grid, and is the only maker of `Approved`.

It repeats on purpose what others have computed, from the request as it will go out and the venue's own rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from grid.instrument import Instrument
from grid.order import OrderRequest, Side, TimeInForce
from risk.daily_loss import DailyLoss
from risk.veto import Approved

CLIENT_ID = re.compile(r"[A-Za-su-z0-9][A-Za-z0-9]{0,27}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vetoed:
    """The order must not go out. `reason` holds every rule it breaks, with the figures."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingRoom:
    """What may be closed on a symbol, in steps. Signs as the venue's position: positive long, negative short.

    `resting` counts what other live or possibly live closing orders of ours still may fill.
    """

    lots: int
    position: int
    resting: int = 0

    def steps(self, side: Side) -> int:
        """Return the largest closing order of this side: min(sum of lots, position) less what already rests."""
        return max(0, min(-side.sign * self.lots, -side.sign * self.position) - self.resting)


@dataclass(frozen=True, slots=True, kw_only=True)
class WireLimits:
    """Bounds of one symbol. `amount` is the configured quote amount of an entry; `mark_band` a fraction of mark.

    `slippage`: an entry that buys what a new grid begins with takes, by so much of mark at most; None for any other.
    """

    amount: Decimal
    mark_band: Decimal = Decimal("0.1")
    slippage: Decimal | None = None


def approve(
    request: OrderRequest,
    *,
    instrument: Instrument,
    limits: WireLimits,
    mark: Decimal | None,
    room: ClosingRoom,
    daily_loss: DailyLoss,
) -> Approved | Vetoed:
    """Return permission to send exactly this request, or why not.

    `mark` is None where it is unknown or too old: then only a closing order that can never take may leave, since an
    exit resting at its target is right at any price (specification, rule 15). A closing order may rest as far on its
    harmless side as its target lies; an entry must be near mark on both sides.
    """
    if request.symbol != instrument.symbol:
        return Vetoed(reason=f"{request.symbol} checked against the rules of {instrument.symbol}")
    broken = [*_against_venue(request, instrument), *_against_mark(request, instrument, limits, mark)]
    if request.closing:
        broken += _closing(request, room)
    else:
        broken += [*_entry(request, instrument, limits, daily_loss), *_taking(request, instrument, limits, mark)]
    return Vetoed(reason="; ".join(broken)) if broken else Approved(request=request)


def _against_venue(request: OrderRequest, instrument: Instrument) -> Iterator[str]:
    if not instrument.trading:
        yield f"{instrument.symbol} is not trading"
    if not CLIENT_ID.fullmatch(request.client_id):
        yield f"client id {request.client_id!r} is not 1 to 28 letters and digits, not starting with t"
    if not max(1, instrument.price_min) <= request.price <= instrument.price_max:
        low, high = instrument.price(instrument.price_min), instrument.price(instrument.price_max)
        yield f"price {instrument.price(request.price)} is outside {low} to {high}"
    if not max(1, instrument.quantity_min) <= request.quantity <= instrument.quantity_max:
        low, high = instrument.quantity(instrument.quantity_min), instrument.quantity(instrument.quantity_max)
        yield f"quantity {instrument.quantity(request.quantity)} is outside {low} to {high}"
    notional = instrument.notional(request.price, request.quantity)
    if notional < instrument.notional_min and not (request.closing and instrument.closing_exempt):
        yield f"notional {notional} is under the venue's minimum of {instrument.notional_min}"
    if request.recv_window_ms < 1:
        yield f"recvWindow {request.recv_window_ms} ms"


def _against_mark(
    request: OrderRequest, instrument: Instrument, limits: WireLimits, mark: Decimal | None
) -> Iterator[str]:
    if mark is None or not mark.is_finite() or mark <= 0:
        if not (request.closing and request.time_in_force is TimeInForce.POST_ONLY):
            yield "mark is unknown"
        return
    price = instrument.price(request.price)
    low, high = mark * (1 - limits.mark_band), mark * (1 + limits.mark_band)
    is_dear = request.side is Side.BUY and price > high
    is_cheap = request.side is Side.SELL and price < low
    if is_dear or is_cheap or (not request.closing and not low <= price <= high):
        yield f"price {price} is more than {limits.mark_band:%} from mark {mark}"
    if request.side is Side.BUY and price > mark * instrument.percent_up:
        yield f"buy at {price} is above PERCENT_PRICE {mark * instrument.percent_up}"
    if request.side is Side.SELL and price < mark * instrument.percent_down:
        yield f"sell at {price} is below PERCENT_PRICE {mark * instrument.percent_down}"


def _entry(request: OrderRequest, instrument: Instrument, limits: WireLimits, daily_loss: DailyLoss) -> Iterator[str]:
    notional = instrument.notional(request.price, request.quantity)
    if notional > limits.amount:
        yield f"notional {notional} is over the amount of {limits.amount}"
    if refusal := daily_loss.refusal():
        yield refusal


def _taking(request: OrderRequest, instrument: Instrument, limits: WireLimits, mark: Decimal | None) -> Iterator[str]:
    if request.time_in_force is TimeInForce.POST_ONLY:
        return
    if limits.slippage is None or request.time_in_force is not TimeInForce.IOC:
        yield f"an entry is post-only, never {request.time_in_force.value}"
    elif mark is not None and request.side.sign * (instrument.price(request.price) / mark - 1) > limits.slippage:
        yield f"price {instrument.price(request.price)} is more than {limits.slippage:%} beyond mark {mark}"


def _closing(request: OrderRequest, room: ClosingRoom) -> Iterator[str]:
    allowed = room.steps(request.side)
    if request.quantity > allowed:
        yield (
            f"closing {request.side.value} of {request.quantity} steps over {allowed}: lots {room.lots}, "
            f"position {room.position}, resting {room.resting}"
        )
