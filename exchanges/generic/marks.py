"""Where an exchange tells its mark price: each does in another of ccxt's calls."""

from __future__ import annotations

from decimal import Decimal

from exchanges import wire
from exchanges.errors import BadReply
from exchanges.generic.calls import Calls
from exchanges.generic.facts import facts_of

SOURCES = (
    ("fetchMarkPrice", "fetch_mark_price"),
    ("fetchFundingRate", "fetch_funding_rate"),
    ("fetchTicker", "fetch_ticker"),
)


class Marks:
    """Reads mark prices; the first source that told one is asked from then on."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._sources = [method for ability, method in SOURCES if calls.has(ability)]

    async def row(self, unified: str) -> wire.Row:
        """Return a row with `markPrice`; raises `VenueError`."""
        own, field = facts_of(self._calls.name).mark_call
        if own:
            told = await self._calls.read(own, {"symbol": self._calls.exchange.market(unified)["id"]})
            return {"markPrice": wire.mapping(told, "mark").get(field)}
        for method in list(self._sources):
            row = wire.mapping(await self._calls.read(method, unified), method)
            if row.get("markPrice") is not None:
                self._sources = [method]
                return row
        raise BadReply(f"{self._calls.name}: no call of ccxt tells a mark price")

    async def price(self, unified: str) -> Decimal:
        """Return the mark price."""
        return wire.exact((await self.row(unified))["markPrice"], "mark")
