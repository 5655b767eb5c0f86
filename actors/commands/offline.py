"""Verbs that need neither a run nor a venue: `show-config`, `export`, `recover`, `version`."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import orjson
import typer

from actors.commands.output import Json, emit
from actors.errors import NotFound

if TYPE_CHECKING:
    from actors.journal_errors import Place
    from exchanges.port import TradingVenue

Live = Annotated[
    bool,
    typer.Option("--live", help="Real money: the run that CONFIG consents to with venue.live, not the one on paper."),
]
Config = Annotated[Path, typer.Argument(metavar="CONFIG", help="Configuration file (YAML).")]


def program_version() -> str:
    """Return the version that is installed."""
    try:
        return version("gridmesh")
    except PackageNotFoundError:
        return "0+unknown"


def show_version(as_json: Json = False) -> None:
    """Show the version."""
    found = program_version()
    python = sys.version.split()[0]
    emit({"version": found, "python": python}, as_json=as_json, render=lambda: f"gridmesh {found} (Python {python})")


def show_config(config: Config, as_json: Json = False) -> None:
    """Show the configuration as it will be used: defaults filled in, environment applied, nothing secret."""
    from actors.settings import configuration_hash, load_settings
    from actors.settings import show_config as plain_settings

    settings = load_settings(config)
    document: dict[str, Any] = {"hash": configuration_hash(settings), "settings": plain_settings(settings)}
    emit(document, as_json=as_json, render=lambda: as_yaml(document))


def as_yaml(document: dict[str, Any]) -> str:
    """Return the settings as the file would have them, with their hash as a comment."""
    import yaml

    text: str = yaml.safe_dump(document["settings"], sort_keys=False, default_flow_style=False, allow_unicode=True)
    return f"# configuration hash {document['hash']}\n{text}".rstrip()


def export(
    source: Annotated[Path, typer.Argument(metavar="CONFIG|JOURNAL", help="Configuration file, or a journal file.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write here instead of the terminal.")] = None,
    after: Annotated[int, typer.Option("--after", min=0, help="Only records after this number.")] = 0,
    live: Live = False,
    as_json: Json = True,
) -> None:
    """Write the journal as JSON, one object a line; works beside a running deployment."""
    from actors.journal_read import export as read_journal

    path = journal_of(source, live=live)
    if isinstance(path, Path) and not path.is_file():
        raise NotFound(f"no journal at {path}: it is made by the first gridmesh run{_other_journal(source, live=live)}")
    with _destination(output) as target:
        for line in read_journal(path, after):
            target.write(orjson.dumps(line) + b"\n")


def recover(
    source: Annotated[Path, typer.Argument(metavar="CONFIG|JOURNAL", help="Configuration file, or a journal file.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")] = False,
    days: Annotated[int, typer.Option("--days", min=1, max=180, help="How far back the venue is asked.")] = 90,
    live: Live = False,
    as_json: Json = False,
) -> None:
    """Make a damaged or lost journal anew: what stands of it, then lots from the venue's trades of our orders.

    With a journal file alone the venue cannot be asked: what stands before the damage is kept, and no more. The old
    file is moved aside either way.
    """
    from actors.clock import now_ms
    from actors.journal_file import readable
    from actors.journal_recover import recover as rewrite

    if source.suffix.lower() in (".yaml", ".yml"):
        _recover_by_venue(source, days=days, dry_run=dry_run, live=live, as_json=as_json)
        return
    path = journal_of(source)
    assert isinstance(path, Path), "a configuration was dealt with above"
    if dry_run:
        raise typer.BadParameter("--dry-run needs the configuration, which names the venue")
    with readable(path):
        found = rewrite(path, now_ms())
    document = {
        "journal": str(path),
        "kept": found.kept,
        "last_seq": found.last_seq,
        "wrong": found.wrong,
        "damaged_file": str(found.damaged_file) if found.damaged_file else None,
    }
    if found.damaged_file is None:
        words = f"{path} is sound: {found.kept} records, nothing was changed"
    else:
        words = (
            f"{path} was damaged ({found.wrong}). Kept: {found.kept} records, up to number {found.last_seq}. "
            f"The damaged file is {found.damaged_file}. Lots bought or sold since are NOT in it: where the venue can "
            "be asked, put the damaged file back and run gridmesh recover CONFIG"
        )
    emit(document, as_json=as_json, render=lambda: words)


def _recover_by_venue(config: Path, *, days: int, dry_run: bool, live: bool, as_json: bool) -> None:
    from actors.clock import now_ms
    from actors.credentials import account_keys
    from actors.recovery import Found, recover_journal
    from actors.settings import load_settings
    from actors.venues import trading_venue

    _require_there(config)
    settings = load_settings(config)
    if live:
        settings = settings.for_live()

    def venue() -> TradingVenue:
        return trading_venue(settings, account_keys(settings))

    made = asyncio.run(recover_journal(settings, venue, days=days, at_ms=now_ms(), dry_run=dry_run))
    document = {
        "journal": str(settings.journal_path),
        "found": made.found.value,
        "wrong": made.wrong,
        "kept": made.kept,
        "added": made.added,
        "fills": made.fills,
        "journal_id": made.journal_id,
        "lots": [asdict(lot) for lot in made.lots],
        "unknown": list(made.unknown),
        "damaged_file": str(made.aside) if made.aside else None,
        "dry_run": dry_run,
    }
    if made.found is Found.SOUND:
        words = [f"{settings.journal_path} is sound; nothing was changed"]
    else:
        words = [
            f"{settings.journal_path}: {made.wrong}",
            f"{made.kept} records stand, {made.added} {'would be' if dry_run else 'were'} added "
            f"({made.fills} fills that the venue tells)",
            *(f"lot: {lot.symbol} level {lot.level}: {lot.quantity} for {lot.cost}, {lot.target}" for lot in made.lots),
            *(f"cannot be known: {sentence}" for sentence in made.unknown),
            *([f"the old file is {made.aside}"] if made.aside else []),
            "nothing was changed" if dry_run else "done; entries are held until gridmesh resume",
        ]
    emit(document, as_json=as_json, render=lambda: words)


def journal_of(source: Path, *, live: bool = False) -> Place:
    """Return the journal that a configuration names, or the file itself where it is one."""
    _require_there(source)
    if source.suffix.lower() in (".yaml", ".yml"):
        from actors.journal_place import journal_place
        from actors.settings import load_settings

        settings = load_settings(source)
        return journal_place(settings.for_live() if live else settings)
    return source


def _other_journal(source: Path, *, live: bool) -> str:
    """Return where the journal of real orders lies, where that of paper was looked for in vain."""
    from actors.settings import load_settings

    if live or source.suffix.lower() not in (".yaml", ".yml"):
        return ""
    settings = load_settings(source)
    if not settings.is_paper or not settings.venue.live:
        return ""
    return f"; --live means the journal of real orders, {settings.for_live().journal_path}"


def _require_there(path: Path) -> None:
    try:
        is_there = path.exists()
    except (OSError, ValueError):
        is_there = False  # too long, or no name at all
    if not is_there:
        raise NotFound(f"no such file: {path}")


def _destination(output: Path | None) -> AbstractContextManager[IO[bytes]]:
    if output is None:
        return nullcontext(sys.stdout.buffer)
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "wb")
