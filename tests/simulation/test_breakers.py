"""Stop-loss, take-profit, layers and drawdown against the whole system (scenario 14): they hold, sell, and stay."""

from __future__ import annotations

from decimal import Decimal

import pytest

from actors.virtual.settings import ACCOUNT
from actors.virtual.world import GATEWAY, World
from exchanges.desk.events import CloseAsked, ClosingMode, HoldAsked
from exchanges.desk.settings import Breakers
from exchanges.sim.orders import TimeInForce
from grid.holds import HoldCause
from grid.order import Purpose, Side
from tests.simulation.money_worlds import go_to, holds, mark, money_world, notices, position, rules, say, trade_by_hand
from tests.simulation.worlds import SYMBOL, purpose_of, quote, resting, settle, trade

STOPPED = ("stop_loss", SYMBOL)
SELL_WINDOW = 3
AT_THE_STOP = 2985_50
"""Seven lots of 0.010 bought from 2998 down: more than 0.40 is lost there."""


def fall(world: World) -> None:
    for price in (2995_50, 2990_50, AT_THE_STOP):
        go_to(world, price)


def stopped(symbol: Breakers) -> World:
    world = money_world(symbol=symbol)
    fall(world)
    assert holds(world) == [STOPPED]
    return world


def clear(world: World, scope: str = SYMBOL) -> None:
    say(world, HoldAsked(cause=HoldCause.STOP_LOSS, symbol=scope, is_put=False, reason="released"))


def entries_sent(world: World) -> int:
    orders = world.venue.engine.read.every_order(ACCOUNT)
    return sum(1 for order in orders if purpose_of(order.client_id) is Purpose.ENTRY)


def test_a_stop_loss_takes_the_symbols_entries_off_and_leaves_the_exits() -> None:
    world = stopped(Breakers(rules=rules(stop_loss=Decimal("0.40"))))

    assert resting(world, Side.BUY) == []
    near = world.book.symbol(SYMBOL).ladder.floor(AT_THE_STOP) + SELL_WINDOW
    wanted = {key.level + 1 for key, _ in world.book.symbol(SYMBOL).lots() if key.level + 1 <= near}
    assert {price for price, _ in resting(world, Side.SELL)} >= {Decimal(3000 + 2 * level) for level in wanted}
    assert len(wanted) == 2
    assert world.gateway is not None
    assert SYMBOL in world.gateway.desk.entries_gone


def test_it_is_judged_before_an_entry_leaves_though_no_tick_came_between() -> None:
    world = money_world(symbol=Breakers(rules=rules(stop_loss=Decimal("0.40"))))
    for price in (2995_50, 2990_50):
        go_to(world, price)
    sent = entries_sent(world)

    mark(world, 2960_00)
    settle(world, 1_200)  # the mark arrives
    quote(world, 2992_00)
    settle(world, 6_000)

    assert holds(world) == [STOPPED]
    assert entries_sent(world) == sent


def test_no_buying_follows_a_stop_until_the_operator_says_so() -> None:
    world = stopped(Breakers(rules=rules(stop_loss=Decimal("0.40"))))
    sent = entries_sent(world)

    for price in (2970_00, 3010_00, 2990_00):
        go_to(world, price)
    settle(world, 600_000)
    assert entries_sent(world) == sent
    assert STOPPED in holds(world)

    clear(world)
    settle(world, 20_000)
    assert holds(world) == []
    assert entries_sent(world) > sent


def test_a_release_measures_the_loss_anew_and_the_same_loss_does_not_trip_again() -> None:
    world = stopped(Breakers(rules=rules(stop_loss=Decimal("0.40"))))

    clear(world)
    settle(world)

    assert holds(world) == []
    go_to(world, AT_THE_STOP - 25_00)
    assert holds(world) == [STOPPED]


def test_cool_down_and_price_must_both_be_met() -> None:
    symbol = Breakers(rules=rules(stop_loss=Decimal("0.40"), cool_down_ms=60_000, recovery="0.001"))
    world = stopped(symbol)

    go_to(world, 2994_00)
    assert holds(world) == [STOPPED]  # the price is back, the time is not over
    go_to(world, 2984_00, settle_ms=70_000)
    assert holds(world) == [STOPPED]  # the time is over, the price is not back
    go_to(world, 2994_00)

    assert holds(world) == []
    assert resting(world, Side.BUY) != []


