"""Files that are their owner's alone: the run folder, whole writes, durable names."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from grid.errors import ConfigError


def run_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where run files and journals lie: `$GRIDMESH_HOME`, else `~/.gridmesh`."""
    return Path(environ.get("GRIDMESH_HOME") or "~/.gridmesh").expanduser()


def temporary_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return this user's folder for what a machine forgets, made for him alone: `/tmp/gridmesh-<uid>`.

    `$RAY_TMPDIR` stands in for `/tmp`. Raises `ConfigError` where another user holds that name or may enter.
    """
    path = Path(environ.get("RAY_TMPDIR") or "/tmp") / f"gridmesh-{os.getuid()}"
    with suppress(FileExistsError):
        path.mkdir(parents=True, mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        rule = f"{path} has to be a folder of this user that nobody else may enter; remove it, or name another place"
        raise ConfigError("RAY_TMPDIR", path.parent, rule)
    return path


def write_private(path: Path, content: bytes) -> None:
    """Put the content in place for its owner alone: the old file or the whole new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(fresh, path)
    sync_folder(path.parent)


def make_private(path: Path) -> bool:
    """Create the file for its owner alone; return whether it is empty. Tightens one that others could read."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        refuse_foreign_link(path)
        os.chmod(path, 0o600)
        return path.stat().st_size == 0
    sync_folder(path.parent)
    return True


def refuse_foreign_link(path: Path) -> None:
    """Raise `OSError` for a link that another user made: what is written through it would end where he wants."""
    if path.is_symlink() and path.lstat().st_uid != os.geteuid():
        raise OSError(errno.ELOOP, "is a symbolic link of another user", str(path))


def sync_folder(folder: Path) -> None:
    """Make a file's name as durable as its content."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
