"""The breakers at the desk: stop-loss, take-profit, layers and drawdown, of each symbol and of the account.

They are judged at each mark, at each tick and before each entry. One that trips holds `stop_loss` in its scope;
only the operator lifts that, or the configured cool-down and price rule. Where it says so the lots are sold too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from exchanges.desk.cancelling import Cancelling
from exchanges.desk.core import Chore, Core
from exchanges.desk.events import Instant
from exchanges.desk.flattening import Flattening
from exchanges.desk.settings import Breakers
from exchanges.desk.standing import StandingHolds
from grid.account_records import BreakerSet
from grid.equity import index_of, total_profit
from grid.holds import HoldCause
from grid.order import Purpose
from grid.symbol_book import SymbolBook
from risk.breakers import BreakerKind, BreakerReading, BreakerRules, BreakerState, Trip, evaluate, rebased

ACCOUNT = ""
AGAIN_MS = 300
NOTHING = Breakers(rules=BreakerRules())
SELLING = (BreakerKind.STOP_LOSS, BreakerKind.TAKE_PROFIT, BreakerKind.STOP_PRICE, BreakerKind.PROFIT_PRICE)
PEAK_STEPS = 50
"""A peak is journalled each time it has risen by this part of what arms the take-profit."""


class Guarding:
    """Keeps the breakers of all scopes; a scope is a symbol, or empty for the account."""

    def __init__(self, core: Core, cancelling: Cancelling, flattening: Flattening, standing: StandingHolds) -> None:
        self._core = core
        self._cancelling = cancelling
        self._flattening = flattening
        self._standing = standing
        self._states: dict[str, BreakerState] = {}
        self._cleared: set[str] = set()
        self._filled_ms: dict[str, int] = {}

    def begin(self, now: Instant) -> None:
        """Take over what the journal keeps; go on selling where a former life began to."""
        for scope, kept in self._core.book.account.breakers.items():
            self._states[scope] = _state_of(kept)
            if kept.is_selling:
                self._sell(scope, now)

    def on_fills(self, symbols: Iterable[str], now: Instant) -> None:
        """Lots changed: only a later mark may value them.

        In a fall the last mark stands above what was just bought, and would show a profit that never was.
        """
        for symbol in symbols:
            self._filled_ms[symbol] = now.mono_ms

    def check(self, now: Instant) -> None:
        """Judge every scope that has rules, or a trip in force."""
        ruled = [name for name, symbol in self._core.symbols.items() if symbol.breakers is not None]
        if self._core.settings.breakers is not None:
            ruled = [ACCOUNT, *ruled]
        for scope in dict.fromkeys((*ruled, *self._states)):
            if scope in ruled or self._state(scope).trip is not None:
                self._judge(scope, now)

    def on_word(self, scope: str, reason: str, now: Instant, *, is_put: bool) -> None:
        """Take a stop-loss that somebody else decided, or the operator's word that it is over."""
        state = self._state(scope)
        if not is_put:
            if state.trip is not None:
                self._cleared.add(scope)
            self._judge(scope, now)
        elif state.trip is None or state.trip.kind is not BreakerKind.DRAWDOWN:
            # The strictest of all: it ends by an operator only, whatever tripped before it.
            trip = Trip(kind=BreakerKind.DRAWDOWN, reason=reason, price=None, at_ms=now.wall_ms)
            self._states[scope] = BreakerState(base=state.base, peak=state.peak, trip=trip)
            self._record(scope)
            self._standing.put(HoldCause.STOP_LOSS, scope, reason, now)

    def on_daily_loss(self, reason: str, now: Instant) -> None:
        """The day's loss has reached its limit: a trip of the account, measured from the price it has now."""
        state = self._state(ACCOUNT)
        if state.trip is None:
            reading = self._account(now)
            price = reading.price if reading is not None else None
            trip = Trip(kind=BreakerKind.DAILY_LOSS, reason=reason, price=price, at_ms=now.wall_ms)
            self._states[ACCOUNT] = BreakerState(base=state.base, peak=state.peak, trip=trip)
            self._record(ACCOUNT)
        self._standing.put(HoldCause.STOP_LOSS, ACCOUNT, reason, now)

    def on_exchange_stop(self, symbol: str, reason: str, price: Decimal, now: Instant) -> None:
        """The price has come to the symbol's exchange-side stop: a stop-loss like any other, `price` its trip."""
        state = self._state(symbol)
        if state.trip is None:
            trip = Trip(kind=BreakerKind.STOP_LOSS, reason=reason, price=price, at_ms=now.wall_ms)
            self._states[symbol] = BreakerState(base=state.base, peak=state.peak, trip=trip)
            self._record(symbol)
        self._standing.put(HoldCause.STOP_LOSS, symbol, reason, now)

    def step(self, scope: str, now: Instant) -> None:
        """A step of selling is due: entries gone, exits gone, then slice by slice."""
        core = self._core
        if core.ending(scope) is not None or not self._is_selling(scope):
            return
        core.do_at(Chore.SELL, scope, now.mono_ms + AGAIN_MS)
        gone = self._standing.gone_since_ms
        if not core.may_act or (scope not in gone and ACCOUNT not in gone):
            return
        books = self._books(scope)
        for book in books:
            for order in core.book.live_orders(book.symbol):
                if order.purpose not in (Purpose.FLATTEN, Purpose.STOP):
                    self._cancelling.cancel(order.client_id, now)
        # Every symbol is worked on, also after one that is not flat yet.
        flat = [self._flattening.step(book, now) for book in books]
        if all(flat):
            core.notice("sold", f"{scope or 'the account'}: the lots are sold, {self._state_text(scope)}", "warning")
            self._end_selling(scope)

    def _judge(self, scope: str, now: Instant) -> None:
        reading = self._account(now) if scope == ACCOUNT else self._symbol(scope, now)
        if reading is None:
            return  # profit is unknown: the wire lets no entry out without a mark either
        if self._core.book.holds.find(HoldCause.TRIGGER, scope) is not None and not reading.layers:
            reading = replace(reading, price=None)  # what has not begun ends at no price
        before = self._state(scope)
        if scope in self._cleared:
            self._cleared.discard(scope)
            before = rebased(before, reading)
            self._lift(scope, before, "the operator cleared it")
        if before.trip is not None and before.trip.kind is BreakerKind.DAILY_LOSS:
            # It hides no stop-loss that sells, and its own day is not over before the date changes.
            fresh, why = evaluate(self._breakers(scope).rules, replace(before, trip=None), reading, now.wall_ms)
            if fresh.trip is not None and fresh.trip.kind in SELLING:
                self._states[scope] = fresh
                self._trip(scope, fresh.trip, why, now)
                return
            if self._core.daily_loss.tripped_at is not None:
                return
        after, why = evaluate(self._breakers(scope).rules, before, reading, now.wall_ms)
        if before.trip is not None and after.trip is None:
            self._lift(scope, after, "cool-down and price rule are met")
        elif before.trip is None and after.trip is not None:
            self._states[scope] = after
            self._trip(scope, after.trip, why, now)
        else:
            self._states[scope] = after
            if self._is_worth_a_record(scope, after):
                self._record(scope)

    def _trip(self, scope: str, trip: Trip, why: str, now: Instant) -> None:
        sells = self._breakers(scope).sells and trip.kind in SELLING
        self._record(scope, is_selling=sells)
        self._standing.put(HoldCause.STOP_LOSS, scope, why, now)
        if sells:
            self._core.notice("selling", f"{scope or 'the account'}: the lots are being sold; {why}", "critical")
            self._sell(scope, now)

    def _lift(self, scope: str, state: BreakerState, reason: str) -> None:
        self._states[scope] = state
        self._end_selling(scope)
        self._record(scope)
        self._standing.lift(HoldCause.STOP_LOSS, scope, reason)

    def _sell(self, scope: str, now: Instant) -> None:
        for book in self._books(scope):
            self._core.selling.add(book.symbol)
            self._flattening.begin(book.symbol)
        self._standing.withdraw_entries(scope, now)
        self._core.do_at(Chore.SELL, scope, now.mono_ms)

    def _end_selling(self, scope: str) -> None:
        if not self._is_selling(scope):
            return
        self._core.drop(Chore.SELL, scope)
        self._record(scope, is_selling=False)
        others = [book.symbol for other in self._states if self._is_selling(other) for book in self._books(other)]
        for book in self._books(scope):
            if book.symbol not in others:
                self._core.selling.discard(book.symbol)
                for key, _ in book.lots():
                    self._core.repeat(key)

    def _symbol(self, symbol: str, now: Instant) -> BreakerReading | None:
        book = self._core.book.symbol(symbol)
        if symbol not in self._core.symbols or not book.generations:
            return None
        mark = self._core.mark(symbol, now, after_ms=self._filled_ms.get(symbol, -1))
        profit = total_profit(book, self._core.symbols[symbol].instrument, mark, self._core.book.account)
        if profit is None:
            return None
        layers = sum(1 for _ in book.lots())
        return BreakerReading(symbol=symbol, profit=profit, layers=layers, price=mark, is_long=book.sign > 0)

    def _account(self, now: Instant) -> BreakerReading | None:
        parts = [self._symbol(book.symbol, now) for book in self._books(ACCOUNT)]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts) or not parts:
            return None
        return BreakerReading(
            symbol=ACCOUNT,
            profit=sum((part.profit for part in known), Decimal(0)),
            layers=sum(part.layers for part in known),
            price=self._index(known),
        )

    def _index(self, parts: list[BreakerReading]) -> Decimal | None:
        """Return the account's price: its symbols' marks against the anchors of their first generations."""
        anchors: dict[str, Decimal] = {}
        for part in parts:
            book = self._core.book.symbol(part.symbol)
            first = book.generations[min(book.generations)]
            anchors[part.symbol] = first.tick * first.anchor
        marks = {part.symbol: part.price for part in parts if part.price is not None}
        return index_of(marks, anchors, {part.symbol: 1 if part.is_long else -1 for part in parts})

    def _books(self, scope: str) -> list[SymbolBook]:
        return [book for book in self._core.traded() if scope in ("", book.symbol)]

    def _breakers(self, scope: str) -> Breakers:
        if scope == ACCOUNT:
            return self._core.settings.breakers or NOTHING
        known = self._core.symbols.get(scope)
        return known.breakers or NOTHING if known is not None else NOTHING

    def _state(self, scope: str) -> BreakerState:
        return self._states.get(scope, BreakerState())

    def _state_text(self, scope: str) -> str:
        trip = self._state(scope).trip
        return trip.reason if trip is not None else "nothing is tripped"

    def _is_selling(self, scope: str) -> bool:
        kept = self._core.book.account.breakers.get(scope)
        return kept is not None and kept.is_selling

    def _is_worth_a_record(self, scope: str, state: BreakerState) -> bool:
        arm = self._breakers(scope).rules.take_profit_arm
        if arm is None or state.peak < arm:
            return False
        kept = self._core.book.account.breakers.get(scope)
        return state.peak - (kept.peak if kept is not None else 0) >= arm / PEAK_STEPS

    def _record(self, scope: str, *, is_selling: bool | None = None) -> None:
        state, trip = self._state(scope), self._state(scope).trip
        self._core.record(
            BreakerSet(
                symbol=scope,
                base=state.base,
                peak=state.peak,
                kind=trip.kind.value if trip is not None else "",
                reason=trip.reason if trip is not None else "",
                price=trip.price if trip is not None else None,
                at_ms=trip.at_ms if trip is not None else 0,
                is_selling=self._is_selling(scope) if is_selling is None else is_selling,
            )
        )


def _state_of(kept: BreakerSet) -> BreakerState:
    trip = None
    if kept.kind:
        trip = Trip(kind=BreakerKind(kept.kind), reason=kept.reason, price=kept.price, at_ms=kept.at_ms)
    return BreakerState(base=kept.base, peak=kept.peak, trip=trip)
