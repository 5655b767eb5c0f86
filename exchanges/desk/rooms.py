"""Places under the order cap that are being cleared for somebody nearer to the price (rule 9, trading rule 11)."""

from __future__ import annotations

from exchanges.desk.core import Core
from exchanges.desk.events import Instant
from grid.intent import PlaceIntent
from grid.order import Purpose
from grid.policy import RETRY_LAST_MS
from grid.slot import SlotKey
from risk.limits import RestingOrder

KEPT_MS = RETRY_LAST_MS + 1_000
"""Longer than any slot backs off before it asks again."""


class Rooms:
    """Keeps one place a symbol: whoever has to leave it would else be the first to ask for it again."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._rooms: dict[str, tuple[SlotKey, RestingOrder, int]] = {}
        """By symbol: for whom, what will stand there, and until when (monotonic ms)."""

    def keep(self, intent: PlaceIntent, now: Instant) -> None:
        """Keep the place for the order that somebody makes room for."""
        symbol, closing = intent.key.symbol, intent.purpose.closing
        notional = self._core.symbols[symbol].instrument.notional(intent.price, 0 if closing else intent.quantity)
        place = RestingOrder(client_id="", price=intent.price, closing=closing, is_young=True, notional=notional)
        self._rooms[symbol] = (intent.key, place, now.mono_ms + KEPT_MS)

    def kept_for_others(
        self, key: SlotKey | None, purpose: Purpose, price: int, symbol: str, now: Instant
    ) -> list[RestingOrder]:
        """Return the place that is kept for somebody who comes before this candidate."""
        room = self._rooms.get(symbol)
        if room is None:
            return []
        owner, place, until_ms = room
        if key == owner or now.mono_ms >= until_ms:
            del self._rooms[symbol]
            return []
        if place.closing is not purpose.closing:
            return [place] if place.closing else []
        reference = self._core.reference(symbol, now)
        if reference is None:
            return [place]
        at = self._core.book.symbol(symbol).sign * reference
        return [place] if abs(place.price - at) <= abs(price - at) else []
