"""What a fill, a cancel and an expiry do to order, position, wallet and ledger; and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass

from exchanges.sim.account import Account, Holding
from exchanges.sim.algo_orders import AlgoStatus
from exchanges.sim.instrument import MONEY_SCALE
from exchanges.sim.margin import position_view
from exchanges.sim.money import decimal_of, share, units_of
from exchanges.sim.order_state import Order
from exchanges.sim.orders import Execution, ExpiryReason, Fill, OrderStatus
from exchanges.sim.state import VenueState
from exchanges.sim.symbol_market import SymbolMarket
from exchanges.sim.venue_events import AccountEvent, AccountReason, AlgoEvent, BalanceChange, OrderEvent
from exchanges.sim.views import Income
from grid.order import Side

BNB_FEE_PERCENT = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Commission:
    """A fee in its asset (1e-8), and its worth in the margin asset."""

    asset: str
    units: int
    worth: int


class Booking:
    """The venue's back office. Every change of a position or wallet goes through here, so money is conserved here."""

    def __init__(self, state: VenueState) -> None:
        self._state = state

    def open(self, order: Order) -> None:
        """Take an accepted order into the account and tell NEW."""
        account = self._state.accounts[order.account]
        account.remember(order)
        holding = account.holding(order.symbol)
        holding.orders[order.order_id] = order
        self._count_open(holding, order, order.left)
        self.tell(order, Execution.NEW, order.created_ms)

    def tell(self, order: Order, execution: Execution, time_ms: int, fill: Fill | None = None) -> None:
        """Tell what happened to an order."""
        holding = self._state.accounts[order.account].holding(order.symbol)
        view = order.view(holding.bids, holding.asks)
        self._state.emit(OrderEvent(account=order.account, time_ms=time_ms, execution=execution, order=view, fill=fill))

    def rest(self, order: Order, market: SymbolMarket) -> None:
        """Put an order into the book."""
        market.resting(order.side).add(order)
        order.is_resting = True

    def unrest(self, order: Order) -> None:
        """Take an order out of the book."""
        if order.is_resting:
            self._state.markets[order.symbol].resting(order.side).remove(order)
            order.is_resting = False

    def amend(self, order: Order, price: int, quantity: int) -> None:
        """Change price and quantity of an order that is out of the book."""
        holding = self._state.accounts[order.account].holding(order.symbol)
        self._count_open(holding, order, -order.left)
        order.price, order.quantity = price, quantity
        self._count_open(holding, order, order.left)

    def close(self, order: Order, status: OrderStatus, reason: ExpiryReason, time_ms: int) -> None:
        """End an order with what is left of it unfilled."""
        self.unrest(order)
        holding = self._state.accounts[order.account].holding(order.symbol)
        self._count_open(holding, order, -order.left)
        holding.orders.pop(order.order_id, None)
        order.status, order.expiry_reason, order.updated_ms = status, reason, time_ms
        execution = Execution.CANCELED if status is OrderStatus.CANCELED else Execution.EXPIRED
        self.tell(order, execution, time_ms)
        self._finish_algo(order, time_ms)

    def fillable(self, order: Order, quantity: int) -> int:
        """Return how much of `quantity` the order may fill now: a reduce-only one never flips the position."""
        allowed = min(quantity, order.left) if order.status.is_open else 0
        if order.reduce_only:
            holding = self._state.accounts[order.account].holding(order.symbol)
            allowed = min(allowed, holding.reducible(order.side))
        return allowed

    def fill(
        self,
        order: Order,
        price: int,
        quantity: int,
        *,
        is_maker: bool,
        time_ms: int,
        trade_id: int,
        execution: Execution = Execution.TRADE,
        is_free: bool = False,
    ) -> None:
        """Book one execution. `quantity` must be `fillable`; `is_free` charges no commission (the venue's own acts)."""
        account = self._state.accounts[order.account]
        market = self._state.markets[order.symbol]
        holding = account.holding(order.symbol)
        assert 0 < quantity <= order.left
        self._count_open(holding, order, -quantity)
        order.filled += quantity
        order.value += price * quantity
        order.updated_ms = time_ms
        if order.left:
            order.status = OrderStatus.PARTIALLY_FILLED
        else:
            order.status = OrderStatus.FILLED
            self.unrest(order)
            holding.orders.pop(order.order_id, None)
        realised = move_position(holding, price * market.instrument.unit, order.side.sign * quantity)
        commission = self._commission(account, market, price * quantity * market.instrument.unit, is_maker, is_free)
        holding.fees += commission.worth
        holding.updated_ms = account.updated_ms = time_ms
        self._pay(account, holding.symbol, realised, commission, time_ms, trade_id)
        fill = Fill(
            account=account.name,
            symbol=order.symbol,
            order_id=order.order_id,
            trade_id=trade_id,
            side=order.side,
            price=price,
            quantity=quantity,
            is_maker=is_maker,
            commission=decimal_of(commission.units),
            commission_asset=commission.asset,
            realised=decimal_of(realised),
            time_ms=time_ms,
        )
        account.fills.append(fill)
        self.tell(order, execution, time_ms, fill)
        self.tell_account(account, AccountReason.ORDER, time_ms, holding, commission.asset)
        if not order.left:
            self._finish_algo(order, time_ms)
        self.hold_to_position(account.name, holding.symbol, time_ms)

    def tell_account(
        self,
        account: Account,
        reason: AccountReason,
        time_ms: int,
        holding: Holding | None = None,
        also_asset: str = "",
        change: int = 0,
    ) -> None:
        """Tell the margin asset's balance (and another's), and one position."""
        cross = account.cross_wallet()
        balances = [
            BalanceChange(
                asset=account.asset,
                wallet=decimal_of(account.wallet[account.asset]),
                cross_wallet=decimal_of(cross),
                change=decimal_of(change),
            )
        ]
        if also_asset not in ("", account.asset):
            other = decimal_of(account.wallet.get(also_asset, 0))
            balances.append(BalanceChange(asset=also_asset, wallet=other, cross_wallet=other, change=decimal_of(0)))
        positions = () if holding is None else (position_view(self._state, account, holding),)
        self._state.emit(
            AccountEvent(
                account=account.name, time_ms=time_ms, reason=reason, balances=tuple(balances), positions=positions
            )
        )

    def row(
        self, account: Account, kind: str, symbol: str, asset: str, units: int, time_ms: int, trade_id: int = 0
    ) -> None:
        """Move money in an account's wallet and write the ledger row that says why."""
        account.wallet[asset] = account.wallet.get(asset, 0) + units
        account.updated_ms = time_ms
        account.income.append(
            Income(
                kind=kind,
                symbol=symbol,
                asset=asset,
                amount=decimal_of(units),
                time_ms=time_ms,
                tran_id=self._state.next_tran_id(),
                trade_id=trade_id,
                note=str(trade_id) if trade_id else kind,
            )
        )

    def _pay(
        self, account: Account, symbol: str, realised: int, commission: Commission, time_ms: int, trade_id: int
    ) -> None:
        if realised:
            self.row(account, "REALIZED_PNL", symbol, account.asset, realised, time_ms, trade_id)
        if commission.units:
            self.row(account, "COMMISSION", symbol, commission.asset, -commission.units, time_ms, trade_id)

    def _commission(
        self, account: Account, market: SymbolMarket, notional: int, is_maker: bool, is_free: bool
    ) -> Commission:
        spec, instrument = account.spec, market.instrument
        if is_maker:
            rate = spec.maker_fee if spec.maker_fee is not None else instrument.maker_fee
        else:
            rate = spec.taker_fee if spec.taker_fee is not None else instrument.taker_fee
        units = 0 if is_free else share(notional, units_of(rate))
        if spec.fee_asset == "BNB" and units > 0:
            bnb = self._state.markets.get("BNBUSDT")
            price = bnb.mark if bnb is not None and bnb.mark else account.bnb_price
            worth = units * BNB_FEE_PERCENT // 100
            coins = worth * MONEY_SCALE // price
            if 0 < coins <= account.wallet.get("BNB", 0):
                return Commission(asset="BNB", units=coins, worth=worth)
        return Commission(asset=account.asset, units=units, worth=units)

    def _count_open(self, holding: Holding, order: Order, steps: int) -> None:
        if order.reduce_only:
            return
        units = order.instrument.notional_units(order.price, steps)
        if order.side is Side.BUY:
            holding.bids += units
        else:
            holding.asks += units

    def hold_to_position(self, name: str, symbol: str, time_ms: int) -> None:
        """Hold what is reduce-only to the position: end what no longer fits, the worst priced and newest first."""
        account = self._state.accounts[name]
        holding = account.holding(symbol)
        resting = [order for order in holding.orders.values() if order.reduce_only and order.is_resting]
        for side in (Side.BUY, Side.SELL):
            mine = [order for order in resting if order.side is side]
            excess = sum(order.left for order in mine) - holding.reducible(side)
            for order in sorted(mine, key=lambda order: (order.side.sign * order.price, -order.order_id)):
                if excess <= 0:
                    break
                excess -= order.left
                self.close(order, OrderStatus.EXPIRED, ExpiryReason.REDUCE_ONLY, time_ms)
        for algo in [algo for algo in account.algos.values() if algo.status.is_open and algo.reduces]:
            if algo.symbol == holding.symbol and algo.asked.close_position and not holding.quantity:
                algo.status, algo.updated_ms = AlgoStatus.EXPIRED, time_ms
                self._state.emit(AlgoEvent(account=account.name, time_ms=time_ms, algo=algo.view()))

    def _finish_algo(self, order: Order, time_ms: int) -> None:
        if not order.algo_id:
            return
        algo = self._state.accounts[order.account].algos[order.algo_id]
        algo.status, algo.updated_ms = AlgoStatus.FINISHED, time_ms
        algo.order_id = order.order_id
        algo.average_price, algo.filled = order.average_price(), order.filled
        self._state.emit(AlgoEvent(account=order.account, time_ms=time_ms, algo=algo.view()))


def move_position(holding: Holding, unit_price: int, delta: int) -> int:
    """Move a position by `delta` signed steps at `unit_price` (1e-8 a step); return the profit realised.

    What closes takes its share of the cost, rounded to 1e-8, and all of it where the position ends: so realised profit
    and cost add up to the cash flow exactly. Fees of the part that closed leave `fees` likewise.
    """
    before = holding.quantity
    closing = min(abs(delta), abs(before)) if before * delta < 0 else 0
    realised = 0
    if closing:
        part = closing * (1 if delta > 0 else -1)
        removed = _portion(holding.cost, closing, abs(before))
        realised = -unit_price * part - removed
        holding.cost -= removed
        holding.fees -= _portion(holding.fees, closing, abs(before))
        holding.isolated_wallet -= _portion(holding.isolated_wallet, closing, abs(before))
        holding.quantity += part
        holding.realised += realised
        delta -= part
    if delta:
        value = unit_price * delta
        holding.quantity += delta
        holding.cost += value
        if holding.is_isolated:
            holding.isolated_wallet += abs(value) // holding.leverage
    return realised


def _portion(whole: int, part: int, of: int) -> int:
    return whole if part == of else whole * part // of
