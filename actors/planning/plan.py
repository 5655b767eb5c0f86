"""`gridmesh plan`: the ladder that a start would place now, what it may cost, and where it would be liquidated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from decimal import ROUND_CEILING, Decimal
from typing import Any

from actors.check.start_plan import SymbolReading, account_plan, grid_policy, symbol_plan, with_opening
from actors.gateway.grids import Grid, grid_of
from actors.planning.facts import MAINTENANCE_ASSUMED, LadderFacts, Told
from actors.planning.ladder_now import Bounds, LevelNow, committed, ladder_now
from actors.settings.account import Settings
from actors.trading_words import terms
from exchanges.port import Account
from grid.book import Book
from grid.client_id import decode
from grid.neutral import turning_price
from risk.limits import order_cap
from risk.liquidation import worst_draw
from risk.outlook import fills_to_come, first_step, worst_position
from risk.plan import AccountPlan, Finding, SymbolPlan
from risk.prestart import check_start, required_margin
from risk.prestart_levels import check_levels

_CENT = Decimal("0.01")
_SHARE = Decimal("0.000001")


class LadderPlan:
    """One reading of the venue, judged by the rules of a start. Asks nobody and sends nothing."""

    def __init__(self, settings: Settings, facts: LadderFacts, book: Book, told: Told, wallet: Decimal | None) -> None:
        self._settings = settings
        self._facts = facts
        self._book = book
        self._told = told
        self._is_told = wallet is not None
        self._grids = [self._grid(index) for index in range(len(settings.symbols))]
        self._plans = [self._plan(grid) for grid in self._grids]
        self._account = self._judged(wallet)

    def document(self, now_ms: int) -> dict[str, Any]:
        """Return everything, for programs and tables; raises `ConfigError` for what the venue's rules forbid."""
        spent, symbols = Decimal(0), []
        for grid, plan in zip(self._grids, self._plans, strict=True):
            levels = self._levels(grid, plan, spent, now_ms)
            spent += committed(levels, grid, self._book.symbol(plan.symbol)) + plan.opened[1]
            symbols.append(self._symbol(grid, plan, levels))
        return {
            "deployment": self._settings.deployment,
            "venue": self._settings.venue.name,
            "trading": self._settings.trading.value,
            "sent": "nothing",
            "assumed": self._assumed(),
            "symbols": symbols,
            "account": {
                "wallet": self._account.wallet,
                "margin_required": _up(required_margin(self._plans)),
                "committed_now": spent,
                "max_notional": self._settings.account.max_notional,
            },
            "findings": [
                {"severity": finding.severity.value, "sentence": finding.sentence} for finding in self.findings()
            ],
        }

    def _grid(self, at: int) -> Grid:
        """Return the due grid, and have the book know its generation as a first start would."""
        symbol = self._settings.symbols[at]
        reading = self._facts.readings[symbol.symbol]
        policy = grid_policy(self._settings, symbol, reading.fees)
        grid = grid_of(symbol, reading.instrument, policy, reading.quote, self._book)
        for generation in grid.due:
            self._book.apply(generation)
        return grid

    def _plan(self, grid: Grid) -> SymbolPlan:
        """Return the symbol as a start sees it; what the journal holds stands in for a position that nobody told."""
        reading = self._reading(grid)
        plan = symbol_plan(self._settings, grid.settings, reading, grid.ladder, grid.other_ladder)
        if grid.is_first:
            plan = with_opening(plan, grid.settings)
        if self._facts.account is not None:
            return plan
        book = self._book.symbol(plan.symbol)
        steps, cost = book.lot_steps(), sum((lot.cost for _, lot in book.lots()), Decimal(0))
        entry = cost / plan.instrument.quantity(steps) if steps else Decimal(0)
        return replace(plan, position=book.held_sign * steps, entry_price=entry)

    def _reading(self, grid: Grid) -> SymbolReading:
        return self._facts.readings[grid.settings.symbol]

    def _judged(self, wallet: Decimal | None) -> AccountPlan:
        known = self._facts.account
        if known is None:
            assumed = wallet if wallet is not None else _up(required_margin(self._plans))
            known = Account(
                wallet=assumed,
                available=assumed,
                unrealised=Decimal(0),
                is_one_way=True,
                is_multi_asset=False,
                can_trade=True,
            )
        elif wallet is not None:
            known = replace(known, wallet=wallet, unrealised=Decimal(0))
        return account_plan(self._settings, known)

    def _levels(self, grid: Grid, plan: SymbolPlan, spent: Decimal, now_ms: int) -> list[LevelNow]:
        own = [decode(order.client_id, order.symbol) for order in self._facts.orders if order.symbol == plan.symbol]
        bounds = Bounds(
            order_cap=order_cap(
                configured=self._settings.account.max_orders,
                venue_limit=plan.instrument.orders_max,
                foreign=sum(1 for identity in own if identity is None),
            ),
            notional_spent=spent + plan.opened[1],
            notional_max=self._settings.account.max_notional,
            opened=len(plan.opening),
        )
        return ladder_now(grid, self._book.symbol(plan.symbol), plan.reference, bounds, now_ms)

    def _wallet_for(self, plan: SymbolPlan) -> Decimal:
        """Return what others leave of the wallet, each with its whole ladder bought (as the checks count)."""
        others = (other for other in self._plans if other is not plan)
        return self._account.wallet - sum((worst_draw(other, other.policy.max_lots) for other in others), Decimal(0))

    def _symbol(self, grid: Grid, plan: SymbolPlan, levels: Sequence[LevelNow]) -> dict[str, Any]:
        instrument, reading, wallet = plan.instrument, self._reading(grid), self._wallet_for(plan)
        step, generation = first_step(plan), grid.generation
        entries = [one for one in levels if one.rests and not one.purpose.closing]
        resting = sum((instrument.notional(one.price, one.quantity) for one in entries), Decimal(0))
        return {
            "symbol": plan.symbol,
            "side": grid.settings.side.value,
            "spacing": grid.settings.spacing.value,
            "bid": instrument.price(reading.quote.bid),
            "ask": instrument.price(reading.quote.ask),
            "anchor": instrument.price(generation.anchor),
            "bounds": _bounds(plan),
            "stop_price": plan.stop_price,
            "take_profit_price": plan.profit_price,
            "trigger_price": grid.settings.trigger_price,
            "opening": _opening(plan),
            "generation": generation.generation,
            "leverage": plan.leverage,
            "margin_type": "isolated" if plan.is_isolated else "cross",
            "position": instrument.quantity(plan.position),
            "fees": {"maker": reading.fees.maker, "taker": reading.fees.taker},
            "step": {
                "step": step.step,
                "share": (step.step / instrument.price(abs(plan.ladder.price(step.level)))).quantize(_SHARE),
                "break_even": step.break_even,
                "profit": step.profit,
                "pays": step.pays,
            },
            "orders": [_order(one, plan) for one in levels],
            "margin_now": _up(resting / plan.leverage),
            "fills": [asdict(fill) for fill in fills_to_come(plan, wallet)],
            "worst": asdict(worst_position(plan, wallet)),
            "works": plan.ladder.side.value,
            "other_side": _other_side(plan, wallet),
        }

    def findings(self) -> list[Finding]:
        """Return what a start would find; without an account or a wallet that was told, only what needs neither."""
        if self._facts.account is not None or self._is_told:
            return check_start(self._account, self._plans)
        return [finding for plan in self._plans for finding in check_levels(plan)]

    def _assumed(self) -> list[str]:
        """Return one sentence for each figure that nobody read."""
        found = [f"PAPER: {terms(self._settings)}"] if self._settings.is_paper else []
        if self._told.prices:
            found.append(f"prices as asked: {_listed(self._told.prices)}")
        if self._facts.account is not None:
            return [*found, *(["wallet as asked"] if self._is_told else [])]
        for key, given in (("maker", self._told.maker_fee), ("taker", self._told.taker_fee)):
            rate = getattr(self._facts.readings[self._settings.symbols[0].symbol].fees, key)
            found.append(f"{key} fee {_percent(rate)} ({'as asked' if given is not None else 'assumed'})")
        found.append(f"maintenance margin {_percent(MAINTENANCE_ASSUMED)} of the position (assumed)")
        words = "as asked" if self._is_told else "assumed: the margin required"
        found.append(f"wallet {self._account.wallet} ({words})")
        found.append("no position and no orders but those of the journal (assumed)")
        if lacking := [symbol.symbol for symbol in self._settings.symbols if symbol.leverage is None]:
            found.append(f"leverage 1 for {', '.join(lacking)} (assumed)")
        return found


