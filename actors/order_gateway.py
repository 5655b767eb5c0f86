"""The one writer of an account: order stream, limiter, order desk and journal behind one mailbox.

It runs its sockets and its desk in one loop in a thread of its own; methods hand over and return. A started gateway is
RESTORING: it names what it waits for and refuses entries until the order stream is confirmed and the book agrees.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from actors.clock import Clock
from actors.deployment.roster import Roster
from actors.ending import end_process
from actors.exit_codes import ExitCode, exit_code
from actors.gateway.caller import VenueCaller
from actors.gateway.changes import Changes
from actors.gateway.course import Course
from actors.gateway.desk_parts import close_parts, desk_parts
from actors.gateway.front import Front
from actors.gateway.gauging import Gauging
from actors.gateway.grids import Grid
from actors.gateway.joiner import Joiner
from actors.gateway.keeper import DeskKeeper, read_book
from actors.gateway.listening import Listening
from actors.gateway.membership import Membership
from actors.gateway.money import Money
from actors.gateway.notices import Notices
from actors.gateway.owning import Owning
from actors.gateway.periodic import every
from actors.gateway.rule_reader import RuleReader, renewed
from actors.gateway.showing import Showing
from actors.gateway.start import Facts, first_records, grids, has_stake
from actors.gateway.starter import Starter
from actors.gateway.words import Words
from actors.journal.writer import Journal
from actors.loop_thread import LoopThread
from actors.mail.desk_mail import desk_events
from actors.mail.mailbox import Mailbox
from actors.mail.messages import Envelope, HoldWord, Intents, Message, Receipt, SetupWanted, SlotsKnown
from actors.mail.outbox import Gauges, NoGauges, Outbox
from actors.ownership.ownership import HostOwnership
from actors.settings.account import Settings
from actors.settings.symbol import SymbolSettings
from actors.structured_log import log_of
from exchanges.desk.commands import Notice
from exchanges.desk.events import (
    CloseAsked,
    ClosingMode,
    Event,
    GoSaid,
    HoldAsked,
    ReconcileDue,
    RulesRead,
    Ticked,
)
from exchanges.port import MarketVenue, TradingVenue, VenueRules
from grid.book import Book
from grid.errors import GridmeshError
from grid.holds import HoldCause
from grid.records import from_body
from risk.lease import Go

TICK_S = 0.1
PICTURE_S = 0.2
GAUGES_S = 1.0


class OrderGateway:
    """See the module. `venue`, `market` and `journal` are makers: the constructor does no I/O and cannot fail."""

    def __init__(
        self,
        *,
        name: str,
        settings: Settings,
        roster: Roster,
        venue: Callable[[], TradingVenue],
        market: Callable[[], MarketVenue],
        journal: Callable[[], Journal],
        outbox: Outbox,
        clock: Clock,
        ownership: HostOwnership | None = None,
        gauges: Gauges | None = None,
        run: str = "",
        end: Callable[[], None] = end_process,
    ) -> None:
        self._name = name
        self._settings = settings
        self._membership = Membership(settings, roster, run)
        self._risk = roster.risk
        self._make_venue = venue
        self._make_market = market
        self._make_journal = journal
        self._outbox = outbox
        self._clock = clock
        self._log = log_of(name)
        self._gauges = gauges or NoGauges()
        self._gauging = Gauging(name=name, gauges=self._gauges, settings=settings, clock=clock)
        self._mailbox = Mailbox()
        self._thread = LoopThread(name, self._main, end=end)
        self._course = Course(self._log)
        self._money: Money | None = None
        self._grids: dict[str, Grid] = {}
        self._front = Front(outbox=outbox, membership=self._membership, grids=self._grids, on_event=self._on_event)
        self._changes = Changes(self._membership, self._grids, self._on_event)
        self._early_words: list[Event] = []
        self._notices = Notices(name, clock, settings.alerts, settings.account_name)
        self._owning = Owning(ownership or HostOwnership(), self._on_event)
        self._keeper: DeskKeeper | None = None
        self._caller: VenueCaller | None = None
        self._words = Words(self._front, self._notices, self._log, outbox, self._risk if settings.risk.enabled else "")
        self._showing = Showing(self._gauging, self._gauges, self._owning, self._membership, self._front)
        self._go_number = 0

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def receive(self, envelope: Envelope) -> Receipt:
        """Take a message; it is acknowledged once it is in the loop's queue."""
        return Receipt(is_busy=not self._thread.hand_over(self._on_envelope, envelope))

    def close(self, mode: str) -> bool:
        """Begin to end trading (`keep`, `leave_exits`, `flatten`); `snapshot` says when it is done and verified."""
        return self._thread.hand_over(self._on_event, CloseAsked(mode=ClosingMode(mode)))

    def join(self, ladder: SymbolSettings, token: str) -> bool:
        """Begin to take a symbol in; `snapshot` says under the token how that goes, also where it is refused."""
        return self._thread.hand_over(self._changes.join, ladder, token)

    def leave(self, symbol: str, mode: str) -> bool:
        """Begin to end a symbol (modes as for `close`); `snapshot` says when it is done and verified."""
        return self._thread.hand_over(self._changes.leave, symbol, ClosingMode(mode))

    def say(self, word: HoldWord) -> bool:
        """Put or lift a hold, as the operator's commands do."""
        return self._thread.hand_over(self._on_message, word)

    def reconcile(self, reason: str) -> bool:
        """Have orders, trades and positions read and compared."""
        return self._thread.hand_over(self._on_event, ReconcileDue(reason=reason))

    def snapshot(self) -> dict[str, Any]:
        """Return the last picture; never waits."""
        return {
            "name": self._name,
            "trading": self._settings.trading.value,
            **self._course.rows(),
            "notices": self._notices.rows(),
            "mailbox": self._mailbox.counts,
            "depth": self._thread.depth,
            "change": self._changes.last,
            **self._showing.picture,
            "waiting_for": self._course.waiting_for or self._showing.picture.get("waiting_for", []),
        }

    def stop(self) -> bool:
        """End the loop: streams, calls, journal, in this order."""
        return self._thread.stop(10.0)

    async def _main(self) -> None:
        venue: TradingVenue | None = None
        market: MarketVenue | None = None
        journal: Journal | None = None
        try:
            self._notices.begin()
            self._words.venue = venue = self._make_venue()
            await self._owning.take(venue, self._course.wait_for)
            market, journal = self._make_market(), self._make_journal()
            book, membership = read_book(journal, from_body), self._membership
            membership.take_over(book)
            everything = membership.everything
            starter = Starter(
                membership.settings, venue, market, self._clock, self._log, self._course.wait_for, everything
            )
            facts = await starter.facts()
            due = grids(everything, facts, book)
            traded = [grid for grid in due if grid.settings.symbol not in membership.retired]
            complaints = await starter.complaints(facts, traded, book, journal.journal_id)
            if complaints and not has_stake(book):
                self._course.refuse(complaints, ExitCode.REFUSED_TO_START)
                await asyncio.Event().wait()
            self._take_over(facts, due, book, journal, venue)
            if complaints:
                # Lots and orders of ours exist: they are looked after, and entries wait for a person.
                reason = f"a check before the start fails: {'; '.join(complaints)}"
                self._on_event(HoldAsked(cause=HoldCause.OPERATOR, symbol="", is_put=True, reason=reason))
            self._words.listening = listening = Listening(
                venue=venue, market=market, symbols=list(self._grids), on_event=self._on_event, gauges=self._gauges
            )
            money = self._take_money(facts, venue, market)
            assert self._caller is not None
            joiner = Joiner(self._membership, facts, venue, market, self._caller, book, journal.journal_id, self._log)
            self._changes.equip(joiner, listening.cover)
            await self._serve(listening, money, partial(self._show, venue, market, journal))
        except GridmeshError as error:
            self._course.refuse([str(error)], exit_code(error))
            await self._lay_down(str(error))
            await asyncio.Event().wait()
        finally:
            await self._end(venue, market, journal)

    def _take_over(self, facts: Facts, due: list[Grid], book: Book, journal: Journal, venue: TradingVenue) -> None:
        """Begin with the book that the journal holds."""
        self._grids.update({grid.settings.symbol: grid for grid in due})
        self._keeper, self._caller = desk_parts(
            self._settings,
            facts,
            self._grids,
            book,
            journal,
            venue,
            clock=self._clock,
            timings=self._gauging.timings,
            on_work=lambda work: self._caller.submit(work) if self._caller is not None else None,
            on_word=self._words.pass_on,
            on_event=self._on_event,
            on_taken=self._owning.lose,
        )
        self._words.desk = self._keeper.desk
        self._words.rules = RuleReader(venue=venue, caller=self._caller, log=self._log, on_rules=self._on_rules)
        self._keeper.begin(journal.raise_owner_epoch(), first_records(due, facts, book))
        self._course.serve()
        for word in self._early_words:
            self._on_event(word)
        for wanted in self._front.early():
            self._answer(wanted)

    async def _serve(self, listening: Listening, money: Money, show: Callable[[], None]) -> None:
        tasks = [listening.run(), money.run(), every(TICK_S, self._tick), every(PICTURE_S, self._paint)]
        if self._words.rules is not None:
            tasks.append(self._words.rules.run())
        await self._owning.while_held(*tasks, every(GAUGES_S, show))

    def _take_money(self, facts: Facts, venue: TradingVenue, market: MarketVenue) -> Money:
        assert self._keeper is not None
        assert self._caller is not None
        self._money = Money(
            name=self._name,
            risk=self._risk if self._settings.risk.enabled else "",
            desk=self._keeper.desk,
            venue=venue,
            market=market,
            caller=self._caller,
            instruments=facts.rules.instruments,
            notices=self._notices,
            clock=self._clock,
            outbox=self._outbox,
            on_event=self._on_event,
        )
        self._money.account = facts.account
        return self._money

    async def _lay_down(self, why: str) -> None:
        """Another has the account: nothing more is decided, journalled or asked here."""
        keeper, caller, self._keeper, self._caller = self._keeper, self._caller, None, None
        if keeper is not None and caller is not None:
            self._notices.take(Notice(kind="fenced", text=why, level="critical"))
            keeper.abandon()
            await caller.close()

    def _tick(self) -> None:
        self._owning.look()
        if not self._settings.risk.enabled:
            # Nobody watches, as configured: the gateway says go itself, else nothing would ever trade.
            self._go_number += 1
            self._on_event(GoSaid(go=Go(number=self._go_number, incarnation=0)))
        self._on_event(Ticked())

    def _paint(self) -> None:
        if self._keeper is not None and self._caller is not None:
            self._showing.paint(self._keeper, self._caller, self._money, self._grids)

    def _show(self, venue: TradingVenue, market: MarketVenue, journal: Journal) -> None:
        if self._keeper is not None and self._caller is not None:
            self._showing.show(self._keeper, self._caller, venue, market, journal, self._thread.depth)
        if self._money is not None:
            self._money.tell()

    def _on_envelope(self, envelope: Envelope) -> None:
        if self._mailbox.accept(envelope).is_fresh:
            self._front.note(envelope, self._clock.now_ms())
            self._on_message(envelope.message)

    def _on_message(self, message: Message) -> None:
        if isinstance(message, SetupWanted | SlotsKnown):
            self._answer(message)
            return
        events = desk_events(message)
        if events is None:
            self._log.error("unexpected_message", kind=type(message).__name__)
            return
        quoted_ms = message.quoted_ms if isinstance(message, Intents) else None
        for event in events:
            self._on_event(event, quoted_ms)

    def _on_event(self, event: Event, quoted_ms: int | None = None) -> None:
        if self._keeper is not None:
            self._keeper.handle(event, quoted_ms)
            if self._money is not None:
                self._money.note(event)
        elif isinstance(event, HoldAsked | CloseAsked):
            # People's words, spoken while the book is being rebuilt: they are the first that it hears.
            self._early_words = [*self._early_words[-99:], event]

    def _answer(self, asked: SetupWanted | SlotsKnown) -> None:
        self._front.answer(asked, self._keeper.desk if self._keeper is not None else None)
        if not asked.symbol and self._money is not None:
            self._money.tell(again=True)

    def _on_rules(self, rules: VenueRules) -> None:
        self._on_event(RulesRead(instruments=rules.instruments, changes=rules.changes))
        for name, grid in renewed(self._grids, self._keeper).items():
            self._grids[name] = grid
            self._front.renew(grid)

    async def _end(self, venue: TradingVenue | None, market: MarketVenue | None, journal: Journal | None) -> None:
        self._notices.close()
        await close_parts(self._keeper, self._caller, venue, market, journal)
        await self._owning.close()