def test_where_it_says_so_the_lots_are_sold_in_reduce_only_slices_and_nothing_is_bought() -> None:
    world = stopped(Breakers(rules=rules(stop_loss=Decimal("0.40")), sells=True))

    settle(world, 20_000)

    assert position(world) == 0
    assert list(world.book.symbol(SYMBOL).lots()) == []
    assert world.book.symbol(SYMBOL).foreign == 0
    assert resting(world, Side.SELL) == resting(world, Side.BUY) == []
    slices = [
        order
        for order in world.venue.engine.read.every_order(ACCOUNT)
        if purpose_of(order.client_id) is Purpose.FLATTEN
    ]
    assert slices
    assert all(order.reduce_only and order.time_in_force is TimeInForce.IOC for order in slices)
    assert holds(world) == [STOPPED]
    assert len(notices(world, "selling")) == len(notices(world, "sold")) == 1


def test_what_others_hold_is_not_sold() -> None:
    world = money_world(symbol=Breakers(rules=rules(stop_loss=Decimal("0.40")), sells=True))
    trade_by_hand(world, Side.BUY, "0.5")
    settle(world)

    fall(world)
    settle(world, 20_000)

    assert position(world) == world.book.symbol(SYMBOL).foreign == 500


@pytest.mark.parametrize("after_ms", [0, 50, 400, 900, 1_500, 2_500, 3_500])
def test_a_gateway_that_dies_while_selling_goes_on_with_it(after_ms: int) -> None:
    world = money_world(symbol=Breakers(rules=rules(stop_loss=Decimal("0.40")), sells=True))
    go_to(world, 2995_50)
    go_to(world, 2990_50)
    go_to(world, AT_THE_STOP, settle_ms=after_ms)

    world.kill(GATEWAY)
    settle(world, 60_000)

    assert position(world) == 0
    assert holds(world) == [STOPPED]
    assert resting(world, Side.BUY) == resting(world, Side.SELL) == []


def test_a_trip_survives_the_gateway_and_so_does_its_cool_down() -> None:
    symbol = Breakers(rules=rules(stop_loss=Decimal("0.40"), cool_down_ms=120_000))
    world = stopped(symbol)
    before = world.book.account.breakers[SYMBOL]

    world.kill(GATEWAY)
    settle(world, 30_000)

    assert holds(world) == [STOPPED]
    assert world.book.account.breakers[SYMBOL] == before


def test_a_sale_that_finds_no_buyer_is_given_up_and_the_exits_come_back() -> None:
    world = money_world(symbol=Breakers(rules=rules(stop_loss=Decimal("0.40")), sells=True))
    go_to(world, 2995_50)
    mark(world, 2700_00)  # far above the best bid's reach below: no slice may go there
    quote(world, 2600_00)

    settle(world, 60_000)

    assert position(world) == 20
    assert [n.level for n in notices(world, "not_flat")] == ["critical"]
    go_to(world, 2995_50)
    assert len(resting(world, Side.SELL)) == 2
    assert resting(world, Side.BUY) == []


def test_a_stop_that_keeps_is_not_overruled_by_a_sale() -> None:
    world = money_world(symbol=Breakers(rules=rules(stop_loss=Decimal("0.40")), sells=True))
    go_to(world, 2995_50)
    go_to(world, 2990_50)
    go_to(world, AT_THE_STOP, settle_ms=300)
    held = position(world)

    say(world, CloseAsked(mode=ClosingMode.KEEP))
    settle(world, 30_000)

    assert world.gateway is not None
    assert world.gateway.desk.is_closed
    assert position(world) == held > 0


def test_a_take_profit_trails_the_peak_and_sells() -> None:
    profit = rules(take_profit_arm=Decimal("0.10"), take_profit_give_back=Decimal("0.5"))
    world = money_world(symbol=Breakers(rules=profit, sells=True))
    go_to(world, 2991_00)  # 2998 to 2992 are bought
    assert holds(world) == []
    mark(world, 3020_00)
    settle(world, 3_000)
    assert holds(world) == []

    mark(world, 2996_00)
    settle(world, 20_000)

    assert holds(world) == [STOPPED]
    assert position(world) == 0
    assert "gave back" in world.book.account.breakers[SYMBOL].reason


def test_a_mark_from_before_a_fill_makes_no_profit() -> None:
    profit = rules(take_profit_arm=Decimal("0.10"), take_profit_give_back=Decimal("0.5"))
    world = money_world(symbol=Breakers(rules=profit))

    quote(world, 2991_00)  # four lots are bought while the last mark is 3000: 0.20 above what they cost
    trade(world, 2991_00, Side.SELL)
    settle(world, 900)
    mark(world, 2991_00)
    settle(world, 5_000)

    assert position(world) > 0
    assert holds(world) == []