def _order(one: LevelNow, plan: SymbolPlan) -> dict[str, Any]:
    instrument = plan.instrument
    return {
        "purpose": "exit" if one.purpose.closing else "entry",
        "side": one.side.value.lower(),
        "level": one.key.level,
        "generation": one.key.generation,
        "price": instrument.price(one.price),
        "quantity": instrument.quantity(one.quantity),
        "notional": instrument.notional(one.price, one.quantity),
        "target": instrument.price(one.target),
        "rests": one.rests,
        "reason": one.reason.value,
        "detail": one.detail,
    }


def _other_side(plan: SymbolPlan, wallet: Decimal) -> dict[str, Any] | None:
    """Return what a neutral grid becomes once it has turned around; None where the grid has one side."""
    other = plan.other
    if other is None:
        return None
    return {
        "works": other.ladder.side.value,
        "turns_at": plan.instrument.price(_turning_price(plan)),
        "bounds": _bounds(other),
        "fills": [asdict(fill) for fill in fills_to_come(other, wallet)],
        "worst": asdict(worst_position(other, wallet)),
    }


def _turning_price(plan: SymbolPlan) -> int:
    """Return where a neutral grid leaves the side that works, in ticks: half a step beyond the start price."""
    highest = plan.policy.highest_level
    assert highest is not None
    return plan.sign * turning_price(plan.ladder, highest)


def _opening(plan: SymbolPlan) -> dict[str, Any] | None:
    """Return what a first start would buy at once, and at what most; None where nothing."""
    if not plan.opening:
        return None
    instrument, (quantity, cost) = plan.instrument, plan.opened
    return {
        "lots": len(plan.opening),
        "from": instrument.price(plan.ladder.price(plan.opening[0])),
        "to": instrument.price(plan.ladder.price(plan.opening[-1])),
        "quantity": quantity,
        "limit": instrument.price(plan.opening_limit),
        "cost": cost,
    }


def _bounds(plan: SymbolPlan) -> dict[str, Decimal | None]:
    """Return the lowest and the highest price of any level or target; None where the window follows for ever."""
    policy, ladder = plan.policy, plan.ladder
    first = None if policy.lowest_level is None else plan.instrument.price(ladder.price(policy.lowest_level))
    last = None if policy.highest_level is None else plan.instrument.price(ladder.price(policy.highest_level + 1))
    return {"low": first, "high": last} if plan.sign > 0 else {"low": last, "high": first}


def _listed(prices: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{symbol} {price}" for symbol, price in prices.items())


def _percent(rate: Decimal) -> str:
    return f"{(rate * 100).normalize():f} %"


def _up(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, rounding=ROUND_CEILING)
