"""Client ids over any lives of a gateway: never two alike, and each says what it was made for."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from exchanges.desk.core import Core
from exchanges.desk.settings import DeskSettings
from grid.book import Book
from grid.client_id import ClientId, decode
from grid.order import Purpose
from grid.records import GenerationStarted, OrderIntended, OwnerRaised
from grid.slot import SlotKey
from risk.daily_loss import DailyLoss
from risk.lease import Lease
from tests.grid_world import SYMBOL, generation

OTHER = "SOLUSDT"
ALPHABET = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


LEVELS = st.one_of(st.sampled_from((-1, 0)), st.integers(-7_000_000, 7_000_000))
"""Mostly the same few: an id that comes again has to say the same."""


class IdMachine(RuleBasedStateMachine):
    """Lives of one account's desk, some of which were given a number that had been used before."""

    @initialize()
    def start(self) -> None:
        """Begin the first life."""
        self.book = Book()
        self.given: dict[str, ClientId] = {}
        self.lives = 0
        self.book.apply(generation())
        self.restart(True)

    @rule(is_raised=st.booleans())
    def restart(self, is_raised: bool) -> None:
        """A new life counts from one again; its number should have risen, and may not have."""
        if is_raised or not self.lives:
            self.lives += 1
            self.book.apply(OwnerRaised(owner_epoch=self.lives))
        self.core = Core(
            book=self.book,
            settings=DeskSettings(journal="Jn01", notional_max=generation().tick),
            symbols={},
            lease=Lease(),
            daily_loss=DailyLoss(limit=None),
        )

    @rule(level=LEVELS, number=st.sampled_from((0, 0, 1, 3_843)), purpose=st.sampled_from(Purpose))
    def give(self, level: int, number: int, purpose: Purpose) -> None:
        """An order is named, and journalled before the next is."""
        text = self.core.next_client_id(SYMBOL, number, level, purpose)
        assert text not in self.given
        said = decode(text, SYMBOL)
        assert said is not None
        assert (said.generation, said.level, said.purpose) == (number, level, purpose)
        assert (said.journal, said.symbol, said.owner_epoch) == ("Jn01", SYMBOL, self.lives)
        self.given[text] = said
        units: GenerationStarted = generation()
        self.core.record(
            OrderIntended(
                client_id=text,
                symbol=SYMBOL,
                key=SlotKey(symbol=SYMBOL, generation=units.generation, level=level),
                purpose=purpose,
                side=units.side.entry_side,
                price=1,
                quantity=1,
                target=2,
                at_ms=1,
                attach=False,
            )
        )

    @rule(pick=st.integers(0, 50), at=st.integers(0, 24), digit=st.sampled_from(sorted(ALPHABET)))
    def mistype(self, pick: int, at: int, digit: str) -> None:
        """One wrong character never says the same, and another symbol's id is not ours."""
        if not self.given:
            return
        text = sorted(self.given)[pick % len(self.given)]
        assert decode(text, OTHER) is None
        if text[at] != digit:
            found = decode(text[:at] + digit + text[at + 1 :], SYMBOL)
            assert found is None or found != self.given[text]  # two characters of check let one in 3,844 pass

    @invariant()
    def every_id_fits_every_venue(self) -> None:
        """At most 28 characters, letters and digits only, never beginning with t."""
        for text in self.given:
            assert len(text) <= 28
            assert set(text) <= ALPHABET
            assert not text.startswith("t")


TestIds = IdMachine.TestCase
TestIds.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
