"""The order desk at its limits: the day's loss, a flatten that sells nothing, cancels of strays."""

from __future__ import annotations

from decimal import Decimal

from exchanges.desk.commands import Notice, ReadOpenOrders, ReadOpenStops, Send, SendCancel, Tell
from exchanges.desk.events import (
    Accepted,
    AccountRead,
    CloseAsked,
    ClosingMode,
    HoldAsked,
    MarkSeen,
    OpenOrdersRead,
    PlaceAnswered,
    StopsRead,
)
from exchanges.desk.settings import Breakers, DeskSettings, DeskSymbol
from exchanges.order_desk import OrderDesk
from exchanges.port import Account
from grid.book import Book
from grid.holds import HoldCause
from grid.order import OrderStatus
from grid.reasons import Reason
from grid.snapshot import from_snapshot, to_snapshot
from risk.breakers import BreakerKind, BreakerRules, Reentry
from risk.daily_loss import DAY_MS
from tests.simulation.worlds import SYMBOL, example_plan
from tests.unit.order_desk_world import DeskWorld


class LossWorld(DeskWorld):
    """A desk with a limit for the day's loss."""

    def __init__(self, breakers: Breakers | None = None, book: Book | None = None) -> None:
        super().__init__()
        plan = example_plan()
        settings = DeskSettings(journal="Sim1", notional_max=Decimal(5_000), daily_loss=Decimal(10), breakers=breakers)
        symbols = {SYMBOL: DeskSymbol(policy=plan.policy, instrument=plan.instrument)}
        self.desk = OrderDesk(book or Book(), settings, symbols)
        first = [plan.generation(0, 300_000)] if book is None else []
        self._take(self.desk.begin(self.desk.book.owner_epoch + 1, first, self.now()))

    def equity(self, amount: int) -> None:
        account = Account(
            wallet=Decimal(amount),
            available=Decimal(amount),
            unrealised=Decimal(0),
            is_one_way=True,
            is_multi_asset=False,
            can_trade=True,
        )
        self.tell(AccountRead(begun_ms=self.now_ms, account=account, positions=()))


def test_the_days_loss_holds_withdraws_and_journals_no_further_try() -> None:
    world = LossWorld()
    world.ready()
    world.equity(1_000)
    client_id = world.live(-1)
    world.equity(989)

    assert world.desk.book.holds.find(HoldCause.STOP_LOSS, "") is not None
    assert client_id in [cancel.client_id for cancel in world.heard(SendCancel)]

    world.tell(HoldAsked(cause=HoldCause.STOP_LOSS, symbol="", is_put=False, reason="the operator lifts it"))
    world.renew_go()
    written = len(world.records)
    world.heard(Tell)
    assert world.ask(-2) == ""
    assert [tell.told.refusal for tell in world.heard(Tell)] == [Reason.NO_GO]
    assert len(world.records) == written


def is_held(world: DeskWorld) -> bool:
    return world.desk.book.holds.find(HoldCause.STOP_LOSS, "") is not None


def lost_today(breakers: Breakers | None = None) -> LossWorld:
    """A desk whose day has just ended in its limit, with the mark at 3000."""
    world = LossWorld(breakers)
    world.ready()
    world.equity(1_000)
    world.equity(989)
    assert is_held(world)
    return world


def next_day(world: LossWorld, price: int) -> None:
    """Let a day pass: a go, a mark and a reading of equity in it."""
    world.now_ms += DAY_MS
    world.renew_go()
    world.tell(MarkSeen(symbol=SYMBOL, price=Decimal(price)))
    world.equity(989)
    world.pass_ms(1_000)


def test_the_date_alone_lifts_no_daily_loss() -> None:
    world = lost_today()
    next_day(world, 3_100)
    assert is_held(world)

    world.tell(HoldAsked(cause=HoldCause.STOP_LOSS, symbol="", is_put=False, reason="the operator lifts it"))
    world.pass_ms(200)
    assert not is_held(world)
    assert world.ask(-1)


REENTRY = Breakers(
    rules=BreakerRules(reentry={BreakerKind.DAILY_LOSS: Reentry(cool_down_ms=60_000, recovery=Decimal("0.01"))})
)


def test_a_daily_loss_ends_on_a_later_day_by_cool_down_and_price_where_they_are_configured() -> None:
    world = lost_today(REENTRY)
    world.now_ms += 120_000
    world.renew_go()
    world.tell(MarkSeen(symbol=SYMBOL, price=Decimal(3_100)))
    world.pass_ms(1_000)
    assert is_held(world)  # the price is back, the day is not over

    next_day(world, 3_010)
    assert is_held(world)  # the day is over, the price is not back
    world.tell(MarkSeen(symbol=SYMBOL, price=Decimal(3_031)))
    world.pass_ms(200)
    assert not is_held(world)
    assert world.ask(-1)


def test_a_restart_keeps_the_daily_loss_and_its_rule() -> None:
    old = lost_today(REENTRY)
    world = LossWorld(REENTRY, from_snapshot(to_snapshot(old.desk.book)))
    world.ready()
    world.pass_ms(1_000)
    assert is_held(world)

    next_day(world, 3_031)
    assert not is_held(world)


def test_a_daily_loss_hides_no_stop_loss_that_sells() -> None:
    world = LossWorld(Breakers(rules=BreakerRules(stop_loss=Decimal(1)), sells=True))
    world.ready()
    world.equity(1_000)
    world.bought(-1, 10)
    world.equity(989)
    world.heard(Notice)

    world.now_ms += 1_000
    world.tell(MarkSeen(symbol=SYMBOL, price=Decimal(2_880)))
    assert [one.level for one in world.heard(Notice) if one.kind == "selling"] == ["critical"]


def test_a_flatten_that_sold_nothing_says_what_is_left() -> None:
    world = DeskWorld().ready()
    world.bought(-1)
    said: list[Notice] = []
    world.tell(CloseAsked(mode=ClosingMode.FLATTEN))
    for _ in range(1_200):
        world.pass_ms(100)
        world.renew_go()
        asked, world.said = world.said, []
        said += [one for one in asked if isinstance(one, Notice)]
        for command in asked:
            match command:
                case Send(client_id=client_id):
                    if world.send(client_id):
                        answer = world.report(client_id, OrderStatus.EXPIRED)
                        world.tell(PlaceAnswered(client_id=client_id, outcome=Accepted(report=answer)))
                case ReadOpenOrders():
                    world.tell(OpenOrdersRead(begun_ms=world.now_ms, reports=()))
                case ReadOpenStops():
                    world.tell(StopsRead(begun_ms=world.now_ms, reports=()))
                case _:
                    pass
        if world.desk.is_closed:
            break
    said += world.heard(Notice)

    assert world.desk.is_closed
    assert world.desk.lots_left == 1
    assert [one.level for one in said if one.kind == "lots_left"] == ["critical"]


def test_a_stray_is_asked_to_go_no_more_often_than_its_repetition() -> None:
    world = DeskWorld().ready()
    world.live(-1)
    stray = next(iter(world.desk.book.orders.values()))
    stray.is_attached = False
    world.heard(SendCancel)

    world.tell(CloseAsked(mode=ClosingMode.KEEP))
    world.pass_ms(900)

    assert len(world.heard(SendCancel)) == 1
