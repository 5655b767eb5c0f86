"""What a command prints: tables for people, one JSON object for programs. Errors likewise."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from actors.exit_codes import ExitCode, exit_code
from actors.redaction import redacted
from grid.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

PIPE_WIDTH = 160
"""Columns where the output goes to a file or another program."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


def to_json(document: Any) -> str:
    """Return the document as one line; Decimals and paths become text."""
    return orjson.dumps(redacted(document), default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def emit(document: Any, *, as_json: bool, render: Callable[[], RenderableType | Sequence[RenderableType]]) -> None:
    """Print the document: as JSON, or what `render` makes of it."""
    if as_json:
        print(to_json(document), flush=True)
        return
    from rich.console import Console

    shown = render()
    console = Console(highlight=False, width=width())
    for part in [shown] if isinstance(shown, str) or not isinstance(shown, Sequence) else shown:
        # text is ours or the venue's, never markup: a square bracket is a square bracket
        console.print(part, markup=False, soft_wrap=isinstance(part, str))


def width() -> int:
    """Return how many columns there are: the terminal's, those of `COLUMNS`, or enough for a file."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return shutil.get_terminal_size().columns
    return PIPE_WIDTH


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[str] = ()) -> Table:
    """Return a plain table; an absent value is a hyphen, columns in `right` hold numbers."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(title=Text(title) if title else None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        # a number that is broken over two lines reads as two numbers
        is_number = column in right
        made.add_column(Text(column), justify="right" if is_number else "left", overflow="fold", no_wrap=is_number)
    for row in rows:
        made.add_row(*(Text(shown(value)) for value in row))
    return made


def shown(value: object) -> str:
    """Return a value as a cell: absent ones as a hyphen, claims as yes or no."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {shown(inner)}" for key, inner in value.items()) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(shown(inner) for inner in value) or "-"
    return str(value)


def report_error(error: BaseException, *, as_json: bool) -> ExitCode:
    """Print the error where it belongs and return the process's exit code."""
    code = exit_code(error)
    if as_json:
        print(to_json({"error": _error_document(error), "exit_code": int(code)}), flush=True)
    else:
        print(f"gridmesh: {_words(error)}", file=sys.stderr, flush=True)
    return code


def _error_document(error: BaseException) -> dict[str, Any]:
    document: dict[str, Any] = {"kind": type(error).__name__, "message": _words(error)}
    settings = getattr(error, "errors", [error]) if isinstance(error, ConfigError) else []
    if settings:
        document["settings"] = [{"key": e.key, "value": str(e.value), "rule": e.rule} for e in settings]
    if reasons := getattr(error, "reasons", None):
        document["reasons"] = list(reasons)
    return document


def _words(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return str(error) or type(error).__name__
