"""The account's money at the desk: the day's loss, the equity tie with its baseline, income and rates (invariant 9)."""

from __future__ import annotations

from decimal import Decimal

from exchanges.desk.core import Core
from exchanges.desk.events import AccountRead, Instant, RateSeen
from exchanges.port import Income
from grid.account_records import DayOpened, EquityBaseline, IncomeBooked, PeakSet, RateSet
from grid.equity import FILLED_KINDS, Tie, fees_paid, moved, own_flow
from grid.records import FundingBooked
from grid.slot import Phase
from grid.symbol_book import SymbolBook
from risk.daily_loss import DAY_MS, DailyLoss

CONFIRMATIONS = 2
PEAK_SHARE = Decimal("0.001")
RATE_SHARE = Decimal("0.001")
LEAP = Decimal("0.02")
"""A change of equity between two readings by so much is looked up in the ledger before anybody judges it."""
UNSETTLED = (Phase.PENDING, Phase.UNKNOWN, Phase.SETTLING)


class Accounting:
    """Takes readings of the account and rows of its ledger."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.quote = next((symbol.instrument.quote for symbol in core.symbols.values()), "")
        self._beyond = 0
        self._is_warned = False
        self.tie: Tie | None = None
        """The last reading that could be compared."""
        self.equity: Decimal | None = None
        self.cash_moved = Decimal(0)
        """Transfers since this desk began, as of the last reading of equity."""
        self._cash = Decimal(0)

    def begin(self) -> None:
        """Take over the day from the journal: a restart opens no new one."""
        day = self._core.book.account.day
        if day is not None:
            limit = self._core.daily_loss.limit
            self._core.daily_loss = DailyLoss(limit=limit, day=day.day, opening=day.opening, tripped_at=day.tripped_at)

    def surprises(self, read: AccountRead, now: Instant) -> bool:
        """Whether the ledger should be read before this reading is judged: money may have been moved."""
        if read.account is None:
            return False
        equity = read.account.wallet + read.account.unrealised
        if self.equity is not None and abs(equity - self.equity) > LEAP * abs(self.equity):
            return True
        day = self._core.daily_loss
        if day.tripped_at is None and day.read(equity, wall_ms=now.venue_ms).tripped_at is not None:
            return True
        tie, limit = self._compare(read, now), self._core.settings.unexplained_max
        if tie is None or limit is None:
            return False
        last = self.tie.unexplained if self.tie is not None else Decimal(0)
        return abs(tie.unexplained - last) > limit

    def on_account(self, read: AccountRead, now: Instant) -> None:
        """Take a reading: always for the day and the peak, for the tie where nothing is under way."""
        if read.account is None:
            return
        equity = read.account.wallet + read.account.unrealised
        self.equity, self.cash_moved = equity, self._cash
        self._keep_day(self._core.daily_loss.read(equity, wall_ms=now.venue_ms))
        peak = self._core.book.account.peak
        if peak is None or equity - peak > PEAK_SHARE * abs(peak):
            self._core.record(PeakSet(equity=equity))
        if self._core.book.account.baseline is None:
            self._begin_tie(read, now)
        tie = self._compare(read, now)
        if tie is not None:
            self.tie = tie
            self._judge(tie)

    def on_income(self, rows: tuple[Income, ...]) -> None:
        """Book rows of the ledger, each once by (kind, transaction id)."""
        for row in sorted(rows, key=lambda row: row.venue_ms):
            if row.kind == "FUNDING_FEE" and row.symbol in self._core.symbols:
                self._book_funding(row)
            else:
                self._book_row(row)

    def on_rate(self, seen: RateSeen, now: Instant) -> None:
        """Take what a unit of another asset is worth; journalled where it has changed."""
        known = self._core.book.account.rates.get(seen.asset)
        if known is None or abs(seen.rate - known.rate) > RATE_SHARE * known.rate:
            self._core.record(RateSet(asset=seen.asset, rate=seen.rate, at_ms=now.wall_ms))

    def rebase_peak(self) -> None:
        """Measure the drawdown from the present equity."""
        if self.equity is not None:
            self._core.record(PeakSet(equity=self.equity))

    def income_since_ms(self) -> int | None:
        """Return from when on rows may be unknown; None before the first tie."""
        account = self._core.book.account
        if account.baseline is None:
            return None
        return max(account.baseline.venue_ms, account.income_ms)

    def fees_unmatched(self) -> Decimal:
        """Return what our fills paid since the baseline beyond what the ledger's commission rows show (they lag)."""
        account = self._core.book.account
        if account.baseline is None:
            return Decimal(0)
        paid = fees_paid(self._books(), self.quote) - account.baseline.fees
        rows = [
            amount
            for (kind, symbol, asset), amount in account.totals.items()
            if kind == "COMMISSION" and asset == self.quote and symbol in self._core.symbols
        ]
        return paid + sum(rows, Decimal(0))

    def _keep_day(self, day: DailyLoss) -> None:
        if day != self._core.daily_loss:
            self._core.daily_loss = day
            self._core.record(DayOpened(day=day.day, opening=day.opening, tripped_at=day.tripped_at))
            if refusal := day.refusal():
                self._core.notice("daily_loss", refusal, "critical")

    def _begin_tie(self, read: AccountRead, now: Instant) -> None:
        flow, venue = self._flow(read), self._venue(read)
        if flow is None or venue is None:
            return
        fees = fees_paid(self._books(), self.quote)
        self._core.record(EquityBaseline(amount=venue - flow, fees=fees, venue_ms=now.venue_ms))
        self._core.notice("equity_baseline", f"equity {venue}: from here on the book has to explain every change")

    def _compare(self, read: AccountRead, now: Instant) -> Tie | None:
        account = self._core.book.account
        flow, venue = self._flow(read), self._venue(read)
        if account.baseline is None or flow is None or venue is None:
            return None
        ours = account.baseline.amount + flow + moved(account, self._core.symbols, self.quote)
        return Tie(at_ms=now.wall_ms, venue=venue, ours=ours)

    def _judge(self, tie: Tie) -> None:
        limit = self._core.settings.unexplained_max
        if limit is None:
            return
        self._beyond = self._beyond + 1 if abs(tie.unexplained) > limit else 0
        if self._beyond >= CONFIRMATIONS and not self._is_warned:
            self._is_warned = True
            text = f"{tie.unexplained} of equity is unexplained: the venue says {tie.venue}, the book {tie.ours}"
            self._core.notice("unexplained", text, "warning")
        elif not self._beyond and self._is_warned:
            self._is_warned = False
            self._core.notice("explained", f"equity ties again: {tie.unexplained} is unexplained")

    def _flow(self, read: AccountRead) -> Decimal | None:
        """Return our flow at the reading's marks; None where it began before the last fill, or anything is pending."""
        core, total = self._core, Decimal(0)
        if not core.is_ready or read.positions is None:
            return None
        held = {position.symbol: position for position in read.positions}
        for book in self._books():
            position = held.get(book.symbol)
            quantity = position.quantity if position is not None else 0
            is_late = read.begun_ms <= core.last_event_ms.get(book.symbol, -1)
            if is_late or quantity != book.expected_position() or self._is_pending(book):
                return None
            mark = position.mark_price if position is not None else Decimal(0)
            total += own_flow(book, core.symbols[book.symbol].instrument, mark)
        return total

    def _venue(self, read: AccountRead) -> Decimal | None:
        """Return wallet plus the unrealised profit of our symbols, at the same marks."""
        if read.account is None or read.positions is None:
            return None
        ours = (position.unrealised for position in read.positions if position.symbol in self._core.symbols)
        return read.account.wallet + sum(ours, Decimal(0))

    def _is_pending(self, book: SymbolBook) -> bool:
        if any(slot.phase in UNSETTLED for slot in book.slots.values()):
            return True
        orders = self._core.book.orders.values()
        return any(
            order.missing or (not order.is_over and not order.order_id)
            for order in orders
            if order.symbol == book.symbol
        )

    def _books(self) -> list[SymbolBook]:
        return self._core.traded()

    def _book_row(self, row: Income) -> None:
        account = self._core.book.account
        is_known_otherwise = row.kind in FILLED_KINDS and row.kind != "COMMISSION" and row.symbol in self._core.symbols
        if account.baseline is None or row.venue_ms <= account.baseline.venue_ms or is_known_otherwise:
            return
        if account.knows(row.kind, row.transaction_id):
            return
        self._core.record(
            IncomeBooked(
                kind=row.kind,
                transaction_id=row.transaction_id,
                symbol=row.symbol,
                asset=row.asset,
                amount=row.amount,
                venue_ms=row.venue_ms,
            )
        )
        if row.kind == "TRANSFER" and row.asset == self.quote:
            self._on_transfer(row)

    def _on_transfer(self, row: Income) -> None:
        """A deposit or withdrawal is neither profit nor loss."""
        self._cash += row.amount
        day = self._core.daily_loss
        if day.day == row.venue_ms // DAY_MS:
            self._keep_day(day.cash_moved(row.amount))
        peak = self._core.book.account.peak
        if peak is not None:
            self._core.record(PeakSet(equity=peak + row.amount))
        self._core.notice("transfer", f"{row.amount} {row.asset} was moved into the account")

    def _book_funding(self, row: Income) -> None:
        if row.transaction_id in self._core.book.symbol(row.symbol).income:
            return
        self._core.record(
            FundingBooked(
                symbol=row.symbol,
                transaction_id=row.transaction_id,
                amount=row.amount,
                asset=row.asset,
                venue_ms=row.venue_ms,
            )
        )
        baseline = self._core.book.account.baseline
        if baseline is not None and row.venue_ms <= baseline.venue_ms:
            # It was in the wallet when the tie began, and not in our flow: now it is in both.
            amount = baseline.amount - row.amount
            self._core.record(EquityBaseline(amount=amount, fees=baseline.fees, venue_ms=baseline.venue_ms))
