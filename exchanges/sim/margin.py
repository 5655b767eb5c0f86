"""Margin of positions and open orders, and what of it a client sees. All money in 1e-8."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from exchanges.sim.account import Account, Holding
from exchanges.sim.instrument import MONEY_SCALE, Bracket, SimInstrument
from exchanges.sim.money import FINEST, decimal_of, units_of
from exchanges.sim.state import VenueState
from exchanges.sim.symbol_market import SymbolMarket
from exchanges.sim.views import AccountView, AssetView, PositionView


def unrealised(holding: Holding, market: SymbolMarket) -> int:
    """Return the profit of a position at mark; 0 while there is no mark."""
    return market.at_mark(holding.quantity) - holding.cost if market.mark else 0


def exposure(notional: int, bids: int, asks: int) -> int:
    """Return the larger notional that filling all bids, or all asks, would leave; a position covers its own close."""
    return max(abs(notional + bids), abs(notional - asks))


def position_margin(holding: Holding, market: SymbolMarket) -> int:
    """Return the initial margin of the position at mark."""
    return abs(market.at_mark(holding.quantity)) // holding.leverage


def order_margin(holding: Holding, market: SymbolMarket, bids_more: int = 0, asks_more: int = 0) -> int:
    """Return the initial margin open orders need beyond the position's, `bids_more`/`asks_more` counted as open too."""
    notional = market.at_mark(holding.quantity)
    whole = exposure(notional, holding.bids + bids_more, holding.asks + asks_more)
    return (whole - abs(notional)) // holding.leverage


def maintenance(holding: Holding, market: SymbolMarket) -> int:
    """Return the maintenance margin of the position at mark, by its tier."""
    if not holding.quantity:
        return 0
    notional = abs(market.at_mark(holding.quantity))
    bracket = tier(market.instrument, notional)
    return max(0, notional * units_of(bracket.rate) // MONEY_SCALE - units_of(bracket.cum))


def tier(instrument: SimInstrument, notional: int) -> Bracket:
    """Return the maintenance tier of an absolute notional."""
    return instrument.bracket(decimal_of(notional))


def cross_balance(state: VenueState, account: Account) -> int:
    """Return the wallet outside isolated positions plus the unrealised profit of the cross ones."""
    balance = account.cross_wallet()
    for holding in account.holdings.values():
        if holding.quantity and not holding.is_isolated:
            balance += unrealised(holding, state.markets[holding.symbol])
    return balance


def cross_maintenance(state: VenueState, account: Account) -> int:
    """Return the maintenance margin of all cross positions."""
    return sum(
        maintenance(holding, state.markets[holding.symbol])
        for holding in account.holdings.values()
        if holding.quantity and not holding.is_isolated
    )


def available(state: VenueState, account: Account) -> int:
    """Return what may back new orders: cross balance less all initial margin; negative when under water."""
    free = cross_balance(state, account)
    for holding in account.holdings.values():
        market = state.markets[holding.symbol]
        if not holding.is_isolated:
            free -= position_margin(holding, market)
        free -= order_margin(holding, market)
    return free


def notional_max(instrument: SimInstrument, leverage: int) -> Decimal:
    """Return the largest position notional allowed at a leverage."""
    return max(
        (bracket.notional_cap for bracket in instrument.brackets if bracket.leverage_max >= leverage),
        default=Decimal(0),
    )


def liquidation_price(state: VenueState, account: Account, holding: Holding) -> Decimal:
    """Return the mark at which the position is liquidated if nothing else moves; 0 where no price does it."""
    market = state.markets[holding.symbol]
    if not holding.quantity or not market.mark:
        return Decimal(0)
    notional = abs(market.at_mark(holding.quantity))
    bracket = tier(market.instrument, notional)
    if holding.is_isolated:
        backing = holding.isolated_wallet
    else:
        others = cross_balance(state, account) - unrealised(holding, market)
        backing = others - (cross_maintenance(state, account) - maintenance(holding, market))
    quantity = market.instrument.quantity(holding.quantity)
    slope = abs(quantity) * bracket.rate - quantity
    price = (decimal_of(backing) + bracket.cum - decimal_of(holding.cost)) / slope
    return price.quantize(FINEST, ROUND_HALF_EVEN) if price > 0 else Decimal(0)


def position_view(state: VenueState, account: Account, holding: Holding) -> PositionView:
    """Return a position as a client sees it."""
    market = state.markets[holding.symbol]
    quantity = market.instrument.quantity(holding.quantity)
    profit = unrealised(holding, market)
    entry = decimal_of(holding.cost) / quantity if quantity else Decimal(0)
    break_even = decimal_of(holding.cost + holding.fees) / quantity if quantity else Decimal(0)
    return PositionView(
        account=account.name,
        symbol=holding.symbol,
        quantity=holding.quantity,
        entry_price=entry.quantize(FINEST, ROUND_HALF_EVEN),
        break_even_price=break_even.quantize(FINEST, ROUND_HALF_EVEN),
        mark_price=market.mark_price(),
        notional=decimal_of(market.at_mark(holding.quantity)),
        unrealised=decimal_of(profit),
        realised=decimal_of(holding.realised),
        liquidation_price=liquidation_price(state, account, holding),
        leverage=holding.leverage,
        margin_type=holding.margin_type,
        isolated_wallet=decimal_of(holding.isolated_wallet),
        isolated_margin=decimal_of(holding.isolated_wallet + profit if holding.is_isolated else 0),
        position_initial_margin=decimal_of(position_margin(holding, market)),
        order_initial_margin=decimal_of(order_margin(holding, market)),
        maintenance_margin=decimal_of(maintenance(holding, market)),
        bids_notional=decimal_of(holding.bids),
        asks_notional=decimal_of(holding.asks),
        notional_max=notional_max(market.instrument, holding.leverage),
        updated_ms=holding.updated_ms,
    )


def account_view(state: VenueState, account: Account) -> AccountView:
    """Return the whole account as a client sees it."""
    positions = tuple(position_view(state, account, account.holding(symbol)) for symbol in state.markets)
    free = available(state, account)
    profit = sum((position.unrealised for position in positions), Decimal(0))
    cross_profit = decimal_of(cross_balance(state, account) - account.cross_wallet())
    assets = [
        AssetView(
            asset=account.asset,
            wallet=decimal_of(account.wallet[account.asset]),
            cross_wallet=decimal_of(account.cross_wallet()),
            unrealised=profit,
            cross_unrealised=cross_profit,
            maintenance_margin=sum((position.maintenance_margin for position in positions), Decimal(0)),
            position_initial_margin=sum((position.position_initial_margin for position in positions), Decimal(0)),
            order_initial_margin=sum((position.order_initial_margin for position in positions), Decimal(0)),
            available=decimal_of(max(0, free)),
            updated_ms=account.updated_ms,
        )
    ]
    for asset, units in account.wallet.items():
        if asset != account.asset:
            assets.append(_side_asset(asset, decimal_of(units), account.updated_ms))
    return AccountView(
        account=account.name,
        time_ms=state.now_ms,
        hedge_mode=account.hedge_mode,
        fee_asset=account.spec.fee_asset,
        assets=tuple(assets),
        positions=positions,
    )


def _side_asset(asset: str, wallet: Decimal, updated_ms: int) -> AssetView:
    none = Decimal(0)
    return AssetView(
        asset=asset,
        wallet=wallet,
        cross_wallet=wallet,
        unrealised=none,
        cross_unrealised=none,
        maintenance_margin=none,
        position_initial_margin=none,
        order_initial_margin=none,
        available=wallet,
        updated_ms=updated_ms,
    )
