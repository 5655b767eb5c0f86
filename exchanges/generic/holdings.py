"""What the account holds and pays, and the settings of its symbols: each put together from what ccxt has here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from exchanges import wire
from exchanges.errors import NotSupported, VenueRefused
from exchanges.generic import wire_account
from exchanges.generic.calls import Calls
from exchanges.generic.contracts import Contract, Contracts
from exchanges.generic.facts import Facts
from exchanges.generic.marks import Marks
from exchanges.port import Account, FeeRates, MaintenanceTier, Position
from exchanges.session.settings import AdapterSettings

UNREAD_LEVERAGE = 1
"""Of a flat symbol whose leverage nobody tells: the careful reading."""
ALREADY = ("NoChange", "MarginModeAlreadySet")
UNCHANGED = re.compile(r"not (been )?modified|no need to change|not changed|no change", re.IGNORECASE)
"""How venues say that a setting is what was asked for, where ccxt has no class for it."""


class Holdings:
    """Reads account, positions, rates and brackets; sets leverage and margin type."""

    def __init__(self, calls: Calls, facts: Facts, settings: AdapterSettings) -> None:
        self._calls = calls
        self._facts = facts
        self._settings = settings
        self._marks = Marks(calls)
        self._tells_leverage = calls.has("fetchLeverage")
        self._leverages: dict[str, int] = {}
        self._margin_modes: dict[str, str] = {}

    async def account(self, held: Sequence[Position], known: Contracts) -> Account:
        """Return balances and modes."""
        balance = await self._calls.read("fetch_balance", {"type": "swap"})
        return wire_account.account(
            balance,
            held,
            self._settings.quote_asset,
            is_one_way=await self._is_one_way(known),
            total_holds_unrealised=self._facts.total_holds_unrealised,
        )

    async def positions(self, wanted: Sequence[Contract], known: Contracts) -> list[Position]:
        """Return every position that is listed, and the wanted ones also where flat ones are not."""
        read = [one for one in await self._listed(wanted, known) if one.quantity or self._is_wanted(one, wanted)]
        for position in read:
            if position.leverage:
                self._leverages[position.symbol] = position.leverage
            if position.quantity:
                self._margin_modes[position.symbol] = "isolated" if position.is_isolated else "cross"
        told = {position.symbol for position in read}
        return [await self._completed(one, known) for one in read] + [
            await self._flat(contract) for contract in wanted if contract.symbol not in told
        ]

    async def fee_rates(self, contract: Contract) -> FeeRates:
        """Return what the account pays on a symbol."""
        if self._calls.has("fetchTradingFee"):
            row = await self._calls.read("fetch_trading_fee", contract.unified)
        elif self._calls.has("fetchTradingFees"):
            row = wire.mapping(await self._calls.read("fetch_trading_fees"), "trading fees").get(contract.unified)
        else:
            row = {"maker": None, "taker": None}
        if isinstance(row, dict) and row.get("maker") is not None and row.get("taker") is not None:
            return wire_account.fee_rates(row, contract)
        if contract.maker is None or contract.taker is None:
            raise NotSupported(f"{self._calls.name}: ccxt tells no fees of {contract.symbol}")
        return FeeRates(symbol=contract.symbol, maker=contract.maker, taker=contract.taker)

    async def tiers(self, contract: Contract) -> list[MaintenanceTier]:
        """Return the maintenance brackets."""
        if self._calls.has("fetchMarketLeverageTiers"):
            reply = await self._calls.read("fetch_market_leverage_tiers", contract.unified)
        else:
            every = await self._calls.read("fetch_leverage_tiers", [contract.unified])
            reply = wire.mapping(every, "tiers").get(contract.unified)
        return wire_account.tiers(reply, contract, await self._marks.price(contract.unified))

    async def set_leverage(self, contract: Contract, leverage: int) -> None:
        """Set a symbol's leverage; setting the present one is no error."""
        await self._set("set_leverage", leverage, contract.unified, self._margin_params(contract))
        self._leverages[contract.symbol] = leverage

    async def set_margin_type(self, contract: Contract, margin_type: str) -> None:
        """Set a symbol's margin type; setting the present one is no error."""
        mode = "isolated" if margin_type.upper() == "ISOLATED" else "cross"
        self._margin_modes[contract.symbol] = mode
        leverage = self._leverages.get(contract.symbol, UNREAD_LEVERAGE)
        await self._set("set_margin_mode", mode, contract.unified, {"leverage": leverage, "lever": leverage})

    async def margin_mode(self, contract: Contract) -> str:
        """Return the margin mode that an order of the symbol has to name; cross where none is told."""
        if contract.symbol not in self._margin_modes:
            mode = "cross"
            if self._calls.has("fetchMarginMode"):
                row = await self._calls.read("fetch_margin_mode", contract.unified)
                mode = "isolated" if wire.mapping(row, "margin mode").get("marginMode") == "isolated" else "cross"
            self._margin_modes[contract.symbol] = mode
        return self._margin_modes[contract.symbol]

    def forget_margin_mode(self, symbol: str) -> None:
        """Have the mode read anew: the venue says that it is another one."""
        self._margin_modes.pop(symbol, None)

    async def _set(self, method: str, *arguments: Any) -> None:
        try:
            await self._calls.write(method, *arguments)
        except VenueRefused as refusal:
            if refusal.code not in ALREADY and not UNCHANGED.search(str(refusal)):
                raise

    def _margin_params(self, contract: Contract) -> dict[str, Any]:
        mode = self._margin_modes.get(contract.symbol)
        return {"marginMode": mode} if mode is not None else {}

    async def _listed(self, wanted: Sequence[Contract], known: Contracts) -> list[Position]:
        asked: list[list[str]] = [[contract.unified] for contract in wanted] if self._facts.by_symbol else [[]]
        found: list[Position] = []
        for symbols in asked:
            reply = await self._calls.read("fetch_positions", *([symbols] if symbols else []))
            found += wire_account.positions(reply, known, by_side=self._facts.by_side)
        return found

    @staticmethod
    def _is_wanted(position: Position, wanted: Sequence[Contract]) -> bool:
        return any(position.symbol == contract.symbol for contract in wanted)

    async def _completed(self, position: Position, known: Contracts) -> Position:
        """Return a position with what the list left out."""
        if position.leverage and position.mark_price:
            return position
        contract = known.of_symbol(position.symbol)
        leverage = position.leverage or (await self._leverage(contract))[0]
        mark = position.mark_price or await self._marks.price(contract.unified)
        venue_ms = position.venue_ms or self._calls.venue_now_ms()
        return replace(position, mark_price=mark, leverage=leverage, venue_ms=venue_ms)

    async def _flat(self, contract: Contract) -> Position:
        leverage, mode = await self._leverage(contract)
        return wire_account.flat(
            contract.symbol,
            mark=await self._marks.price(contract.unified),
            leverage=leverage,
            is_isolated=mode == "isolated",
            venue_ms=self._calls.venue_now_ms(),
        )

    async def _leverage(self, contract: Contract) -> tuple[int, str]:
        """Return leverage and margin mode of a symbol without a position."""
        mode = self._margin_modes.get(contract.symbol, "")
        if self._tells_leverage:
            try:
                row = await self._calls.read("fetch_leverage", contract.unified, self._margin_params(contract))
            except NotSupported:
                self._tells_leverage = False  # ccxt has it for other kinds of markets alone
            else:
                told = row.get("longLeverage") or row.get("shortLeverage")
                if told is not None:
                    return int(wire.exact(told, "leverage")), str(row.get("marginMode") or mode)
        return self._leverages.get(contract.symbol, UNREAD_LEVERAGE), mode

    async def _is_one_way(self, known: Contracts) -> bool:
        """Whether the account has one position a symbol; an exchange that knows no other mode has."""
        if not self._calls.has("fetchPositionMode"):
            return True
        unified = next(iter(known.by_unified), None)
        row = await self._calls.read("fetch_position_mode", unified)
        return isinstance(row, dict) and row.get("hedged") is False
