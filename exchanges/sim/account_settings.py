"""An account's settings: leverage, margin type, position mode, countdown."""

from __future__ import annotations

from exchanges.sim.account import Account
from exchanges.sim.margin import available, exposure, notional_max
from exchanges.sim.money import decimal_of
from exchanges.sim.refusal import Reason, Refused
from exchanges.sim.state import VenueState
from exchanges.sim.venue_events import LeverageEvent
from exchanges.sim.views import MarginType


class AccountSettings:
    """Changes what the venue lets a client change about its own account."""

    def __init__(self, state: VenueState) -> None:
        self._state = state

    def set_leverage(self, account: Account, symbol: str, leverage: int) -> None:
        """Change a symbol's leverage where position, open orders and margin allow it."""
        market, holding = self._state.market(symbol), account.holding(symbol)
        if not 1 <= leverage <= max(bracket.leverage_max for bracket in market.instrument.brackets):
            raise Refused(Reason.LEVERAGE_INVALID, leverage)
        if holding.is_isolated and holding.quantity and leverage < holding.leverage:
            raise Refused(Reason.LEVERAGE_ISOLATED)
        whole = exposure(market.at_mark(holding.quantity), holding.bids, holding.asks)
        if decimal_of(whole) > notional_max(market.instrument, leverage):
            raise Refused(Reason.LEVERAGE_POSITION_MAX)
        before, holding.leverage = holding.leverage, leverage
        if leverage < before and available(self._state, account) < 0:
            holding.leverage = before
            raise Refused(Reason.LEVERAGE_MARGIN)
        if leverage != before:
            self._state.emit(
                LeverageEvent(account=account.name, time_ms=self._state.now_ms, symbol=symbol, leverage=leverage)
            )

    def set_margin_type(self, account: Account, symbol: str, margin_type: MarginType) -> None:
        """Change a symbol's margin type while nothing of it is open."""
        self._state.market(symbol)
        holding = account.holding(symbol)
        if holding.margin_type is margin_type:
            raise Refused(Reason.MARGIN_TYPE_SAME)
        if holding.orders:
            raise Refused(Reason.MARGIN_TYPE_OPEN_ORDERS)
        if holding.quantity:
            raise Refused(Reason.MARGIN_TYPE_POSITION)
        holding.margin_type = margin_type

    def set_hedge_mode(self, account: Account, hedge_mode: bool) -> None:
        """Change the position mode while nothing is open."""
        if account.hedge_mode is hedge_mode:
            raise Refused(Reason.POSITION_MODE_SAME)
        if any(holding.orders for holding in account.holdings.values()):
            raise Refused(Reason.POSITION_MODE_OPEN_ORDERS)
        if any(holding.quantity for holding in account.holdings.values()):
            raise Refused(Reason.POSITION_MODE_POSITION)
        account.hedge_mode = hedge_mode

    def set_countdown(self, account: Account, symbol: str, countdown_ms: int) -> None:
        """Start, renew or (0) stop the countdown that cancels a symbol's orders."""
        self._state.market(symbol)
        if countdown_ms < 0:
            raise Refused(Reason.PARAMETER_INVALID, "countdownTime")
        if countdown_ms:
            account.countdowns[symbol] = self._state.now_ms + countdown_ms
        else:
            account.countdowns.pop(symbol, None)
