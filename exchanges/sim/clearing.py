"""What the venue does by itself: mark price, funding, margin calls, liquidation, settlement."""

from __future__ import annotations

from decimal import Decimal

from exchanges.sim.account import Account, Holding
from exchanges.sim.booking import Booking
from exchanges.sim.instrument import MONEY_SCALE
from exchanges.sim.margin import cross_balance, cross_maintenance, maintenance, position_view, unrealised
from exchanges.sim.market import Funding, Mark
from exchanges.sim.matcher import Matcher
from exchanges.sim.money import share, units_of
from exchanges.sim.order_entry import OrderEntry
from exchanges.sim.order_state import Order
from exchanges.sim.orders import Execution, ExpiryReason, OrderType, SelfTradeRule, TimeInForce
from exchanges.sim.state import VenueState
from exchanges.sim.symbol_market import SymbolMarket
from exchanges.sim.venue_events import AccountReason, MarginCallEvent
from exchanges.sim.views import FundingRow
from grid.order import Side


class Clearing:
    """The venue's clearing house. Liquidation is judged after each change of a mark price.

    A cross account is liquidated when wallet plus unrealised profit of its cross positions is at or under their
    maintenance margin; an isolated position when its own margin is. First every open order concerned expires, then the
    positions are closed, the largest maintenance first, until the rest is safe: an immediate order `autoclose-...` down
    to the bankruptcy price, and what the book does not take goes to the insurance fund at that price (CALCULATED). The
    liquidation fee is taken from what is left; a debt beyond the wallet is the fund's (both INSURANCE_CLEAR).
    """

    def __init__(self, state: VenueState, booking: Booking, matcher: Matcher, entry: OrderEntry) -> None:
        self._state = state
        self._booking = booking
        self._matcher = matcher
        self._entry = entry

    def on_mark(self, market: SymbolMarket, mark: Mark) -> None:
        """Take over a mark price of the tape."""
        market.has_marks = True
        market.index = units_of(mark.index if mark.index is not None else mark.price)
        market.mark = units_of(mark.price)
        self.watch(market)

    def follow_market(self, market: SymbolMarket) -> bool:
        """Without marks on the tape, let mark follow the market once its time has come; return whether it moved."""
        if market.has_marks or (market.mark and self._state.now_ms < market.mark_due_ms):
            return False
        mark = market.median_mark()
        market.mark_due_ms = self._state.now_ms + self._state.config.mark_every_ms
        if not mark or mark == market.mark:
            return False
        market.mark = market.index = mark
        self.watch(market)
        return True

    def on_funding(self, market: SymbolMarket, funding: Funding) -> None:
        """Settle funding on all positions of a symbol at mark."""
        market.funding_rate = funding.rate
        symbol = market.instrument.symbol
        market.funding_rows.append(
            FundingRow(symbol=symbol, time_ms=funding.time_ms, rate=funding.rate, mark_price=market.mark_price())
        )
        for account, holding in self._state.holders(symbol):
            units = -share(market.at_mark(holding.quantity), units_of(funding.rate))
            if not units:
                continue
            self._booking.row(account, "FUNDING_FEE", symbol, account.asset, units, funding.time_ms)
            if holding.is_isolated:
                holding.isolated_wallet += units
            told = holding if holding.is_isolated else None
            self._booking.tell_account(account, AccountReason.FUNDING_FEE, funding.time_ms, told, change=units)
        self.watch(market)

    def watch(self, market: SymbolMarket) -> None:
        """Judge every account with a position on the symbol."""
        for account, holding in self._state.holders(market.instrument.symbol):
            if account.is_liquidating:
                continue
            if holding.is_isolated:
                self._watch_isolated(account, holding, market)
            else:
                self._watch_cross(account)

    def _watch_isolated(self, account: Account, holding: Holding, market: SymbolMarket) -> None:
        needed = maintenance(holding, market)
        if market.mark and needed and holding.isolated_wallet + unrealised(holding, market) <= needed:
            self.liquidate(account, holding)

    def _watch_cross(self, account: Account) -> None:
        needed = cross_maintenance(self._state, account)
        balance = cross_balance(self._state, account)
        if needed and balance <= needed:
            self._liquidate_cross(account)
            return
        is_close = needed * 100 >= balance * self._state.config.margin_call_percent and needed > 0
        if is_close and not account.is_warned:
            positions = [
                position_view(self._state, account, holding)
                for holding in account.holdings.values()
                if holding.quantity and not holding.is_isolated
            ]
            self._state.emit(
                MarginCallEvent(
                    account=account.name,
                    time_ms=self._state.now_ms,
                    cross_wallet=Decimal(account.cross_wallet()).scaleb(-8),
                    positions=tuple(positions),
                )
            )
        account.is_warned = is_close

    def _liquidate_cross(self, account: Account) -> None:
        account.is_liquidating = True
        cross = [holding for holding in account.holdings.values() if not holding.is_isolated]
        for holding in cross:
            self._entry.expire_all(account, holding.symbol, ExpiryReason.LIQUIDATION)
        for holding in sorted(cross, key=self._maintenance, reverse=True):
            if not holding.quantity or cross_balance(self._state, account) > cross_maintenance(self._state, account):
                continue
            self._close_out(account, holding)
        self._cover_debt(account)
        account.is_liquidating = False

    def _maintenance(self, holding: Holding) -> int:
        return maintenance(holding, self._state.markets[holding.symbol])

    def liquidate(self, account: Account, holding: Holding) -> None:
        """Liquidate one position, safe or not."""
        account.is_liquidating = True
        self._entry.expire_all(account, holding.symbol, ExpiryReason.LIQUIDATION)
        if holding.quantity:
            self._close_out(account, holding)
        self._cover_debt(account)
        account.is_liquidating = False

    def _close_out(self, account: Account, holding: Holding) -> None:
        market = self._state.markets[holding.symbol]
        price = self._bankruptcy_price(account, holding, market)
        order = self.venue_order(account, holding, f"autoclose-{self._state.next_tran_id()}", price)
        notional = abs(market.at_mark(holding.quantity))
        self._booking.open(order)
        self._matcher.take(order, market, price, self._state.now_ms)
        left = self._booking.fillable(order, order.left)
        if left:
            self.give(order, market, price, left, Execution.CALCULATED)
        backing = account.wallet[account.asset]
        fee = min(max(0, backing), share(notional, units_of(market.instrument.liquidation_fee)))
        if fee:
            symbol = holding.symbol
            self._booking.row(account, "INSURANCE_CLEAR", symbol, account.asset, -fee, self._state.now_ms)
            self._booking.tell_account(account, AccountReason.INSURANCE_CLEAR, self._state.now_ms, change=-fee)
        self._state.publish_book(market)

    def give(self, order: Order, market: SymbolMarket, price: int, quantity: int, execution: Execution) -> None:
        """Fill an order of the venue's own by decree, without a book and without commission."""
        self._booking.fill(
            order,
            price,
            quantity,
            is_maker=False,
            time_ms=self._state.now_ms,
            trade_id=market.next_trade_id(),
            execution=execution,
            is_free=True,
        )

    def venue_order(
        self,
        account: Account,
        holding: Holding,
        client_id: str,
        price: int,
        quantity: int = 0,
        order_type: OrderType = OrderType.LIQUIDATION,
    ) -> Order:
        """Return an order of the venue's own that closes `quantity` steps of a position (0: all)."""
        now_ms = self._state.now_ms
        return Order(
            account=account.name,
            instrument=self._state.markets[holding.symbol].instrument,
            order_id=self._state.next_order_id(),
            client_id=client_id,
            side=holding.closing_side or Side.SELL,
            type=order_type,
            original_type=order_type,
            time_in_force=TimeInForce.IOC,
            price=price,
            quantity=quantity or abs(holding.quantity),
            reduce_only=True,
            self_trade_rule=SelfTradeRule.EXPIRE_MAKER,
            good_till_ms=0,
            created_ms=now_ms,
            updated_ms=now_ms,
            arrived_ms=now_ms,
        )

    def _bankruptcy_price(self, account: Account, holding: Holding, market: SymbolMarket) -> int:
        """Return the price at which closing the position leaves nothing of what backs it."""
        if holding.is_isolated:
            balance = holding.isolated_wallet + unrealised(holding, market)
        else:
            balance = cross_balance(self._state, account)
        instrument = market.instrument
        per_step = balance // max(1, abs(holding.quantity))
        ticks = (market.mark * units_of(instrument.step) // MONEY_SCALE) // instrument.unit
        away = per_step // instrument.unit
        price = ticks - away if holding.quantity > 0 else ticks + away
        return max(instrument.price_min, min(instrument.price_max, price))

    def _cover_debt(self, account: Account) -> None:
        debt = -account.wallet[account.asset]
        if debt > 0 and not any(holding.quantity for holding in account.holdings.values()):
            self._booking.row(account, "INSURANCE_CLEAR", "", account.asset, debt, self._state.now_ms)
            self._booking.tell_account(account, AccountReason.INSURANCE_CLEAR, self._state.now_ms, change=debt)
