"""Bugs in what is made of prices."""

from __future__ import annotations

import pytest

from actors.symbol_feed import SymbolFeed
from risk.trouble import MarketTest
from tests.simulation.faults import Kind
from tests.simulation.planted.actors import the_ladder_is_followed_one_level_a_quote
from tests.simulation.planted.bug import Bug


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
        plant=the_ladder_is_followed_one_level_a_quote,
        kin=frozenset({Kind.FROZEN_PRICE, Kind.FILL_BEFORE_CANCEL}),
    ),
    Bug(kind=Kind.FROZEN_PRICE, plant=a_price_never_goes_stale),
    Bug(kind=Kind.MARKET_SHOCK, plant=a_crash_is_no_danger),
)
