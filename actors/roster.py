"""Who takes part in a deployment: all names and shares, worked out from the settings alone."""

from __future__ import annotations

from dataclasses import dataclass

from actors.actor_names import (
    COORDINATOR,
    RISK,
    SlotLayout,
    feed_names,
    gateway_name,
    levels_at_once,
    reconciler_name,
)
from actors.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The actors of one deployment, by name."""

    gateway: str
    reconciler: str
    risk: str
    coordinator: str
    layouts: dict[str, SlotLayout]
    feeds: dict[str, str]
    """By symbol; packed symbols share one."""

    @classmethod
    def of(cls, settings: Settings) -> Roster:
        """Return the roster of a configuration."""
        runtime = settings.runtime
        symbols = [symbol.symbol for symbol in settings.symbols]
        layouts = {
            symbol.symbol: SlotLayout(
                symbol=symbol.symbol,
                modulus=levels_at_once(
                    buy_window=symbol.buy_window, entry_slack=symbol.entry_slack, look_ahead=runtime.look_ahead
                ),
                slots_per_actor=runtime.slots_per_actor,
            )
            for symbol in settings.symbols
        }
        return cls(
            gateway=gateway_name(settings.venue.name),
            reconciler=reconciler_name(settings.venue.name),
            risk=RISK,
            coordinator=COORDINATOR,
            layouts=layouts,
            feeds=feed_names(symbols, runtime.symbols_per_actor),
        )

    @property
    def slots(self) -> tuple[str, ...]:
        """Return the names of all slot actors."""
        return tuple(name for layout in self.layouts.values() for name in layout.names())

    @property
    def feed_list(self) -> tuple[str, ...]:
        """Return each feed once."""
        return tuple(dict.fromkeys(self.feeds.values()))

    @property
    def movable(self) -> tuple[str, ...]:
        """Return who keeps nothing on its host: feeds and slots."""
        return (*self.feed_list, *self.slots)

    @property
    def everyone(self) -> tuple[str, ...]:
        """Return all names but the coordinator's, in the order in which they end."""
        return (*self.feed_list, *self.slots, self.risk, self.reconciler, self.gateway)


def place_of(name: str, settings: Settings, roster: Roster) -> str | None:
    """Return the custom resource of the nodes on which an actor may live; None: anywhere.

    A symbol's slots and its feed share a place; a feed of several symbols takes the first one's.
    """
    for symbol in settings.symbols:
        if name == roster.feeds[symbol.symbol] or name in roster.layouts[symbol.symbol].names():
            return symbol.place
    return settings.runtime.account_place
