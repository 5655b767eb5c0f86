"""Does what is due on the desk's list, each by the part that put it there."""

from __future__ import annotations

from exchanges.desk.cancelling import Cancelling
from exchanges.desk.closing import Closing
from exchanges.desk.core import Chore, Core
from exchanges.desk.decrees import Decrees
from exchanges.desk.events import Instant
from exchanges.desk.guarding import Guarding
from exchanges.desk.readings import Readings
from exchanges.desk.reports import Reports
from exchanges.desk.rulings import Rulings
from exchanges.desk.standing import StandingHolds
from exchanges.desk.stops import Stops
from grid.holds import HoldCause


class Chores:
    """The one place that knows whose chore is whose."""

    def __init__(
        self,
        core: Core,
        cancelling: Cancelling,
        standing: StandingHolds,
        reports: Reports,
        readings: Readings,
        decrees: Decrees,
        stops: Stops,
        closing: Closing,
        guarding: Guarding,
        rulings: Rulings,
    ) -> None:
        self._core = core
        self._cancelling = cancelling
        self._standing = standing
        self._reports = reports
        self._readings = readings
        self._decrees = decrees
        self._stops = stops
        self._closing = closing
        self._guarding = guarding
        self._rulings = rulings

    def do(self, now: Instant) -> None:
        """Do everything that is due, oldest first."""
        for chore, subject, attempt in self._core.take_due(now):
            self._do(chore, subject, attempt, now)

    def _do(self, chore: Chore, subject: str, attempt: int, now: Instant) -> None:
        match chore:
            case Chore.LOOK_UP:
                self._reports.look_up(subject, attempt, now)
            case Chore.CANCEL:
                self._cancelling.resend(subject, attempt, now)
            case Chore.SETTLE:
                self._reports.settle(subject, attempt, now)
            case Chore.NAME:
                self._decrees.ask(subject, attempt, now)
            case Chore.STOP:
                self._stops.look(subject, attempt, now)
            case _:
                self._do_once(chore, subject, now)

    def _do_once(self, chore: Chore, subject: str, now: Instant) -> None:
        match chore:
            case Chore.ECHO:
                self._reports.on_silent(subject, now)
            case Chore.RESYNC:
                self._readings.resume(now)
            case Chore.VERIFY:
                self._standing.verify(subject, now)
            case Chore.CLOSE:
                self._closing.step(subject, now)
            case Chore.SELL:
                self._guarding.step(subject, now)
            case Chore.RULES:
                self._rulings.ask(now)
            case Chore.LIFT_MARGIN:
                self._standing.lift(HoldCause.MARGIN, "", "the pause is over")
