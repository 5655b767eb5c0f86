"""Where the exchange-side stop lies, and the last check before it goes out. Pure.

With a distance it lies that far beyond the end of the ladder: the level at which all of `max_lots` would be held if
the price ran against the grid without a turn. Each lot that is bought on the way takes one of those left and one level
of the way, so that the end, and with it the stop, stands still in just the move that it is there for. It follows when
the ladder's reach changes: the window has climbed, or lots were sold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from grid.instrument import Instrument
from grid.ladder import Ladder
from grid.policy import GridPolicy
from grid.stop import StopRequest, WorkingType
from risk.veto import ApprovedStop
from risk.wire_check import CLIENT_ID, Vetoed

TOLERANCE = Decimal("0.1")
"""A stop by distance moves only once it is off by this part of its distance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """Either a `distance` beyond the ladder's end, as a fraction, or a `price`.

    `closes_foreign`: consent to close what others hold on the symbol too, since the venue knows one position only.
    """

    distance: Decimal | None = None
    price: Decimal | None = None
    working_type: WorkingType = WorkingType.MARK
    closes_foreign: bool = False

    def beyond(self, end: Decimal, sign: int) -> Decimal:
        """Return the stop's price for a ladder that ends at a price; `sign` is -1 for a short grid."""
        return self.price if self.price is not None else end * (1 - sign * (self.distance or Decimal(0)))

    def trigger(self, end: int, instrument: Instrument, sign: int) -> int:
        """Return the trigger in ticks for a ladder that ends at `end` (plain ticks), rounded away from it."""
        price = self.beyond(instrument.price(end), sign)
        ticks = instrument.ticks_floor(price) if sign > 0 else instrument.ticks_ceil(price)
        return min(max(1, instrument.price_min, ticks), instrument.price_max)

    def is_to_move(self, resting: int, wanted: int, end: int, sign: int) -> bool:
        """Whether a stop that rests has to be replaced (all in plain ticks)."""
        if self.distance is None:
            return resting != wanted
        return abs(resting - wanted) > end * self.distance * TOLERANCE or (resting - end) * sign >= 0


def ladder_end(ladder: Ladder, held: Iterable[int], reference: int | None, policy: GridPolicy) -> int:
    """Return the price (plain ticks) of the last level that would still be bought if the price ran through the ladder.

    `held` are the lots' levels, as oriented prices; `reference` is the oriented price, None where it is unknown: the
    ladder is then taken to go on under the lowest lot.
    """
    levels = [ladder.floor(oriented) for oriented in held]
    lowest = min(levels, default=None)
    if reference is not None:
        next_index = policy.nearest(ladder.ceiling_for_entries(reference))
    else:
        next_index = lowest - 1 if lowest is not None else 0
    # Levels on the way that are held already are not bought again.
    on_the_way = sum(1 for level in levels if level <= next_index)
    last = next_index - on_the_way - max(0, policy.max_lots - len(levels)) + 1
    if policy.lowest_level is not None:
        last = max(policy.lowest_level, last)
    return ladder.price(last if lowest is None else min(last, lowest))


def approve_stop(request: StopRequest, *, instrument: Instrument, position: int, lots: int) -> ApprovedStop | Vetoed:
    """Return permission to send exactly this stop, or why not. `position` and `lots` in signed steps."""
    broken = []
    if request.symbol != instrument.symbol:
        broken.append(f"{request.symbol} checked against the rules of {instrument.symbol}")
    if not CLIENT_ID.fullmatch(request.client_id):
        broken.append(f"client id {request.client_id!r} is not 1 to 28 letters and digits, not starting with t")
    if not max(1, instrument.price_min) <= request.trigger <= instrument.price_max:
        broken.append(f"trigger {instrument.price(request.trigger)} is outside the venue's prices")
    if not lots or request.side.sign * lots > 0 or request.side.sign * position > 0:
        broken.append(f"a {request.side.value} stop closes nothing: lots {lots}, position {position}")
    return Vetoed(reason="; ".join(broken)) if broken else ApprovedStop(request=request)