def test_the_peak_of_a_take_profit_survives_the_gateway() -> None:
    profit = rules(take_profit_arm=Decimal("0.10"), take_profit_give_back=Decimal("0.5"))
    world = money_world(symbol=Breakers(rules=profit))
    go_to(world, 2991_00)
    mark(world, 3020_00)
    settle(world, 3_000)

    world.kill(GATEWAY)
    mark(world, 2996_00)
    settle(world, 20_000)

    assert holds(world) == [STOPPED]


def test_too_many_layers_hold_until_there_are_fewer() -> None:
    world = money_world(symbol=Breakers(rules=rules(layers_max=3, cool_down_ms=1_000)))
    fall(world)
    assert holds(world) == [STOPPED]
    assert sum(1 for _ in world.book.symbol(SYMBOL).lots()) >= 3
    settle(world, 30_000)
    assert holds(world) == [STOPPED]

    go_to(world, 3004_00, settle_ms=20_000)

    assert holds(world) == []


def test_the_account_has_breakers_of_its_own_that_hold_every_symbol() -> None:
    world = money_world(
        account=Breakers(rules=rules(stop_loss=Decimal("0.40"), cool_down_ms=60_000, recovery="0.002"), sells=True)
    )
    fall(world)
    settle(world, 20_000)
    assert holds(world) == [("stop_loss", "")]
    assert position(world) == 0

    settle(world, 70_000)
    assert holds(world) == [("stop_loss", "")]  # the price has not come back
    go_to(world, 2995_50, settle_ms=20_000)

    assert holds(world) == []


def test_a_drawdown_ends_by_an_operator_only_whatever_else_tripped() -> None:
    world = money_world(account=Breakers(rules=rules(stop_loss=Decimal("0.40"), cool_down_ms=1_000)))
    word = HoldAsked(cause=HoldCause.STOP_LOSS, symbol="", is_put=True, reason="drawdown")
    say(world, word)
    say(world, word)

    settle(world, 300_000)
    assert holds(world) == [("stop_loss", "")]
    world.kill(GATEWAY)
    settle(world, 30_000)
    assert holds(world) == [("stop_loss", "")]

    clear(world, "")
    settle(world)
    assert holds(world) == []


def test_a_drawdown_on_top_of_a_stop_loss_is_not_lifted_by_its_cool_down() -> None:
    world = money_world(account=Breakers(rules=rules(stop_loss=Decimal("0.40"), cool_down_ms=60_000)))
    fall(world)
    assert holds(world) == [("stop_loss", "")]
    say(world, HoldAsked(cause=HoldCause.STOP_LOSS, symbol="", is_put=True, reason="drawdown"))

    settle(world, 70_000)
    go_to(world, 3000_00)

    assert holds(world) == [("stop_loss", "")]


def test_a_release_of_nothing_changes_nothing() -> None:
    world = money_world(symbol=Breakers(rules=rules(stop_loss=Decimal("0.40"))))
    epoch = world.book.halt_epoch

    clear(world)
    clear(world, "")
    settle(world)

    assert world.book.halt_epoch == epoch


def test_at_the_stop_price_entries_end_and_the_lots_are_sold() -> None:
    world = money_world(symbol=Breakers(rules=rules(stop_price=Decimal("2990.60")), sells=True))
    go_to(world, 2995_50)
    assert holds(world) == []
    assert position(world) > 0

    go_to(world, 2990_50)
    settle(world, 20_000)

    assert holds(world) == [STOPPED]
    assert position(world) == 0
    assert resting(world, Side.BUY) == resting(world, Side.SELL) == []


def test_at_the_goal_entries_end_for_good_though_the_gateway_dies_and_the_price_comes_back() -> None:
    world = money_world(symbol=Breakers(rules=rules(profit_price=Decimal(3010), cool_down_ms=1_000)))
    go_to(world, 3010_00)
    assert holds(world) == [STOPPED]
    sent = entries_sent(world)

    world.kill(GATEWAY)
    go_to(world, 2999_00)
    settle(world, 600_000)

    assert holds(world) == [STOPPED]
    assert entries_sent(world) == sent
    clear(world)
    settle(world, 20_000)
    assert resting(world, Side.BUY) != []
