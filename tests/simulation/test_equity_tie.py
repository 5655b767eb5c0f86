"""Invariant 9 against the whole system: every change of equity has a reason in the book, or is shown as unexplained."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from actors.virtual.settings import ACCOUNT
from actors.virtual.world import GATEWAY, World
from exchanges.desk.events import AccountRead
from grid.order import Side
from tests.simulation.money_worlds import (
    go_to,
    money_settings,
    money_world,
    notices,
    pay_funding,
    trade_by_hand,
    transfer,
    unexplained,
)
from tests.simulation.worlds import SYMBOL, quote, settle, trade

EXACT = Decimal("0.000001")


def trade_a_while(world: World) -> None:
    for price in (2995_50, 2999_00, 2990_50, 3004_20, 2997_00):
        go_to(world, price)


def test_fills_fees_and_open_lots_tie() -> None:
    world = money_world()
    trade_a_while(world)

    assert world.book.symbol(SYMBOL).ledger.round_trips > 2
    assert sum(1 for _ in world.book.symbol(SYMBOL).lots()) > 0
    assert abs(unexplained(world)) <= EXACT
    assert notices(world, "unexplained") == []


def test_the_baseline_is_written_once_and_a_restart_keeps_it() -> None:
    world = money_world()
    baseline = world.book.account.baseline
    assert baseline is not None
    trade_a_while(world)

    world.kill(GATEWAY)
    trade_a_while(world)
    settle(world, 20_000)

    assert world.book.account.baseline == baseline
    assert [kind for kind, _, _ in world.journal].count("baseline") == 1
    assert abs(unexplained(world)) <= EXACT


@pytest.mark.parametrize("rate", ["0.001", "-0.003"])
def test_funding_is_explained_by_its_row(rate: str) -> None:
    world = money_world()
    go_to(world, 2995_50)

    pay_funding(world, rate)
    settle(world)

    assert world.book.symbol(SYMBOL).ledger.funding != 0
    assert abs(unexplained(world)) <= EXACT


@pytest.mark.parametrize("amount", ["250", "-250"])
def test_a_transfer_is_neither_profit_nor_loss(amount: str) -> None:
    world = money_world()
    go_to(world, 2995_50)

    transfer(world, amount)
    settle(world)

    assert world.book.account.income("TRANSFER", "USDT") == Decimal(amount)
    assert abs(unexplained(world)) <= EXACT
    assert notices(world, "unexplained") == []
    peak = world.book.account.peak
    assert peak is not None
    assert abs(peak - (10_000 + Decimal(amount))) < 15


def test_a_withdrawal_beyond_the_days_loss_limit_ends_no_day() -> None:
    settings = money_settings()
    world = World(replace(settings, desk=replace(settings.desk, daily_loss=Decimal(100))))
    quote(world, 3000_00)
    world.start()
    settle(world)

    transfer(world, "-250")
    settle(world, 30_000)

    day = world.book.account.day
    assert day is not None
    assert day.opening == 9_750
    assert day.tripped_at is None


def test_the_trades_of_another_hand_are_explained_too() -> None:
    world = money_world()
    go_to(world, 2995_50)
    trade_by_hand(world, Side.BUY, "0.3")
    settle(world)
    go_to(world, 2999_00)
    trade_by_hand(world, Side.SELL, "0.1")
    settle(world)

    assert world.book.symbol(SYMBOL).foreign == 200
    assert abs(unexplained(world)) <= EXACT


def test_money_that_no_row_tells_of_is_shown_and_said_once() -> None:
    world = money_world()
    go_to(world, 2995_50)

    account = world.venue.engine._state.account(ACCOUNT)  # the venue takes money without a word
    account.wallet["USDT"] -= 7 * 10**8
    settle(world, 30_000)

    assert abs(unexplained(world) + 7) <= EXACT
    assert [notice.level for notice in notices(world, "unexplained")] == ["warning"]


def test_a_transfer_while_the_gateway_was_dead_is_found() -> None:
    world = money_world()
    go_to(world, 2995_50)
    world.kill(GATEWAY)
    transfer(world, "-500")

    settle(world, 60_000)

    assert abs(unexplained(world)) <= EXACT
    assert notices(world, "daily_loss") == []


def test_a_reading_that_began_before_a_fill_is_not_compared() -> None:
    world = money_world()
    assert world.gateway is not None
    accounting = world.gateway.desk.accounting
    tie = accounting.tie
    view = world.venue.engine.read
    old = AccountRead(begun_ms=world.agenda.now_ms, account=None, positions=None)
    from exchanges.sim.port_words import account_of, position_of

    account = account_of(view.account(ACCOUNT))
    positions = tuple(position_of(one) for one in view.positions(ACCOUNT))
    trade(world, 2997_00, Side.SELL)
    quote(world, 2997_00)
    settle(world, 60)  # the fill arrives; its exit is pending
    world.gateway.on_event(replace(old, account=account, positions=positions))

    assert accounting.tie == tie


def test_the_day_of_the_loss_limit_survives_the_gateway() -> None:
    settings = money_settings()
    world = World(replace(settings, desk=replace(settings.desk, daily_loss=Decimal(1))))
    quote(world, 3000_00)
    world.start()
    settle(world)
    opening = world.book.account.day
    assert opening is not None
    for price in (2990_50, 2980_50, 2960_00):
        go_to(world, price)
    tripped = world.book.account.day
    assert tripped is not None
    assert tripped.tripped_at is not None
    assert tripped.opening == opening.opening
    assert [notice.level for notice in notices(world, "daily_loss")] == ["critical"]

    world.kill(GATEWAY)
    settle(world, 30_000)
    orders = len(world.venue.engine.read.every_order(ACCOUNT))
    go_to(world, 2940_00)

    assert world.book.account.day == tripped
    assert len(world.venue.engine.read.every_order(ACCOUNT)) == orders
