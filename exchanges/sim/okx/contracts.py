"""The engine's symbols as swaps: their ids, and how much base currency a contract holds."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from exchanges.sim.instrument import SimInstrument
from exchanges.sim.okx.errors import ApiError
from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.text import plain

FIRST_CODE = 10_458
LOTS_IN_CONTRACT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """One swap. A coin of whole steps counts contracts one by one, any other in hundredths."""

    instrument: SimInstrument
    code: int

    @property
    def symbol(self) -> str:
        return self.instrument.symbol

    @property
    def family(self) -> str:
        return f"{self.instrument.base}-{self.instrument.quote}"

    @property
    def inst_id(self) -> str:
        return f"{self.family}-SWAP"

    @property
    def lot(self) -> Decimal:
        return Decimal(1) if self.instrument.step >= 1 else Decimal(1) / LOTS_IN_CONTRACT

    @property
    def value(self) -> Decimal:
        return self.instrument.step / self.lot

    def size(self, steps: int) -> str:
        return plain((self.lot * steps).normalize() + 0)

    def base(self, contracts: Decimal) -> Decimal:
        return contracts * self.value

    def price(self, ticks: int) -> str:
        return plain(self.instrument.price(ticks)) if ticks else ""


class Swaps:
    """Finds swaps by each of their names, as their rules stand now."""

    def __init__(self, venue: VenueCore) -> None:
        self._venue = venue
        self._codes = {symbol: FIRST_CODE + number for number, symbol in enumerate(venue.instruments())}
        self._by_id = {swap.inst_id: swap.symbol for swap in self.all()}

    def all(self) -> list[Swap]:
        return [Swap(instrument=held, code=self._codes[symbol]) for symbol, held in self._venue.instruments().items()]

    def of_symbol(self, symbol: str) -> Swap:
        return Swap(instrument=self._venue.instrument(symbol), code=self._codes[symbol])

    def symbol_of(self, inst_id: str) -> str:
        """Return the engine's symbol; empty where there is no such swap."""
        return self._by_id.get(inst_id, "")

    def named(self, row: dict[str, object]) -> Swap:
        """Return the swap that a request names, by id or by number."""
        inst_id, code = row.get("instId"), row.get("instIdCode")
        if not inst_id and code in (None, ""):
            raise ApiError(400, "50014", "Parameter instId can not be empty.")
        symbol = self._by_id.get(str(inst_id or ""))
        if symbol is None:
            symbol = next((one for one, number in self._codes.items() if str(number) == str(code)), None)
        if symbol is not None:
            return self.of_symbol(symbol)
        raise ApiError(200, "51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist.")

    def of_family(self, family: str) -> list[Swap]:
        return [swap for swap in self.all() if swap.family == family]
