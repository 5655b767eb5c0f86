"""Positions by contract, and their leverage and margin type, which are one setting here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from exchanges import wire
from exchanges.cost import Cost
from exchanges.errors import BadReply, OutcomeUnknown
from exchanges.gate import wire_account
from exchanges.gate.calls import Calls
from exchanges.gate.codes import CODES
from exchanges.gate.contracts import Contracts, contract_name
from exchanges.gate.weights import ONE
from exchanges.port import Position
from exchanges.session.answers import certain

T = TypeVar("T")


class Holdings:
    """Reads positions whole and sets what belongs to them."""

    def __init__(
        self,
        calls: Calls,
        contracts: Callable[[], Contracts],
        pay: Callable[[Cost], Awaitable[None]],
        symbols: Sequence[str],
    ) -> None:
        self._calls = calls
        self._contracts = contracts
        self._pay = pay
        self._symbols = symbols

    async def positions(self) -> list[Position]:
        """Return every position that is not flat, and those of the configured symbols.

        The list leaves out contracts that were never held: each configured one that is not in it is asked for by name.
        """
        where = "positions"
        rows = [wire.mapping(row, where) for row in wire.sequence(await self._calls.read(where), where)]
        wanted = {contract_name(symbol) for symbol in self._symbols}
        kept = [row for row in rows if row.get("contract") in wanted or wire.decimal(row, "size", where)]
        for name in sorted(wanted - {row.get("contract") for row in rows}):
            await self._pay(ONE)
            kept.append(wire.mapping(await self._calls.read(f"positions/{name}"), where))
        read: dict[str, Position] = {}
        for row in kept:
            one = wire_account.position(row, self._contracts())
            if wire_account.is_one_way(row) and read.setdefault(one.symbol, one) != one:
                raise BadReply(f"positions: two different rows for {one.symbol}")
        missing = [symbol for symbol in self._symbols if symbol not in read]
        if missing:
            raise BadReply(f"positions: no row in one-way mode for {', '.join(missing)}")
        return list(read.values())

    async def set_leverage(self, symbol: str, leverage: int) -> None:
        """Set the leverage under the present margin type."""
        before = await self._position(symbol)
        await self._set(symbol, leverage, is_isolated=before.is_isolated)

    async def set_margin_type(self, symbol: str, *, is_isolated: bool) -> None:
        """Set the margin type with the present leverage."""
        before = await self._position(symbol)
        if before.is_isolated != is_isolated:
            await self._set(symbol, before.leverage, is_isolated=is_isolated)

    async def _position(self, symbol: str) -> Position:
        await self._pay(ONE)
        row = wire.mapping(await self._calls.read(f"positions/{contract_name(symbol)}"), "positions")
        return wire_account.position(row, self._contracts())

    async def _set(self, symbol: str, leverage: int, *, is_isolated: bool) -> None:
        """Set both: a leverage of 0 is cross margin, with a limit of its own."""
        query: dict[str, str | int] = {"leverage": leverage}
        if not is_isolated:
            query = {"leverage": 0, "cross_leverage_limit": leverage}
        row = await self._calls.write("POST", f"positions/{contract_name(symbol)}/leverage", query)
        told = certain(lambda: wire_account.position(wire.mapping(row, "leverage"), self._contracts()), CODES)
        if (told.leverage, told.is_isolated) != (leverage, is_isolated):
            words = f"leverage {told.leverage}, {'isolated' if told.is_isolated else 'crossed'}"
            raise OutcomeUnknown(f"leverage: asked for {leverage}, the venue answers {words}")
