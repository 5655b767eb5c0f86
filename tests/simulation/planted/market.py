"""Bugs in what is made of prices."""

from __future__ import annotations

import pytest

from actors.symbol_feed import SymbolFeed
from grid.window import Window, WindowChange
from risk.trouble import MarketTest
from tests.simulation.faults import Kind
from tests.simulation.planted.bug import Bug


def a_far_price_is_a_bad_one(patch: pytest.MonkeyPatch) -> None:
    """The window leaves out quotes that lie more than two and a half levels from the last."""
    on_price = Window.on_price

    def near(self: Window, price: int, now_ms: int) -> WindowChange:
        if self.view is not None and abs(price - self.view.price) > 500:
            return WindowChange(view=self.view)
        return on_price(self, price, now_ms)

    patch.setattr(Window, "on_price", near)


def a_price_never_goes_stale(patch: pytest.MonkeyPatch) -> None:
    """The feed takes an open socket for a living one."""
    on_time = SymbolFeed.on_time

    def content(self: SymbolFeed, mono_ms: int) -> bool:
        if self._heard_ms is not None:
            self._heard_ms = mono_ms
        return on_time(self, mono_ms)

    patch.setattr(SymbolFeed, "on_time", content)


def a_crash_is_no_danger(patch: pytest.MonkeyPatch) -> None:
    """The supervisor counts the coins and does nothing about it."""
    patch.setattr(MarketTest, "is_danger", lambda self, readings: False)
    patch.setattr(MarketTest, "is_crash", lambda self, readings: False)


BUGS = (
    Bug(
        kind=Kind.PRICE_JUMP,
        plant=a_far_price_is_a_bad_one,
        kin=frozenset({Kind.FROZEN_PRICE, Kind.FILL_BEFORE_CANCEL}),
    ),
    Bug(kind=Kind.FROZEN_PRICE, plant=a_price_never_goes_stale),
    Bug(kind=Kind.MARKET_SHOCK, plant=a_crash_is_no_danger),
)
