"""The ledger under any order of fills, strangers' trades, funding and restarts, beside a second, plainer account of it.

The plain account keeps exact fractions and one list of purchases a level. It rounds nothing, so it may differ from the
book by the book's own smallest unit for each sharing, and by nothing else.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from grid.book import Book
from grid.client_id import ClientId
from grid.ladder import GridSide
from grid.order import Fill, OrderStatus, Purpose, Side
from grid.records import (
    FillBooked,
    ForeignSet,
    FundingBooked,
    GenerationStarted,
    OrderEnded,
    OrderIntended,
    OrderMarked,
    Record,
    from_body,
    to_body,
)
from grid.slot import Signal, SlotKey
from grid.snapshot import from_snapshot, to_snapshot
from tests.grid_world import SYMBOL, generation

LEVELS = st.integers(-5, 4)
ROUNDING = Fraction(1, 10**9)
ASSETS = st.sampled_from(("USDT", "BNB"))
FEES = st.decimals("0", "0.5", places=8)


class Purse:
    """One level in the plain account: steps held, what they cost, and their fees."""

    def __init__(self) -> None:
        self.steps, self.cost, self.funding = 0, Fraction(0), Fraction(0)
        self.fees: dict[str, Fraction] = {}


class LedgerMachine(RuleBasedStateMachine):
    """One symbol. Every record goes to the book; what it means goes to the plain account too."""

    @initialize(side=st.sampled_from(GridSide))
    def start(self, side: GridSide) -> None:
        """Begin with an empty book."""
        self.book, self.records = Book(), list[Record]()
        self.units: GenerationStarted = generation(side)
        self.sign = side.sign
        self.purses: dict[int, Purse] = {}
        self.foreign, self.realised, self.funding = 0, Fraction(0), Fraction(0)
        self.fees: dict[str, Fraction] = {}
        self.sequence = self.trades = 0
        self.apply(self.units)

    def apply(self, record: Record) -> None:
        """Tell the book, by way of the journal's text."""
        read = from_body(*[part for number, part in enumerate(to_body(record)) if number != 1])  # type: ignore[arg-type]
        assert read == record
        self.book.apply(read)
        self.records.append(read)

    @property
    def unit(self) -> Fraction:
        """Return the money of one tick times one step."""
        return Fraction(self.units.tick) * Fraction(self.units.step)

    def order(self, level: int, purpose: Purpose, price: int, steps: int) -> str:
        """Have an order live."""
        self.sequence += 1
        client_id = ClientId(
            journal="Prop",
            symbol=SYMBOL,
            generation=1,
            level=level,
            purpose=purpose,
            owner_epoch=1,
            sequence=self.sequence,
        ).encode()
        entry_side = self.units.side.entry_side
        self.apply(
            OrderIntended(
                client_id=client_id,
                symbol=SYMBOL,
                key=None if purpose is Purpose.FLATTEN else SlotKey(symbol=SYMBOL, generation=1, level=level),
                purpose=purpose,
                side=entry_side.other if purpose.closing else entry_side,
                price=price,
                quantity=steps,
                target=price + self.sign * 200,
                at_ms=1,
            )
        )
        order_id = f"o{self.sequence}"
        self.apply(OrderMarked(client_id=client_id, symbol=SYMBOL, signal=Signal.ACKED, order_id=order_id))
        return client_id

    def fill(self, client_id: str, side: Side, price: int, steps: int, fee: Decimal, asset: str) -> None:
        """Have the venue trade."""
        self.trades += 1
        entry = self.book.orders.get(client_id)
        fill = Fill(
            symbol=SYMBOL,
            order_id=entry.order_id if entry is not None else f"x{self.trades}",
            trade_id=str(self.trades),
            client_id=client_id,
            side=side,
            price=price,
            quantity=steps,
            fee=fee,
            fee_asset=asset,
            is_maker=True,
            venue_ms=self.trades,
        )
        self.apply(FillBooked(fill=fill, client_id=client_id))

    def end(self, client_id: str, filled: int) -> None:
        """Have the order end."""
        order_id = self.book.orders[client_id].order_id
        self.apply(
            OrderEnded(
                client_id=client_id, symbol=SYMBOL, order_id=order_id, status=OrderStatus.CANCELED, filled=filled
            )
        )

    @rule(
        level=LEVELS,
        price=st.integers(290_000, 310_000),
        parts=st.lists(st.integers(1, 9), max_size=3),
        fee=FEES,
        asset=ASSETS,
    )
    def buy(self, level: int, price: int, parts: list[int], fee: Decimal, asset: str) -> None:
        """An entry fills in parts, and ends."""
        client_id = self.order(level, Purpose.ENTRY, price, 40)
        purse = self.purses.setdefault(level, Purse())
        for steps in parts:
            self.fill(client_id, self.units.side.entry_side, price, steps, fee, asset)
            purse.steps += steps
            purse.cost += steps * price * self.unit
            purse.fees[asset] = purse.fees.get(asset, Fraction(0)) + Fraction(fee)
            self.fees[asset] = self.fees.get(asset, Fraction(0)) + Fraction(fee)
        self.end(client_id, sum(parts))

    @precondition(lambda self: self.held())
    @rule(pick=st.integers(0, 20), price=st.integers(290_000, 310_000), share=st.integers(1, 9), fee=FEES, asset=ASSETS)
    def sell(self, pick: int, price: int, share: int, fee: Decimal, asset: str) -> None:
        """An exit fills, a part of it or all."""
        level = self.held()[pick % len(self.held())]
        steps = min(share, self.purses[level].steps)
        client_id = self.order(level, Purpose.EXIT, price, self.purses[level].steps)
        self.fill(client_id, self.units.side.entry_side.other, price, steps, fee, asset)
        self.end(client_id, steps)
        self.fees[asset] = self.fees.get(asset, Fraction(0)) + Fraction(fee)
        self.close([level], steps, price)

    @precondition(lambda self: self.held())
    @rule(price=st.integers(290_000, 310_000), share=st.integers(1, 30), fee=FEES, asset=ASSETS)
    def flatten(self, price: int, share: int, fee: Decimal, asset: str) -> None:
        """The desk sells across lots, the highest target first."""
        steps = min(share, sum(purse.steps for purse in self.purses.values()))
        top = self.from_the_top()
        client_id = self.order(0, Purpose.FLATTEN, price, steps)
        self.fill(client_id, self.units.side.entry_side.other, price, steps, fee, asset)
        self.end(client_id, steps)
        self.fees[asset] = self.fees.get(asset, Fraction(0)) + Fraction(fee)
        self.close(top, steps, price)

    @rule(price=st.integers(290_000, 310_000), steps=st.integers(1, 30), opens=st.booleans(), fee=FEES, asset=ASSETS)
    def stranger(self, price: int, steps: int, opens: bool, fee: Decimal, asset: str) -> None:
        """Somebody else trades: what closes beyond theirs comes off our lots, highest target first."""
        side = self.units.side.entry_side if opens else self.units.side.entry_side.other
        theirs = max(0, self.sign * self.foreign)
        lots = sum(purse.steps for purse in self.purses.values())
        ours = 0 if opens else min(max(0, steps - theirs), lots)
        top = self.from_the_top()
        self.fill("", side, price, steps, fee, asset)
        self.foreign += side.sign * (steps - ours)
        self.fees[asset] = self.fees.get(asset, Fraction(0)) + Fraction(fee) * ours / steps
        self.close(top, ours, price)

    @rule(amount=st.decimals(-3, 3, places=8))
    def fund(self, amount: Decimal) -> None:
        """A funding payment falls on lots and strangers by what they hold."""
        held = {level: purse.steps for level, purse in self.purses.items() if purse.steps}
        lots = sum(held.values())
        position = lots + self.sign * self.foreign
        ours = Fraction(amount) * lots / position if position else Fraction(amount)
        self.trades += 1
        self.apply(
            FundingBooked(symbol=SYMBOL, transaction_id=f"f{self.trades}", amount=amount, asset="USDT", venue_ms=1)
        )
        self.funding += ours
        for level, steps in held.items():
            self.purses[level].funding += ours * steps / lots

    @rule(quantity=st.integers(-20, 20))
    def read_foreign(self, quantity: int) -> None:
        """A reading says what is not ours."""
        self.apply(ForeignSet(symbol=SYMBOL, quantity=quantity, reason="read"))
        self.foreign = quantity

    @rule(by_snapshot=st.booleans())
    def restart(self, by_snapshot: bool) -> None:
        """The book is rebuilt, from its records or from a snapshot of itself."""
        if by_snapshot:
            self.book = from_snapshot(to_snapshot(self.book))
        else:
            self.book = Book()
            self.book.replay(self.records)

    def held(self) -> list[int]:
        """Return the levels with a lot."""
        return sorted(level for level, purse in self.purses.items() if purse.steps)

    def from_the_top(self) -> list[int]:
        """Return the levels with a lot, the highest oriented target first."""
        lots = {key.level: lot for key, lot in self.book.symbol(SYMBOL).lots()}
        return sorted(lots, key=lambda level: (-self.sign * lots[level].target, level))

    def close(self, levels: list[int], steps: int, price: int) -> None:
        """Take steps off lots in this order, at this price."""
        for level in levels:
            purse = self.purses[level]
            taken = min(steps, purse.steps)
            if not taken:
                continue
            part = Fraction(taken, purse.steps)
            self.realised += self.sign * (taken * price * self.unit - purse.cost * part)
            purse.cost -= purse.cost * part
            purse.funding -= purse.funding * part
            purse.fees = {asset: paid * (1 - part) for asset, paid in purse.fees.items()}
            purse.steps, steps = purse.steps - taken, steps - taken
        assert not steps

    @invariant()
    def every_lot_is_what_it_cost(self) -> None:
        """Steps exactly; cost, fees and funding to the rounding of the sharing."""
        lots = {key.level: lot for key, lot in self.book.symbol(SYMBOL).lots()}
        assert {level: lot.quantity for level, lot in lots.items()} == {
            level: purse.steps for level, purse in self.purses.items() if purse.steps
        }
        for level, lot in lots.items():
            purse = self.purses[level]
            assert abs(Fraction(lot.cost) - purse.cost) < ROUNDING
            assert abs(Fraction(lot.funding) - purse.funding) < ROUNDING
            for asset, paid in purse.fees.items():
                assert abs(Fraction(dict(lot.fees).get(asset, Decimal(0))) - paid) < ROUNDING

    @invariant()
    def money_is_what_the_plain_account_says(self) -> None:
        """Profit, fees and funding tie; cash ties with them without any rounding."""
        symbol = self.book.symbol(SYMBOL)
        ledger = symbol.ledger
        assert symbol.foreign == self.foreign
        assert abs(Fraction(ledger.realised) - self.realised) < ROUNDING
        assert abs(Fraction(ledger.funding) - self.funding) < ROUNDING
        for asset, paid in self.fees.items():
            assert abs(Fraction(ledger.fees_in(asset)) - paid) < ROUNDING
        cost = sum((lot.cost for _, lot in symbol.lots()), Decimal(0))
        assert ledger.cash == ledger.realised + ledger.funding - self.sign * (cost - ledger.adjusted)

    @invariant()
    def fees_of_what_was_closed_and_of_what_is_held_are_all_fees(self) -> None:
        """Nothing that was paid is lost between a lot and its exit."""
        symbol = self.book.symbol(SYMBOL)
        for asset in ("USDT", "BNB"):
            held = sum((dict(lot.fees).get(asset, Decimal(0)) for _, lot in symbol.lots()), Decimal(0))
            closed = dict(symbol.ledger.realised_fees).get(asset, Decimal(0))
            assert held + closed == symbol.ledger.fees_in(asset)


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
