"""Bugs in what is made of the venue's own acts: funding, transfers, decrees, rules."""

from __future__ import annotations

from dataclasses import replace

import pytest

import grid.book
from exchanges.desk import accounting, decrees, reports, rulings
from exchanges.desk.rulings import Rulings
from exchanges.errors import Refusal
from grid.booking import book_funding
from grid.records import FundingBooked
from grid.slot import SlotKey
from grid.symbol_book import SymbolBook
from tests.simulation.faults import Kind
from tests.simulation.planted.bug import Bug
from tests.simulation.traits import Trait

MONEY = frozenset({Trait.MONEY})


def funding_paid_is_funding_received(patch: pytest.MonkeyPatch) -> None:
    """The sign of funding is lost."""

    def other_way(symbol: SymbolBook, record: FundingBooked) -> tuple[SlotKey, ...]:
        return book_funding(symbol, replace(record, amount=-record.amount))

    patch.setattr(grid.book, "book_funding", other_way)


def a_deposit_is_profit(patch: pytest.MonkeyPatch) -> None:
    """What others move into the account, or out of it, is left out of the reckoning."""
    patch.setattr(accounting, "moved", lambda account, own_symbols, quote: 0)


def _without(prefix: str) -> dict[str, str]:
    return {known: word for known, word in decrees._BY_PREFIX.items() if known != prefix}


def a_liquidation_is_a_trade_like_any_other(patch: pytest.MonkeyPatch) -> None:
    """Entries go on after the venue has closed the position by force."""
    patch.setattr(decrees, "_BY_PREFIX", _without("autoclose-"))


def a_deleveraging_is_a_trade_like_any_other(patch: pytest.MonkeyPatch) -> None:
    """Entries go on after the venue has taken a part of the position."""
    patch.setattr(decrees, "_BY_PREFIX", _without("adl_autoclose"))


def rules_are_read_once(patch: pytest.MonkeyPatch) -> None:
    """Whatever a filter refuses, the rules of the start are believed."""
    patch.setattr(Rulings, "ask", lambda self, now: None)


def a_closed_symbol_is_tried_for_ever(patch: pytest.MonkeyPatch) -> None:
    """A symbol that takes no orders holds nothing."""
    known = {refusal: cause for refusal, cause in reports._WORTH_A_HOLD.items() if refusal is not Refusal.SYMBOL_CLOSED}
    patch.setattr(reports, "_WORTH_A_HOLD", known)


def a_tick_is_a_tick(patch: pytest.MonkeyPatch) -> None:
    """Other units are taken over like any other rule."""
    patch.setattr(rulings, "_harm", lambda known, told: "")


BUGS = (
    Bug(kind=Kind.FUNDING, plant=funding_paid_is_funding_received, traits=MONEY),
    Bug(kind=Kind.TRANSFER, plant=a_deposit_is_profit, traits=MONEY, kin=frozenset({Kind.LIQUIDATION})),
    Bug(kind=Kind.LIQUIDATION, plant=a_liquidation_is_a_trade_like_any_other),
    Bug(kind=Kind.DELEVERAGING, plant=a_deleveraging_is_a_trade_like_any_other),
    Bug(kind=Kind.MINIMUM_RAISED, plant=rules_are_read_once),
    Bug(kind=Kind.SYMBOL_CLOSED, plant=a_closed_symbol_is_tried_for_ever),
    Bug(kind=Kind.UNITS_CHANGED, plant=a_tick_is_a_tick),
)
