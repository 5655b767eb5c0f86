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
    OpenOrdersRead,
    PlaceAnswered,
    StopsRead,
)
from exchanges.desk.settings import DeskSettings, DeskSymbol
from exchanges.order_desk import OrderDesk
from exchanges.port import Account
from grid.book import Book
from grid.holds import HoldCause
from grid.order import OrderStatus
from grid.reasons import Reason
from tests.simulation.worlds import SYMBOL, example_plan
from tests.unit.order_desk_world import DeskWorld


class LossWorld(DeskWorld):
    """A desk with a limit for the day's loss."""

    def __init__(self) -> None:
        super().__init__()
        plan = example_plan()
        settings = DeskSettings(journal="Sim1", notional_max=Decimal(5_000), daily_loss=Decimal(10))
        symbols = {SYMBOL: DeskSymbol(policy=plan.policy, instrument=plan.instrument)}
        self.desk = OrderDesk(Book(), settings, symbols)
        self._take(self.desk.begin(1, [plan.generation(0, 300_000)], self.now()))

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
