"""What can be traded and how, as a table: the adapters of our own, and every exchange that ccxt has streams of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from exchanges.adapters import LACKING, NATIVE

SIMULATED = "simulated venue"
NO_BATCH = "one by one"


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueRow:
    """One venue. `lacks` is why it cannot be traded; empty where it can."""

    name: str
    adapter: str
    """`native` or `generic`."""
    order_entry: str
    batch: str
    dead_man_switch: str
    stop_orders: str
    testnet: str
    tested: str
    lacks: tuple[str, ...] = ()

    @property
    def is_usable(self) -> bool:
        """Whether a run may name it."""
        return not self.lacks


@dataclass(frozen=True, slots=True, kw_only=True)
class _Native:
    batch: int
    """Most orders in one request; over a socket they go side by side."""
    switch: str
    clients: str
    """Clients written elsewhere that the simulated venue was tried with."""


_NATIVES: Mapping[str, _Native] = {
    "binanceusdm": _Native(batch=5, switch="symbol", clients="ccxt, python-binance, official SDK"),
    "bybit": _Native(batch=20, switch="", clients="pybit"),
    "gate": _Native(batch=10, switch="symbol", clients="gate-api"),
    "okx": _Native(batch=20, switch="whole account", clients="python-okx"),
    "bitget": _Native(batch=50, switch="", clients="ccxt"),
}


def native_rows() -> list[VenueRow]:
    """Return the venues with an adapter of their own; imports no adapter."""
    return [_native(name, _NATIVES[name]) for name in NATIVE]


def generic_rows() -> list[VenueRow]:
    """Return every other exchange of ccxt's, usable ones first. Imports the whole of ccxt: a second and 110 MB."""
    import_module("ccxt.pro")
    from exchanges.generic.abilities import described
    from exchanges.session.one_exchange import streaming_names

    rows = [_generic(described(name)) for name in streaming_names() if name not in NATIVE]
    return sorted(rows, key=lambda row: (not row.is_usable, row.name))


def _native(name: str, facts: _Native) -> VenueRow:
    lacking = LACKING.get(name, {})
    return VenueRow(
        name=name,
        adapter="native",
        order_entry="WebSocket, else REST",
        batch=f"{facts.batch} by REST",
        dead_man_switch=facts.switch or "no",
        stop_orders="no" if "exchange_stop" in lacking else "yes",
        testnet="yes",
        tested=f"{SIMULATED}, {facts.clients}",
    )


def _generic(told: object) -> VenueRow:
    from exchanges.generic.abilities import Described
    from exchanges.generic.facts import TESTED

    assert isinstance(told, Described)
    return VenueRow(
        name=told.name,
        adapter="generic",
        order_entry="REST",
        batch=NO_BATCH,
        dead_man_switch="no",
        stop_orders="no",
        testnet="yes" if told.has_testnet else "no",
        tested=SIMULATED if told.name in TESTED else "no",
        lacks=told.lacks,
    )
