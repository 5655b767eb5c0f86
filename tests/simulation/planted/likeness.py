"""Bugs that only a certain deployment brings to light: two symbols, tight limits, breakers, money that is read."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import pytest

import grid.booking
import grid.equity
from actors.grid_slot import GridSlot
from actors.mail.messages import Message
from exchanges.desk import admission, guarding
from exchanges.desk.events import Instant, ReferenceSeen
from exchanges.desk.guarding import Guarding
from exchanges.desk.standing import StandingHolds
from exchanges.desk.stop_cover import StopCover
from exchanges.desk.turning import Turning
from grid.holds import HoldCause
from grid.kind_records import OpeningSet, TriggerSet
from grid.ladder import GridSide, Ladder
from grid.ledger import with_fees
from grid.lot import Fees
from grid.policy import GridPolicy
from grid.symbol_book import SymbolBook
from grid.window import WindowChange
from risk import breakers
from risk.breakers import BreakerReading, BreakerRules, BreakerState
from risk.daily_loss import DAY_MS, DailyLoss
from risk.limits import SymbolExposure
from risk.stop_rule import StopRule
from tests.simulation.faults import Kind
from tests.simulation.planted.bug import TraitBug
from tests.simulation.traits import Trait


def an_actor_serves_one_symbol(patch: pytest.MonkeyPatch) -> None:
    """A slot actor hears the prices of the first of its symbols alone."""
    handle = GridSlot._handle

    def narrow(self: GridSlot, message: Message) -> None:
        if not isinstance(message, WindowChange) or message.view.symbol == min(self._symbols):
            handle(self, message)

    patch.setattr(GridSlot, "_handle", narrow)


def one_fresh_price_is_enough(patch: pytest.MonkeyPatch) -> None:
    """The price of one symbol lifts the hold on another."""
    on_reference = StandingHolds.on_reference

    def generous(self: StandingHolds, seen: ReferenceSeen, now: Instant) -> None:
        on_reference(self, seen, now)
        for symbol in self._core.symbols if seen.is_fresh else ():
            self.lift(HoldCause.PRICE, symbol, "a price is fresh")

    patch.setattr(StandingHolds, "on_reference", generous)


def what_fills_paid_is_counted_again(patch: pytest.MonkeyPatch) -> None:
    """The ledger's rows of our own fills are added to what the book knows of them."""
    patch.setattr(grid.equity, "FILLED_KINDS", frozenset())


def every_fee_is_in_the_quote_asset(patch: pytest.MonkeyPatch) -> None:
    """A fee in another coin is booked as if it were dollars."""

    def in_quote(fees: Fees, asset: str, amount: Decimal) -> Fees:
        return with_fees(fees, "USDT", amount)

    patch.setattr(grid.booking, "with_fees", in_quote)


def the_venues_limit_is_the_limit(patch: pytest.MonkeyPatch) -> None:
    """The configured order cap is forgotten."""
    patch.setattr(admission, "order_cap", lambda *, configured, venue_limit, foreign: venue_limit - foreign)


def only_lots_are_money_at_work(patch: pytest.MonkeyPatch) -> None:
    """Resting entries do not count for account.max_notional."""

    def of_lots(symbols: Iterable[SymbolExposure]) -> Decimal:
        return sum((symbol.lots_cost for symbol in symbols), Decimal(0))

    patch.setattr(admission, "account_notional", of_lots)


def a_stop_loss_is_only_shown(patch: pytest.MonkeyPatch) -> None:
    """Breakers judge and never trip."""

    def harmless(
        rules: BreakerRules, state: BreakerState, reading: BreakerReading, now_ms: int
    ) -> tuple[BreakerState, str]:
        return state, ""

    patch.setattr(guarding, "evaluate", harmless)


def the_account_is_never_judged(patch: pytest.MonkeyPatch) -> None:
    """Only the symbols' own breakers are looked at."""
    patch.setattr(Guarding, "_account", lambda self, now: None)


def a_day_may_lose_anything(patch: pytest.MonkeyPatch) -> None:
    """The day's opening is kept, its limit is not."""

    def patient(self: DailyLoss, equity: Decimal, *, wall_ms: int) -> DailyLoss:
        day = wall_ms // DAY_MS
        return DailyLoss(limit=self.limit, day=day, opening=equity) if day > self.day else self

    patch.setattr(DailyLoss, "read", patient)


