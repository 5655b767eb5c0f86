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

from actors.commands.accounts import accounts_of, emit_accounts
from actors.commands.output import Json, emit
from actors.commands.running import Account
from actors.errors import NotFound
from actors.exit_codes import ExitCode
from grid.errors import ConfigError, GridmeshError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from actors.journal.errors import Place
    from actors.journal.ground import Ground
    from actors.settings.account import Settings
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
    from actors.settings.deployment import deployment_hash, load_deployment, show_deployment

    settings = load_deployment(config)
    document: dict[str, Any] = {"hash": deployment_hash(settings), "settings": show_deployment(settings)}
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
    account: Account = None,
    live: Live = False,
    as_json: Json = True,
) -> None:
    """Write the journal as JSON, one object a line; works beside a running deployment.

    Of several accounts each line names its own.
    """
    from actors.journal.read import export as read_journal

    journals = journals_of(source, account, live=live)
    for _, path in journals:
        if isinstance(path, Path) and not path.is_file():
            other = _other_journal(source, account, live=live)
            raise NotFound(f"no journal at {path}: it is made by the first gridmesh run{other}")
    with _destination(output) as target:
        for name, path in journals:
            whose = {"account": name} if name else {}
            for line in read_journal(path, after):
                target.write(orjson.dumps({**whose, **line}) + b"\n")


def recover(
    source: Annotated[Path, typer.Argument(metavar="CONFIG|JOURNAL", help="Configuration file, or a journal file.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")] = False,
    days: Annotated[int, typer.Option("--days", min=1, max=180, help="How far back the venue is asked.")] = 90,
    account: Account = None,
    live: Live = False,
    as_json: Json = False,
) -> None:
    """Make a damaged or lost journal anew: what stands of it, then lots from the venue's trades of our orders.

    With a journal file alone the venue cannot be asked: what stands before the damage is kept, and no more. The old
    file is moved aside either way.
    """
    from actors.clock import now_ms
    from actors.journal.file import readable
    from actors.journal.standing import recover as rewrite

    if source.suffix.lower() in (".yaml", ".yml"):
        _require_there(source)
        accounts = accounts_of(source, account, live=live)
        found = [_recover_by_venue(one, days=days, dry_run=dry_run) for one in accounts]
        emit_accounts(found, as_json=as_json, render=_recovery_words)
        if any("error" in document for _, document in found):
            raise typer.Exit(ExitCode.ERROR)
        return
    _require_there(source)
    path = source
    if dry_run:
        raise typer.BadParameter("--dry-run needs the configuration, which names the venue")
    with readable(path):
        made = rewrite(path, now_ms())
    document = {
        "journal": str(path),
        "kept": made.kept,
        "last_seq": made.last_seq,
        "wrong": made.wrong,
        "damaged_file": str(made.damaged_file) if made.damaged_file else None,
    }
    if made.damaged_file is None:
        words = f"{path} is sound: {made.kept} records, nothing was changed"
    else:
        words = (
            f"{path} was damaged ({made.wrong}). Kept: {made.kept} records, up to number {made.last_seq}. "
            f"The damaged file is {made.damaged_file}. Lots bought or sold since are NOT in it: where the venue can "
            "be asked, put the damaged file back and run gridmesh recover CONFIG"
        )
    emit(document, as_json=as_json, render=lambda: words)


def _recover_by_venue(settings: Settings, *, days: int, dry_run: bool) -> tuple[str, dict[str, Any]]:
    """Return the account's name and what was made; of several, one that cannot be keeps no other from it."""
    from actors.clock import now_ms
    from actors.journal.recovery import recover_journal
    from actors.settings.credentials import account_keys
    from actors.venues import trading_venue

    def venue() -> TradingVenue:
        return trading_venue(settings, account_keys(settings))

    journal = str(settings.journal_path) if settings.is_journal_file else "the database"
    try:
        ground = _ground(settings)
        journal = str(ground)
        making = recover_journal(settings, venue, days=days, at_ms=now_ms(), dry_run=dry_run, ground=ground)
        made = asyncio.run(making)
    except GridmeshError as error:
        if not settings.account_name:
            raise
        return settings.account_name, {"journal": journal, "error": str(error)}
    document = {
        "journal": journal,
        "found": made.found.value,
        "wrong": made.wrong,
        "kept": made.kept,
        "added": made.added,
        "fills": made.fills,
        "journal_id": made.journal_id,
        "lots": [asdict(lot) for lot in made.lots],
        "unknown": list(made.unknown),
        "damaged_file": made.aside or None,
        "dry_run": dry_run,
    }
    return settings.account_name, document


def _ground(settings: Settings) -> Ground:
    """Return the file, or the database with the ownership that keeps others out of it."""
    import sqlalchemy as sa

    from actors.clock import SystemClock
    from actors.journal.ground import FileGround
    from actors.journal.place import journal_place
    from actors.ownership.builder import ownership
    from actors.settings.credentials import account_keys
    from actors.settings.ownership import CLUSTER

    place = journal_place(settings)
    if not isinstance(place, sa.URL):
        return FileGround(place)
    from actors.journal.database_ground import DatabaseGround

    if settings.ownership.store == CLUSTER:
        rule = "lies inside the Ray cluster, where recover is not: name a Redis or PostgreSQL, in which it is taken"
        raise ConfigError("ownership.store", CLUSTER, rule)
    owner = ownership(settings, account_keys(settings), SystemClock())
    return DatabaseGround(place, owner, lambda what: typer.echo(f"waiting for {what}", err=True))


def _recovery_words(document: dict[str, Any]) -> list[RenderableType]:
    if "error" in document:
        return [f"NOT recovered: {document['error']}"]
    if document["found"] == "sound":
        return [f"{document['journal']} is sound; nothing was changed"]
    verb = "would be" if document["dry_run"] else "were"
    return [
        f"{document['journal']}: {document['wrong']}",
        f"{document['kept']} records stand, {document['added']} {verb} added ({document['fills']} fills that the "
        "venue tells)",
        *(
            f"lot: {lot['symbol']} level {lot['level']}: {lot['quantity']} for {lot['cost']}, {lot['target']}"
            for lot in document["lots"]
        ),
        *(f"cannot be known: {sentence}" for sentence in document["unknown"]),
        *([f"the old journal is {document['damaged_file']}"] if document["damaged_file"] else []),
        "nothing was changed" if document["dry_run"] else "done; entries are held until gridmesh resume",
    ]


def journals_of(source: Path, account: str | None, *, live: bool = False) -> list[tuple[str, Place]]:
    """Return the journals that a configuration names, each with its account, or the file itself where it is one."""
    _require_there(source)
    if source.suffix.lower() in (".yaml", ".yml"):
        from actors.journal.place import journal_place

        return [(one.account_name, journal_place(one)) for one in accounts_of(source, account, live=live)]
    return [("", source)]


def _other_journal(source: Path, account: str | None, *, live: bool) -> str:
    """Return where the journal of real orders lies, where that of paper was looked for in vain."""
    if live or source.suffix.lower() not in (".yaml", ".yml"):
        return ""
    real = [one for one in accounts_of(source, account, live=False) if one.is_paper and one.venue.live]
    if not real:
        return ""
    return f"; --live means the journal of real orders, {', '.join(str(one.for_live().journal_path) for one in real)}"


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
