"""Who is who: fixed actor names, and which slot actor serves which level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

COORDINATOR = "coordinator"
RISK = "risk"
MAIN = "main"
"""What the only account of a deployment is called where a name is needed."""


def gateway_name(venue: str, account: str = "") -> str:
    """Return the name of an account's order gateway."""
    return f"gateway/{venue}/{account or MAIN}"


def reconciler_name(venue: str, account: str = "") -> str:
    """Return the name of an account's reconciler."""
    return f"reconciler/{venue}/{account or MAIN}"


def of_account(account: str, symbol: str) -> str:
    """Return the symbol as it is named in the deployment: of several accounts, with the account before it."""
    return f"{account}/{symbol}" if account else symbol


def feed_names(symbols: Sequence[str], symbols_per_actor: int = 1, account: str = "") -> dict[str, str]:
    """Return each symbol's feed; packed feeds are named for their first symbol and how many more they serve."""
    names: dict[str, str] = {}
    for start in range(0, len(symbols), symbols_per_actor):
        pack = symbols[start : start + symbols_per_actor]
        more = f"+{len(pack) - 1}" if len(pack) > 1 else ""
        names.update(dict.fromkeys(pack, f"feed/{of_account(account, pack[0])}{more}"))
    return names


def levels_at_once(*, buy_window: int, entry_slack: int, look_ahead: int) -> int:
    """Return M: so many neighbouring levels each have their own place, whatever the price does."""
    return buy_window + entry_slack + look_ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotLayout:
    """How the levels of a symbol are dealt to slot actors: level i by its remainder i mod `modulus`."""

    symbol: str
    modulus: int
    slots_per_actor: int = 1
    account: str = ""
    """Named only where a deployment has several."""
    pack: str = ""
    """The actor that serves the whole ladder and those of other symbols; empty: the symbol has actors of its own."""

    @property
    def count(self) -> int:
        """Return the number of slot actors of the symbol."""
        return -(-self.modulus // self.slots_per_actor)

    def name(self, index: int) -> str:
        """Return the name of slot actor `index`."""
        return self.pack or f"slot/{of_account(self.account, self.symbol)}/{index:02d}"

    def names(self) -> tuple[str, ...]:
        """Return the names of all slot actors of the symbol."""
        return tuple(self.name(index) for index in range(self.count))

    def name_of(self, level: int) -> str:
        """Return the name of the actor that serves the level."""
        return self.name(level % self.modulus // self.slots_per_actor)

    def remainders(self, index: int) -> frozenset[int]:
        """Return the remainders that slot actor `index` serves."""
        start = index * self.slots_per_actor
        return frozenset(range(start, min(start + self.slots_per_actor, self.modulus)))


def packed(layouts: Sequence[SlotLayout]) -> list[SlotLayout]:
    """Return the layouts of symbols that share feed and place: whole ladders share an actor as far as they fit.

    An actor of several symbols is named, as a feed is, for the first and how many more it serves.
    """
    packs: list[list[SlotLayout]] = []
    for layout in layouts:
        if packs and sum(one.modulus for one in packs[-1]) + layout.modulus <= layout.slots_per_actor:
            packs[-1].append(layout)
        else:
            packs.append([layout])
    return [replace(layout, pack=_pack_name(pack)) for pack in packs for layout in pack]


def _pack_name(pack: Sequence[SlotLayout]) -> str:
    first = pack[0]
    return f"slot/{of_account(first.account, first.symbol)}+{len(pack) - 1}" if len(pack) > 1 else ""
