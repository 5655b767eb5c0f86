"""Slots under lost, doubled and overtaken words, and the short grid as the mirror of the long one."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from grid.decision import Stay, Surroundings, decide
from grid.intent import Told
from grid.ladder import GridSide
from grid.order import Purpose
from grid.window import WindowChange
from tests.grid_world import SYMBOL, GridWorld, Resting, instrument, policy

LOST, ONCE, TWICE, HELD_BACK = range(4)
FATES = st.lists(st.integers(0, 3), min_size=1, max_size=40)
STEPS = st.lists(
    st.tuples(st.sampled_from(["quote", "quote", "fill", "hold", "lift"]), st.integers(-700, 700)), max_size=25
)


class Mail:
    """A post office that loses, doubles and holds back as it was told; what it held back comes out newest first."""

    def __init__(self, fates: list[int]) -> None:
        self.fates, self.count, self.held = fates, 0, list[Told | WindowChange]()
        self.is_sound = False

    def __call__(self, word: Told | WindowChange) -> list[Told | WindowChange]:
        if self.is_sound:
            return [word]
        fate = self.fates[self.count % len(self.fates)]
        self.count += 1
        if fate == HELD_BACK:
            self.held.append(word)
            return []
        late = [*reversed(self.held)] if fate == TWICE else []
        if late:
            self.held = []
        return [word] * fate + late


def take_steps(world: GridWorld, steps: list[tuple[str, int]]) -> None:
    world.quote(300_000)
    for kind, size in steps:
        take_step(world, kind, size)


def take_step(world: GridWorld, kind: str, size: int) -> None:
    assert world.window.view is not None
    price = world.window.view.price * world.sign
    if kind == "quote":
        world.quote(max(295_000, min(305_000, price + size)))
    elif kind == "fill":
        live = world.book.live_orders(SYMBOL)
        if live:
            order = min(live, key=lambda order: (world.sign * order.price, order.client_id))
            left = order.quantity - order.booked
            world.fill(order.price, left if size > 0 else 1 + abs(size) % left)
            world.confirm_price()
    elif kind == "hold":
        world.hold()
    else:
        world.lift()


def unmet(world: GridWorld) -> list[object]:
    """What a decision from the book, the price and the holds alone would still do, at any level."""
    book, view = world.book.symbol(SYMBOL), world.window.view
    assert view is not None
    levels = {key.level for key in book.slots} | set(range(view.top - 8, view.top + 3))
    around = Surroundings(
        ladder=book.ladder,
        policy=world.policy,
        instrument=world.instrument,
        view=view,
        holds=world.standing().holds,
        has_older_lot=False,
        now_ms=world.now_ms,
    )
    keys = [world.group._key(level) for level in levels]
    decisions = [decide(book.slot(key), around) for key in keys]
    return [decision for decision in decisions if not isinstance(decision, Stay)]


@given(FATES, STEPS)
def test_whatever_happens_to_words_a_reconcile_leaves_nothing_undone(
    fates: list[int], steps: list[tuple[str, int]]
) -> None:
    mail = Mail(fates)
    world = GridWorld(post=mail)
    take_steps(world, steps)

    mail.is_sound = True
    for word in mail.held:
        world._say(word)
    world.reconcile()
    world.reconcile()

    assert unmet(world) == []
    attached = [order.key for order in world.book.live_orders(SYMBOL)]
    assert len(set(attached)) == len(attached)


@given(STEPS, st.booleans())
def test_with_sound_mail_nothing_is_left_undone_even_without_a_reconcile(
    steps: list[tuple[str, int]], is_short: bool
) -> None:
    world = GridWorld(GridSide.SHORT if is_short else GridSide.LONG)

    world.quote(300_000)
    for kind, size in steps:
        take_step(world, kind, size)
        assert unmet(world) == []


@given(STEPS)
def test_doubled_words_place_nothing_twice(steps: list[tuple[str, int]]) -> None:
    plain, doubled = GridWorld(), GridWorld(post=Mail([TWICE]))

    take_steps(plain, steps)
    take_steps(doubled, steps)

    assert doubled.entries() == plain.entries()
    assert doubled.exits() == plain.exits()
    assert doubled.book.symbol(SYMBOL).ledger == plain.book.symbol(SYMBOL).ledger


@given(STEPS, st.integers(0, 25))
def test_slots_and_feed_that_start_again_end_where_they_would_have(steps: list[tuple[str, int]], at: int) -> None:
    world = GridWorld()
    world.quote(300_000)
    for kind, size in steps[:at]:
        take_step(world, kind, size)

    price = world.window.view.price if world.window.view is not None else 0
    world.restart_slots()
    world.restart_feed()
    world.quote(price)
    world.reconcile()
    world.reconcile()

    assert unmet(world) == []


@given(STEPS)
def test_a_short_grid_does_in_the_mirror_what_a_long_one_does(steps: list[tuple[str, int]]) -> None:
    # One amount that buys the same quantity at every price of the walk, so that only the direction differs.
    rules, venue = policy(amount=Decimal(3090)), instrument(step=Decimal("0.1"))
    long = GridWorld(rules=rules, venue=venue)
    short = GridWorld(GridSide.SHORT, rules=rules, venue=venue)
    long.quote(300_000)
    short.quote(300_000)

    for kind, size in steps:
        take_step(long, kind, size)
        take_step(short, kind, -size if kind == "quote" else size)

        assert mirrored(long.entries()) == short.entries()
        assert mirrored(long.exits()) == short.exits()
        assert long.book.symbol(SYMBOL).expected_position() == -short.book.symbol(SYMBOL).expected_position()

    sides = {(o.purpose.closing, o.side) for o in short.book.orders.values() if o.purpose is not Purpose.DUST}
    assert not {side for closing, side in sides if not closing} & {side for closing, side in sides if closing}


def mirrored(orders: list[Resting]) -> list[Resting]:
    return [Resting(600_000 - order.price, order.quantity) for order in orders]
