"""Who takes part for an account of a deployment: all names and shares, worked out from the settings alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from actors.actor_names import (
    COORDINATOR,
    RISK,
    SlotLayout,
    feed_names,
    gateway_name,
    levels_at_once,
    packed,
    reconciler_name,
)
from actors.settings.account import Settings
from actors.settings.runtime import RuntimeSettings
from actors.settings.symbol import SymbolSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The actors of one account, by name; supervisor and coordinator are those of the whole deployment."""

    account: str
    gateway: str
    reconciler: str
    risk: str
    coordinator: str
    layouts: dict[str, SlotLayout]
    feeds: dict[str, str]
    """By symbol; packed symbols share one, and perhaps their slot actor."""

    @classmethod
    def of(cls, settings: Settings) -> Roster:
        """Return the roster of a configuration."""
        runtime = settings.runtime
        symbols = [symbol.symbol for symbol in settings.symbols]
        account = settings.account_name
        feeds = feed_names(symbols, runtime.symbols_per_actor, account)
        return cls(
            account=account,
            gateway=gateway_name(settings.venue.name, account),
            reconciler=reconciler_name(settings.venue.name, account),
            risk=RISK,
            coordinator=COORDINATOR,
            layouts=_dealt(settings, feeds),
            feeds=feeds,
        )

    def joined(self, symbol: SymbolSettings, runtime: RuntimeSettings) -> Roster:
        """Return the roster with a symbol more. It has actors of its own: the packs that run are not dealt anew."""
        name = symbol.symbol
        layouts = {**self.layouts, name: layout_of(symbol, runtime, self.account)}
        return replace(self, layouts=layouts, feeds={**self.feeds, **feed_names([name], account=self.account)})

    def without(self, symbol: str) -> Roster:
        """Return the roster without the symbol."""
        return replace(
            self,
            layouts={name: layout for name, layout in self.layouts.items() if name != symbol},
            feeds={name: feed for name, feed in self.feeds.items() if name != symbol},
        )

    def serving(self, symbol: str) -> tuple[str, ...]:
        """Return the actors that serve this symbol, its feed first."""
        return (self.feeds[symbol], *self.layouts[symbol].names())

    def layouts_of(self, slot: str) -> tuple[SlotLayout, ...]:
        """Return the layouts of the symbols that a slot actor serves; several only where it holds each wholly."""
        return tuple(layout for layout in self.layouts.values() if slot in layout.names())

    @property
    def slots(self) -> tuple[str, ...]:
        """Return each slot actor once."""
        return tuple(dict.fromkeys(name for layout in self.layouts.values() for name in layout.names()))

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

    @property
    def own(self) -> frozenset[str]:
        """Return the names of this account's actors alone."""
        return frozenset((*self.feed_list, *self.slots, self.reconciler, self.gateway))


def _dealt(settings: Settings, feeds: Mapping[str, str]) -> dict[str, SlotLayout]:
    """Return the layouts of all symbols; those of one feed may share slot actors where they have the same place."""
    alike: defaultdict[tuple[str, str | None], list[SlotLayout]] = defaultdict(list)
    for symbol in settings.symbols:
        layout = layout_of(symbol, settings.runtime, settings.account_name)
        alike[feeds[symbol.symbol], symbol.place].append(layout)
    dealt = {layout.symbol: layout for layouts in alike.values() for layout in packed(layouts)}
    return {symbol.symbol: dealt[symbol.symbol] for symbol in settings.symbols}


def layout_of(symbol: SymbolSettings, runtime: RuntimeSettings, account: str = "") -> SlotLayout:
    """Return how the levels of a symbol that shares no slot actor are dealt to its own."""
    modulus = levels_at_once(
        buy_window=symbol.buy_window, entry_slack=symbol.entry_slack, look_ahead=runtime.look_ahead
    )
    return SlotLayout(symbol=symbol.symbol, modulus=modulus, slots_per_actor=runtime.slots_per_actor, account=account)


def place_of(name: str, settings: Settings, roster: Roster) -> str | None:
    """Return the custom resource of the nodes on which an actor may live; None: anywhere.

    A symbol's slots and its feed share a place; a feed of several symbols takes the first one's. Slot actors serve
    several symbols only of one place.
    """
    for symbol in settings.symbols:
        if name == roster.feeds[symbol.symbol] or name in roster.layouts[symbol.symbol].names():
            return symbol.place
    return settings.runtime.account_place