def no_end_price_is_reached(patch: pytest.MonkeyPatch) -> None:
    """The mark is never at a price at which the whole grid ends."""
    patch.setattr(breakers, "_reached", lambda rules, reading: None)


def a_bounded_grid_has_every_level(patch: pytest.MonkeyPatch) -> None:
    """A grid between two prices buys beyond them too."""
    patch.setattr(GridPolicy, "has", lambda self, level: True)
    patch.setattr(GridPolicy, "nearest", lambda self, ceiling: ceiling)


def ratios_are_added_up(patch: pytest.MonkeyPatch) -> None:
    """A geometric grid goes on by its first distance."""

    def straight(self: Ladder, index: int) -> int:
        ratio = self.ratio if self.side is GridSide.LONG else 1 / self.ratio
        return self.side.sign * int(self.anchor * (1 + index * (ratio - 1)))

    patch.setattr(Ladder, "_geometric", straight)


def the_window_follows_for_ever(patch: pytest.MonkeyPatch) -> None:
    """The window heeds its limit downwards and not upwards."""
    patch.setattr(GridPolicy, "nearest", lambda self, ceiling: ceiling)
    patch.setattr(GridPolicy, "has", lambda self, level: self.lowest_level is None or level >= self.lowest_level)


def any_mark_is_the_trigger(patch: pytest.MonkeyPatch) -> None:
    """A grid begins at the first mark that it hears of."""
    patch.setattr(TriggerSet, "is_crossed_by", lambda self, mark: True)


def every_life_opens_anew(patch: pytest.MonkeyPatch) -> None:
    """What was bought does not fall away from what is to be bought."""
    patch.setattr(OpeningSet, "without", lambda self, *levels: self)


def a_stop_that_is_gone_is_not_missed(patch: pytest.MonkeyPatch) -> None:
    """A stop is placed once for a symbol, and after its end never again."""
    why_none = StopCover.why_none

    def once(self: StopCover, book: SymbolBook, rule: StopRule | None) -> str:
        has_had = book.stop is None and (id(self), book.symbol) in had
        had.update({(id(self), book.symbol)} if book.stop is not None else ())
        return "it has been placed before" if has_had else why_none(self, book, rule)

    had: set[tuple[int, str]] = set()
    patch.setattr(StopCover, "why_none", once)


def a_neutral_grid_stays_on_its_side(patch: pytest.MonkeyPatch) -> None:
    """It never turns around, wherever the price goes."""
    patch.setattr(Turning, "step", lambda self, now: None)


BUGS = (
    TraitBug(trait=Trait.TWO_SYMBOLS, plant=one_fresh_price_is_enough, kinds=(Kind.FROZEN_PRICE,)),
    TraitBug(trait=Trait.MONEY, plant=what_fills_paid_is_counted_again),
    TraitBug(trait=Trait.FEES_IN_COIN, plant=every_fee_is_in_the_quote_asset, beside=frozenset({Trait.MONEY})),
    TraitBug(trait=Trait.LOW_ORDER_CAP, plant=the_venues_limit_is_the_limit),
    TraitBug(trait=Trait.LOW_NOTIONAL, plant=only_lots_are_money_at_work),
    TraitBug(trait=Trait.BREAKERS, plant=a_stop_loss_is_only_shown),
    TraitBug(trait=Trait.ACCOUNT_BREAKERS, plant=the_account_is_never_judged),
    TraitBug(trait=Trait.END_PRICES, plant=no_end_price_is_reached),
    TraitBug(trait=Trait.RANGE, plant=a_bounded_grid_has_every_level),
    TraitBug(trait=Trait.GEOMETRIC, plant=ratios_are_added_up),
    TraitBug(trait=Trait.TRAIL, plant=the_window_follows_for_ever),
    TraitBug(trait=Trait.TRIGGER, plant=any_mark_is_the_trigger),
    TraitBug(trait=Trait.OPENING, plant=every_life_opens_anew),
    TraitBug(trait=Trait.NEUTRAL, plant=a_neutral_grid_stays_on_its_side),
    TraitBug(trait=Trait.EXCHANGE_STOP, plant=a_stop_that_is_gone_is_not_missed),
    TraitBug(trait=Trait.PACKED, plant=an_actor_serves_one_symbol, beside=frozenset({Trait.TWO_SYMBOLS})),
    TraitBug(trait=Trait.DAILY_LOSS, plant=a_day_may_lose_anything, beside=frozenset({Trait.MONEY})),
)
