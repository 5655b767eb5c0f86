"""Who takes part for an account of a deployment: all names and shares, worked out from the settings alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

from actors.actor_names import (
    COORDINATOR,
    RISK,
    SlotLayout,
    feed_names,
    gateway_name,
    levels_at_once,
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
    """By symbol; packed symbols share one."""

    @classmethod
    def of(cls, settings: Settings) -> Roster:
        """Return the roster of a configuration."""
        runtime = settings.runtime
        symbols = [symbol.symbol for symbol in settings.symbols]
        account = settings.account_name
        layouts = {symbol.symbol: layout_of(symbol, runtime, account) for symbol in settings.symbols}
        return cls(
            account=account,
            gateway=gateway_name(settings.venue.name, account),
            reconciler=reconciler_name(settings.venue.name, account),
            risk=RISK,
            coordinator=COORDINATOR,
            layouts=layouts,
            feeds=feed_names(symbols, runtime.symbols_per_actor, account),
        )

    def joined(self, symbol: SymbolSettings, runtime: RuntimeSettings) -> Roster:
        """Return the roster with a symbol more. It has a feed of its own: the packs that run are not dealt anew."""
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
        """Return the actors that serve this symbol and no other."""
        feed = self.feeds[symbol]
        alone = (feed,) if list(self.feeds.values()).count(feed) == 1 else ()
        return (*alone, *self.layouts[symbol].names())

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

    @property
    def own(self) -> frozenset[str]:
        """Return the names of this account's actors alone."""
        return frozenset((*self.feed_list, *self.slots, self.reconciler, self.gateway))


def layout_of(symbol: SymbolSettings, runtime: RuntimeSettings, account: str = "") -> SlotLayout:
    """Return how the symbol's levels are dealt to slot actors."""
    modulus = levels_at_once(
        buy_window=symbol.buy_window, entry_slack=symbol.entry_slack, look_ahead=runtime.look_ahead
    )
    return SlotLayout(symbol=symbol.symbol, modulus=modulus, slots_per_actor=runtime.slots_per_actor, account=account)


def place_of(name: str, settings: Settings, roster: Roster) -> str | None:
    """Return the custom resource of the nodes on which an actor may live; None: anywhere.

    A symbol's slots and its feed share a place; a feed of several symbols takes the first one's.
    """
    for symbol in settings.symbols:
        if name == roster.feeds[symbol.symbol] or name in roster.layouts[symbol.symbol].names():
            return symbol.place
    return settings.runtime.account_place
