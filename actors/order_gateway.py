"""The one writer of an account: order stream, limiter, order desk and journal behind one mailbox.

It runs its sockets and its desk in one loop in a thread of its own; methods hand over and return. A started gateway is
RESTORING: it names what it waits for and refuses entries until the order stream is confirmed and the book agrees.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import partial
from typing import Any

from actors.clock import Clock
from actors.deployment.roster import Roster
from actors.ending import end_process
from actors.exit_codes import ExitCode, exit_code
from actors.gateway.caller import VenueCaller
from actors.gateway.changes import Changes
from actors.gateway.front import Front
from actors.gateway.gateway_state import GatewayState
from actors.gateway.gauging import Gauging
from actors.gateway.grids import Grid, desk_settings, desk_symbol
from actors.gateway.joiner import Joiner
from actors.gateway.keeper import DeskKeeper, read_book
from actors.gateway.listening import Listening
from actors.gateway.membership import Membership
from actors.gateway.money import Money
from actors.gateway.notices import Notices
from actors.gateway.owning import Owning
from actors.gateway.periodic import every
from actors.gateway.picture import Painter
from actors.gateway.rule_reader import RuleReader, renewed
from actors.gateway.start import Facts, first_records, grids, has_stake
from actors.gateway.starter import Starter
from actors.gateway.stop_points import stops_from
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
from exchanges.desk.commands import Broadcast, Command, Notice, ReadRules, Restream, SyncClock, Tell, Turned
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
from exchanges.errors import VenueError
from exchanges.port import MarketVenue, TradingVenue, VenueRules
from exchanges.throttle import Throttle, ThrottleRule
from grid.book import Book
from grid.errors import GridmeshError, RefusedToStart
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
        self._state = GatewayState.RESTORING
        self._waiting_for = ["its start"]
        self._refusals: list[str] = []
        self._refusal_code = ExitCode.OK
        self._picture: dict[str, Any] = {}
        self._painter = Painter()
        self._money: Money | None = None
        self._grids: dict[str, Grid] = {}
        self._front = Front(outbox=outbox, membership=self._membership, grids=self._grids, on_event=self._on_event)
        self._changes = Changes(self._membership, self._grids, self._on_event)
        self._early_words: list[Event] = []
        self._notices = Notices(name, clock, settings.alerts, settings.account_name)
        self._owning = Owning(ownership or HostOwnership(), self._on_event)
        self._keeper: DeskKeeper | None = None
        self._caller: VenueCaller | None = None
        self._venue: TradingVenue | None = None
        self._listening: Listening | None = None
        self._rules: RuleReader | None = None
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
            "state": self._state.value,
            "trading": self._settings.trading.value,
            "refusals": list(self._refusals),
            "refusal_code": int(self._refusal_code),
            "notices": self._notices.rows(),
            "mailbox": self._mailbox.counts,
            "depth": self._thread.depth,
            "change": self._changes.last,
            **self._picture,
            "waiting_for": self._waiting_for or self._picture.get("waiting_for", []),
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
            self._venue = venue = self._make_venue()
            await self._owning.take(venue, self._wait_for)
            market, journal = self._make_market(), self._make_journal()
            book, membership = read_book(journal, from_body), self._membership
            membership.take_over(book)
            everything = membership.everything
            starter = Starter(membership.settings, venue, market, self._clock, self._log, self._wait_for, everything)
            facts = await starter.facts()
            due = grids(everything, facts, book)
            traded = [grid for grid in due if grid.settings.symbol not in membership.retired]
            complaints = await starter.complaints(facts, traded, book, journal.journal_id)
            if complaints and not has_stake(book):
                self._refuse(complaints, ExitCode.REFUSED_TO_START)
                await asyncio.Event().wait()
            self._take_over(facts, due, book, journal, venue)
            if complaints:
                # Lots and orders of ours exist: they are looked after, and entries wait for a person.
                reason = f"a check before the start fails: {'; '.join(complaints)}"
                self._on_event(HoldAsked(cause=HoldCause.OPERATOR, symbol="", is_put=True, reason=reason))
            self._listening = Listening(
                venue=venue, market=market, symbols=list(self._grids), on_event=self._on_event, gauges=self._gauges
            )
            money = self._take_money(facts, venue, market)
            assert self._caller is not None
            joiner = Joiner(self._membership, facts, venue, market, self._caller, book, journal.journal_id, self._log)
            self._changes.equip(joiner, self._listening.cover)
            await self._serve(self._listening, money, partial(self._show, venue, market, journal))
        except GridmeshError as error:
            self._refuse([str(error)], exit_code(error))
            await self._lay_down(str(error))
            await asyncio.Event().wait()
        finally:
            await self._end(venue, market, journal)

    def _take_over(self, facts: Facts, due: list[Grid], book: Book, journal: Journal, venue: TradingVenue) -> None:
        """Begin with the book that the journal holds."""
        self._grids.update({grid.settings.symbol: grid for grid in due})
        gateway = self._settings.gateway
        rule = ThrottleRule(orders_per_second=gateway.orders_per_second, burst=gateway.burst)
        reached = stops_from(os.environ)
        self._keeper = DeskKeeper(
            book=book,
            journal=journal,
            settings=desk_settings(self._settings, journal.journal_id),
            symbols={name: desk_symbol(grid) for name, grid in self._grids.items()},
            clock=self._clock,
            venue_ahead_ms=venue.clock_offset_ms,
            on_work=lambda work: self._caller.submit(work) if self._caller is not None else None,
            on_word=self._on_word,
            timings=self._gauging.timings,
            reached=reached,
            on_taken=self._owning.lose,
        )
        self._caller = VenueCaller(
            venue=venue,
            throttle=Throttle(facts.rules.rate_windows, rule),
            clock=self._clock,
            on_event=self._on_event,
            release=self._keeper.release,
            release_stop=self._keeper.release_stop,
            timings=self._gauging.timings,
            reached=reached,
        )
        self._rules = RuleReader(venue=venue, caller=self._caller, log=self._log, on_rules=self._on_rules)
        self._keeper.begin(journal.raise_owner_epoch(), first_records(due, facts, book))
        self._state, self._waiting_for = GatewayState.SERVING, []
        for word in self._early_words:
            self._on_event(word)
        for wanted in self._front.early():
            self._answer(wanted)

    async def _serve(self, listening: Listening, money: Money, show: Callable[[], None]) -> None:
        tasks = [listening.run(), money.run(), every(TICK_S, self._tick), every(PICTURE_S, self._paint)]
        if self._rules is not None:
            tasks.append(self._rules.run())
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
        if self._keeper is None or self._caller is None:
            return
        instruments = {name: grid.instrument for name, grid in self._grids.items()}
        self._picture = self._painter.paint(
            self._keeper.desk, instruments, self._front.references, self._money, self._keeper.counts, self._keeper.now()
        )
        self._picture["lanes"] = self._caller.depths()
        self._picture["ownership"] = self._owning.picture()
        self._picture["roster"] = self._membership.rows(self._keeper.desk.book)

    def _show(self, venue: TradingVenue, market: MarketVenue, journal: Journal) -> None:
        keeper, caller = self._keeper, self._caller
        if self._picture and keeper is not None and caller is not None:
            ages_s = {**venue.ages(), **market.ages()}
            self._gauging.show(self._picture, keeper, caller, journal, ages_s, self._thread.depth)
            self._gauges.set("gridmesh_clock_offset_ms", venue.clock_offset_ms())
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

    def _on_word(self, command: Command) -> None:
        match command:
            case Tell(told=told):
                self._front.tell(told)
            case Broadcast(standing=standing):
                self._front.broadcast(standing)
                if self._keeper is not None and self._settings.risk.enabled:
                    self._outbox.post(self._risk, self._keeper.desk.standing(""))
            case Turned(symbol=symbol) if self._keeper is not None:
                self._front.turn(symbol, self._keeper.desk)
            case Notice():
                self._notices.take(command)
            case Restream(reason=reason):
                self._log.warning("order_stream_renewed", why=reason)
                if self._listening is not None:
                    self._listening.renew_orders()
            case ReadRules(reason=reason):
                if self._rules is not None:
                    self._rules.ask(reason)
            case SyncClock():
                asyncio.get_running_loop().create_task(self._sync_clock())
            case _:
                raise TypeError(f"no way to carry out {type(command).__name__}")

    async def _sync_clock(self) -> None:
        try:
            if self._venue is not None:
                await self._venue.measure_clock()
        except VenueError as error:
            self._log.warning("clock_not_measured", why=str(error))

    def _wait_for(self, what: str) -> None:
        self._waiting_for = [what]

    def _refuse(self, reasons: list[str], code: ExitCode) -> None:
        self._state, self._refusals, self._waiting_for = GatewayState.REFUSED, reasons, []
        self._refusal_code = code
        self._log.error("refused_to_start", why=str(RefusedToStart(tuple(reasons))))

    async def _end(self, venue: TradingVenue | None, market: MarketVenue | None, journal: Journal | None) -> None:
        self._notices.close()
        if self._caller is not None:
            await self._caller.close()
        for held in (market, venue):
            if held is not None:
                await held.close()
        if self._keeper is not None:
            self._keeper.close()
        elif journal is not None:
            journal.close()
        await self._owning.close()
