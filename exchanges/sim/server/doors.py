"""What a protocol gives a simulated venue, and which protocols there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from aiohttp import web

from exchanges.sim.server.connection import Connection
from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.options import VenueOptions

PROTOCOLS = ("binanceusdm", "bybit", "okx", "bitget", "gate", "kucoinfutures", "hashkey")


class Doors(Protocol):
    """The routes of one venue's language, around its core."""

    @property
    def venue(self) -> VenueCore: ...

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add every route of the venue. Called last: a route may take every path that is left."""
        ...

    def connections(self, path: str = "") -> list[Connection]:
        """Return the open sockets whose path starts so."""
        ...

    async def stop(self) -> None:
        """Give up what is still on its way."""
        ...


def doors_of(options: VenueOptions, wall_ms: Callable[[], int]) -> Doors:
    """Return the doors that the options name; only their own language is imported."""
    match options.protocol:
        case "binanceusdm":
            from exchanges.sim.binance.doors import BinanceDoors

            return BinanceDoors(options, wall_ms)
        case "bybit":
            from exchanges.sim.bybit.doors import BybitDoors

            return BybitDoors(options, wall_ms)
        case "okx":
            from exchanges.sim.okx.doors import OkxDoors

            return OkxDoors(options, wall_ms)
        case "bitget":
            from exchanges.sim.bitget.doors import BitgetDoors

            return BitgetDoors(options, wall_ms)
        case "gate":
            from exchanges.sim.gate.doors import GateDoors

            return GateDoors(options, wall_ms)
        case "kucoinfutures":
            from exchanges.sim.kucoinfutures.doors import KucoinDoors

            return KucoinDoors(options, wall_ms)
        case "hashkey":
            from exchanges.sim.hashkey.doors import HashkeyDoors

            return HashkeyDoors(options, wall_ms)
        case unknown:
            raise ValueError(f"no protocol {unknown!r}: one of {', '.join(PROTOCOLS)}")
