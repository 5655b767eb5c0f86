"""`venues`: what can be traded, by which adapter, and what the rest lacks."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actors.commands.output import Json, emit, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from exchanges.venue_table import VenueRow

COLUMNS = ("name", "adapter", "order entry", "batch", "dead-man switch", "stop orders", "testnet", "tested how")
GENERIC_LIMITS = (
    "generic: any exchange of ccxt's by its name; ccxt:NAME also where there is a native adapter. Orders go over "
    "REST, one request each. ccxt's sockets tell the last of several states that came together. Fills are read over "
    "REST where their fees on the stream were not seen to be right, positions after each fill, everything anew after "
    "a gap. Liquidations look like another's orders. Nothing was tried at the venue itself."
)


def venues(
    as_json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table of the README.")] = False,
) -> None:
    """List the venues: by which adapter, how orders go in, what each has, how it was tested, what others lack."""
    from exchanges.venue_table import generic_rows, native_rows

    native, generic = native_rows(), generic_rows()
    if markdown:
        print(as_markdown(native, generic), flush=True)
        return
    documents = [{**asdict(row), "lacks": list(row.lacks)} for row in native + generic]
    emit(documents, as_json=as_json, render=lambda: _tables(native, generic))


def as_markdown(native: list[VenueRow], generic: list[VenueRow]) -> str:
    """Return the table of the README: natives as rows, all the others as one."""
    usable = [row for row in generic if row.is_usable]
    tested = [row.name for row in usable if row.tested != "no"]
    lines = [_line(COLUMNS[:1] + COLUMNS[2:]), _line(["---"] * (len(COLUMNS) - 1))]
    lines += [_line([_cells(row)[0], *_cells(row)[2:]]) for row in native]
    some = generic[0]
    through = f"{len(usable)} of {len(generic)} more, through ccxt"
    testnets = f"{sum(row.testnet == 'yes' for row in usable)} of them"
    how = f"{some.tested if not tested else 'simulated venue'}: {', '.join(tested) or 'none'}"
    lines.append(_line([through, some.order_entry, some.batch, some.dead_man_switch, some.stop_orders, testnets, how]))
    return "\n".join(lines)


def _tables(native: list[VenueRow], generic: list[VenueRow]) -> list[RenderableType]:
    usable, others = [row for row in generic if row.is_usable], [row for row in generic if not row.is_usable]
    return [
        table("", COLUMNS, [_cells(row) for row in native + usable]),
        GENERIC_LIMITS,
        "",
        table("refused", ("name", "lacks, through ccxt"), [(row.name, ", ".join(row.lacks)) for row in others]),
    ]


def _cells(row: VenueRow) -> tuple[Any, ...]:
    return (
        row.name,
        row.adapter,
        row.order_entry,
        row.batch,
        row.dead_man_switch,
        row.stop_orders,
        row.testnet,
        row.tested,
    )


def _line(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"
