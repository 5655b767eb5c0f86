"""The account as the gateway reads it: equity and positions, the ledger's rows, the worth of coins that pay fees."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial

from actors.clock import Clock
from actors.gateway.caller import VenueCaller
from actors.gateway.dead_man import DeadMan
from actors.gateway.notices import Notices
from actors.mail.messages import AccountWord
from actors.mail.outbox import Outbox
from actors.structured_log import log_of
from exchanges.desk.events import (
    AccountRead,
    CancelAnswered,
    Event,
    IncomeRead,
    Instant,
    NotSent,
    OpenOrdersRead,
    OrderRead,
    Outcome,
    PlaceAnswered,
    PositionsRead,
    RateSeen,
    Refused,
    StopAnswered,
    StopRead,
    StopsRead,
    TradesRead,
    Unknown,
)
from exchanges.errors import Refusal, VenueError
from exchanges.order_desk import OrderDesk
from exchanges.port import Account, MarketVenue, TradingVenue
from grid.instrument import Instrument
from risk.breakers import BreakerKind

ACCOUNT_S = 5.0
SOON_S = 1.0
INCOME_S = 60.0
INCOME_REACH_MS = 3 * 60_000
RATES_S = 60.0
FEE_ASSET = "BNB"
EXPECTED = (Refusal.POST_ONLY_WOULD_TAKE, Refusal.REDUCE_ONLY_CONFLICT, Refusal.UNKNOWN_ORDER, Refusal.MARGIN)
"""Refusals that belong to the day's work, or have a hold of their own."""


class Money:
    """Reads one after the other, so that equity and the ledger are never mixed from two moments."""

    def __init__(
        self,
        *,
        name: str,
        risk: str,
        desk: OrderDesk,
        venue: TradingVenue,
        market: MarketVenue,
        caller: VenueCaller,
        instruments: Mapping[str, Instrument],
        notices: Notices,
        clock: Clock,
        outbox: Outbox,
        on_event: Callable[[Event], None],
    ) -> None:
        self._risk = risk
        self._desk = desk
        self._venue = venue
        self._market = market
        self._caller = caller
        self._instruments = instruments
        self._notices = notices
        self._quote = desk.accounting.quote
        self._clock = clock
        self._outbox = outbox
        self._on_event = on_event
        self._log = log_of(name)
        self._told: AccountWord | None = None
        self._dead_man = DeadMan(
            name=name,
            venue=venue,
            caller=caller,
            countdowns_ms=lambda: desk.countdowns_ms,
            is_ready=lambda: desk.is_ready,
            foreign_orders=desk.foreign_orders,
            now_ms=lambda: self._now().mono_ms,
            on_notice=notices.take,
        )
        self.account: Account | None = None
        self.errors = 0
        """Refusals and failed calls since this gateway began; those of the day's work are not counted."""

    async def run(self) -> None:
        """Read, and keep the venue's countdowns running, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._dead_man.run())
            group.create_task(self._read())

    async def _read(self) -> None:
        """Read for ever. The ledger comes first: what was moved while nobody read is neither profit nor loss."""
        since_income_s, since_rates_s = INCOME_S, RATES_S
        while True:
            try:
                if since_income_s >= INCOME_S:
                    since_income_s = 0.0
                    await self._read_income()
                await self._read_account()
                if since_rates_s >= RATES_S:
                    since_rates_s = 0.0
                    await self._read_rates()
            except VenueError as error:
                self.errors += 1
                self._log.warning("reading_failed", what="account", why=str(error))
            pause_s = ACCOUNT_S if self._desk.accounting.tie is not None else SOON_S
            await asyncio.sleep(pause_s)
            since_income_s, since_rates_s = since_income_s + pause_s, since_rates_s + pause_s

    def note(self, event: Event) -> None:
        """Count the event if it is a venue's trouble."""
        self.errors += is_trouble(event)
        self._notices.watching.on_event(event, self._now().mono_ms)

    def tell(self, *, again: bool = False) -> None:
        """Tell the supervisor what has changed; `again`: whatever it was told before."""
        word = self._word()
        if self._risk and (again or word != self._told):
            self._told = word
            self._outbox.post(self._risk, word)

    def _word(self) -> AccountWord:
        money, kept = self._desk.accounting, self._desk.book.account
        breaker = kept.breakers.get("")
        return AccountWord(
            equity=money.equity,
            peak=kept.peak,
            cash_moved=money.cash_moved,
            venue_errors=self.errors,
            is_drawn_down=breaker is not None and breaker.kind == BreakerKind.DRAWDOWN.value,
        )

    async def _read_account(self) -> None:
        begun_ms = self._now().mono_ms
        account = await self._caller.read(self._venue.account, self._venue.costs.account)
        positions = tuple(await self._caller.read(self._venue.positions, self._venue.costs.positions))
        self._notices.watching.on_positions(positions)
        read = AccountRead(begun_ms=begun_ms, account=account, positions=positions)
        if self._desk.accounting.surprises(read, self._now()):
            await self._read_income()
        self.account = account
        self._on_event(read)
        self.tell(again=True)  # a reading is news though it says the same: its age counts

    async def _read_income(self) -> None:
        # An overlap, since rows may show late; each is booked once.
        venue_ms = self._now().venue_ms
        since_ms = min(self._desk.accounting.income_since_ms() or venue_ms, venue_ms) - INCOME_REACH_MS
        rows = await self._caller.read(partial(self._venue.income_since, since_ms), self._venue.costs.income)
        self._on_event(IncomeRead(rows=tuple(rows)))

    async def _read_rates(self) -> None:
        for asset in self._other_assets():
            instrument = self._instruments.get(f"{asset}{self._quote}")
            if instrument is None:
                self._log.warning("no_rate", asset=asset, why=f"the venue trades no {asset}{self._quote}")
                continue
            quote = await self._caller.read(partial(self._market.quote, instrument.symbol), self._venue.costs.quote)
            rate = (instrument.price(quote.bid) + instrument.price(quote.ask)) / Decimal(2)
            self._on_event(RateSeen(asset=asset, rate=rate))

    def _other_assets(self) -> list[str]:
        paid = {asset for book in self._desk.book.symbols.values() for asset, _ in book.ledger.fees}
        if self.account is not None and self.account.pays_fees_in_other_asset:
            paid.add(FEE_ASSET)
        return sorted(paid - {self._quote})

    def _now(self) -> Instant:
        return Instant(
            wall_ms=self._clock.now_ms(),
            mono_ms=self._clock.monotonic_ns() // 1_000_000,
            venue_ahead_ms=self._venue.clock_offset_ms(),
        )


def is_trouble(event: Event) -> bool:
    """Whether the event says that the venue refused or did not answer, in a way that is not the day's work."""
    match event:
        case PlaceAnswered(outcome=outcome) | CancelAnswered(outcome=outcome) | OrderRead(outcome=outcome):
            return _is_failure(outcome)
        case StopAnswered(outcome=told) | StopRead(outcome=told):
            return isinstance(told, Unknown)
        case StopsRead(reports=None):
            return True
        case OpenOrdersRead(reports=None) | TradesRead(fills=None) | PositionsRead(positions=None):
            return True
        case _:
            return False


def _is_failure(outcome: Outcome) -> bool:
    match outcome:
        case Unknown():
            return True
        case NotSent(is_ours=is_ours):
            return not is_ours
        case Refused(refusal=refusal):
            return refusal not in EXPECTED
        case _:
            return False
