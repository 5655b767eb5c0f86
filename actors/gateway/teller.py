"""Tells slots their states: at once where a slot may act on it, else a little later and several in one message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from actors.mail.messages import Message, Tellings
from grid.intent import Told
from grid.slot import Phase, SlotKey

LATER_S = 0.02
"""Most orders are acknowledged within this; their slots then hear of both steps at once."""
_UNDER_WAY = (Phase.PENDING, Phase.LOCKED, Phase.CANCELLING)


class Teller:
    """Keeps the words to each receiver in order; of one slot the newest. Used in one loop."""

    def __init__(self, post: Callable[[str, Message], None]) -> None:
        self._post = post
        self._kept: dict[str, dict[SlotKey, Told]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def tell(self, receiver: str, told: Told) -> None:
        """Say it now, with all that is kept for the receiver, or keep it for a moment."""
        self._kept.setdefault(receiver, {})[told.state.key] = told
        if not can_wait(told):
            self._send(receiver)
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LATER_S, self._send_all)

    def _send_all(self) -> None:
        self._timer = None
        for receiver in list(self._kept):
            self._send(receiver)

    def _send(self, receiver: str) -> None:
        kept = self._kept.pop(receiver)
        self._post(receiver, Tellings(told=tuple(kept.values())))


def can_wait(told: Told) -> bool:
    """Whether the slot could do nothing about it but note it: its order is on its way, rests, or is being cancelled."""
    state = told.state
    is_untouched = state.order is not None and state.order.filled == 0
    return told.refusal is None and is_untouched and state.phase in _UNDER_WAY
