"""What the desk commands beside calls to the venue: slots, people and the supervisor told, things renewed."""

from __future__ import annotations

import asyncio

from structlog.typing import FilteringBoundLogger

from actors.gateway.front import Front
from actors.gateway.listening import Listening
from actors.gateway.notices import Notices
from actors.gateway.rule_reader import RuleReader
from actors.mail.outbox import Outbox
from exchanges.desk.commands import Broadcast, Command, Notice, ReadRules, Restream, SyncClock, Tell, Turned
from exchanges.errors import VenueError
from exchanges.order_desk import OrderDesk
from exchanges.port import TradingVenue


class Words:
    """Passes each on. `risk` is the supervisor's name, empty where nobody watches; the rest is there once it trades."""

    def __init__(self, front: Front, notices: Notices, log: FilteringBoundLogger, outbox: Outbox, risk: str) -> None:
        self._front = front
        self._notices = notices
        self._log = log
        self._outbox = outbox
        self._risk = risk
        self.desk: OrderDesk | None = None
        self.venue: TradingVenue | None = None
        self.listening: Listening | None = None
        self.rules: RuleReader | None = None

    def pass_on(self, command: Command) -> None:
        """Carry out one command."""
        match command:
            case Tell(told=told):
                self._front.tell(told)
            case Broadcast(standing=standing):
                self._front.broadcast(standing)
                if self.desk is not None and self._risk:
                    self._outbox.post(self._risk, self.desk.standing(""))
            case Turned(symbol=symbol) if self.desk is not None:
                self._front.turn(symbol, self.desk)
            case Notice():
                self._notices.take(command)
            case Restream(reason=reason):
                self._log.warning("order_stream_renewed", why=reason)
                if self.listening is not None:
                    self.listening.renew_orders()
            case ReadRules(reason=reason):
                if self.rules is not None:
                    self.rules.ask(reason)
            case SyncClock():
                asyncio.get_running_loop().create_task(self._sync_clock())
            case _:
                raise TypeError(f"no way to carry out {type(command).__name__}")

    async def _sync_clock(self) -> None:
        try:
            if self.venue is not None:
                await self.venue.measure_clock()
        except VenueError as error:
            self._log.warning("clock_not_measured", why=str(error))
