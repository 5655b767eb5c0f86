"""The worked example of the specification, row by row, with its variants a to e and its money."""

from __future__ import annotations

from decimal import Decimal

from grid.intent import CancelIntent
from grid.ladder import GridSide
from grid.order import OrderStatus
from grid.records import OrderMarked
from grid.sizing import entry_quantity
from grid.slot import Signal
from tests.grid_world import SYMBOL, GridWorld, Resting, instrument


def pairs(*orders: tuple[int, int]) -> list[Resting]:
    return [Resting(price, quantity) for price, quantity in orders]


def after_two_buys() -> GridWorld:
    world = GridWorld()
    world.quote(300_000)
    world.quote(299_550)
    world.fill(299_800)
    world.fill(299_600)
    return world


def test_at_the_anchor_three_entries_rest_below_it_and_none_at_it() -> None:
    world = GridWorld()

    world.quote(300_000)

    assert world.entries() == pairs((299_800, 10), (299_600, 10), (299_400, 10))
    assert world.exits() == []


def test_two_fills_arm_two_exits_and_the_window_moves_down() -> None:
    world = after_two_buys()

    assert world.entries() == pairs((299_400, 10), (299_200, 10), (299_000, 10))
    assert world.exits() == pairs((299_800, 10), (300_000, 10))
    assert world.book.symbol(SYMBOL).expected_position() == 20


def test_the_first_sale_earns_what_the_example_says() -> None:
    world = after_two_buys()

    world.quote(299_900)
    world.fill(299_800)

    ledger = world.book.symbol(SYMBOL).ledger
    assert world.entries() == pairs((299_600, 10), (299_400, 10), (299_200, 10))
    assert world.exits() == pairs((300_000, 10))
    assert ledger.realised == Decimal("0.020")
    assert dict(ledger.realised_fees) == {"USDT": Decimal("0.011988")}
    assert ledger.net_realised("USDT") == Decimal("0.008012")


def test_the_second_sale_ends_flat_with_the_net_of_the_example() -> None:
    world = after_two_buys()
    world.quote(299_900)
    world.fill(299_800)
    first = world.book.symbol(SYMBOL).ledger.net_realised("USDT")

    world.quote(300_420)
    world.fill(300_000)

    book = world.book.symbol(SYMBOL)
    assert world.entries() == pairs((300_400, 9), (300_200, 9), (300_000, 10))
    assert world.exits() == []
    assert book.expected_position() == 0
    assert book.ledger.net_realised("USDT") - first == Decimal("0.008004")
    assert book.ledger.net_realised("USDT") == Decimal("0.016016")
    assert book.ledger.round_trips == 2


def test_a_walk_tick_by_tick_leaves_one_more_entry_as_slack() -> None:
    world = GridWorld()
    path = [300_000, *range(299_999, 299_549, -1), *range(299_551, 299_901), *range(299_901, 300_421)]

    for price in path:
        world.quote(price)
        for entry in world.entries():
            if entry.price > price:
                world.fill(entry.price)
        for rest in world.exits():
            if rest.price < price:
                world.fill(rest.price)

    assert world.entries() == pairs((300_400, 9), (300_200, 9), (300_000, 10), (299_800, 10))
    assert world.book.symbol(SYMBOL).expected_position() == 0


def test_a_hold_takes_entries_and_leaves_exits_and_its_end_re_arms_at_the_present_price() -> None:
    world = after_two_buys()

    world.hold()
    assert world.entries() == []
    assert world.exits() == pairs((299_800, 10), (300_000, 10))

    world.quote(299_900)
    world.fill(299_800)
    assert world.entries() == []

    world.lift()
    # 2992 is slack at this price: it would have stayed, and is not placed anew.
    assert world.entries() == pairs((299_600, 10), (299_400, 10))


def test_a_restart_above_both_targets_places_both_exits_over_the_price_and_brings_them_down_later() -> None:
    before = after_two_buys()
    kept = [r for r in before.records if "X" not in getattr(r, "client_id", "")[14:15]]
    world = GridWorld(records=kept)
    world.now_ms = before.now_ms

    world.quote(300_300)
    world.reconcile()
    assert world.exits() == pairs((300_301, 10), (300_301, 10))
    assert world.entries() == pairs((300_200, 9), (300_000, 10))

    world.quote(300_150)
    world.fill(300_200)
    assert world.exits() == pairs((300_151, 10), (300_151, 10), (300_400, 9))


def test_above_3000_the_same_amount_buys_a_tenth_less() -> None:
    assert entry_quantity(Decimal(30), 300_000, instrument()) == 10
    assert entry_quantity(Decimal(30), 300_200, instrument()) == 9


def test_one_taker_exit_costs_more_than_the_interval_earns() -> None:
    world = after_two_buys()

    world.quote(299_900)
    world.fill(299_800, taker=True)

    ledger = world.book.symbol(SYMBOL).ledger
    assert dict(ledger.realised_fees)["USDT"] == Decimal("0.020982")
    assert ledger.net_realised("USDT") < 0
    assert (ledger.entry_fills, ledger.exit_fills, ledger.taker_fills) == (2, 1, 1)
    assert ledger.volume == Decimal("29.98") + Decimal("29.96") + Decimal("29.98")


class LateWorld(GridWorld):
    """Its venue fills two steps more between the cancel and the end of an order."""

    def _cancel(self, intent: CancelIntent) -> None:
        order = self.book.orders[intent.client_id]
        if order.is_over:
            return
        self.record(OrderMarked(client_id=order.client_id, symbol=SYMBOL, signal=Signal.CANCEL))
        known = self.book.symbol(SYMBOL).slot(intent.key).order
        assert known is not None
        self.fill(order.price, 2)
        self._tell(self._end(order, OrderStatus.CANCELED))


def test_a_part_filled_entry_is_cut_at_half_the_interval_and_its_lot_is_what_its_end_says() -> None:
    world = LateWorld()
    world.quote(299_650)
    world.fill(299_600, 4)
    world.quote(299_699)
    assert Resting(299_600, 6) in world.entries()

    world.quote(299_700)

    # 17.99 USDT, under the minimum notional: allowed, since it closes.
    assert world.exits() == pairs((299_800, 6))
    assert all(entry.price != 299_600 for entry in world.entries())


def test_a_short_grid_sells_above_and_buys_back_one_interval_lower() -> None:
    world = GridWorld(GridSide.SHORT)

    world.quote(300_000)
    assert world.entries() == pairs((300_200, 9), (300_400, 9), (300_600, 9))

    world.quote(300_250)
    world.fill(300_200)
    assert world.exits() == pairs((300_000, 9))
    assert world.book.symbol(SYMBOL).expected_position() == -9

    world.quote(299_990)
    world.fill(300_000)
    assert world.book.symbol(SYMBOL).ledger.realised == Decimal("0.018")
