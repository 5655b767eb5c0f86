"""Whether a file can be kept where it is meant to lie; asked before anything is started."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from actors.private_files import run_folder
from actors.settings.account import Settings
from grid.errors import ConfigError

HOME = "GRIDMESH_HOME"


def require_writable(settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
    """Raise `ConfigError` where run files or the journal cannot be kept."""
    if why := folder_trouble(run_folder(environ)):
        raise ConfigError(HOME, run_folder(environ), f"has to be a folder that can be written to: {why}")
    if settings.is_journal_file and (why := file_trouble(settings.journal_path)):
        raise ConfigError("journal.path", settings.journal_path, f"has to be a file that can be written to: {why}")


def folder_trouble(folder: Path) -> str:
    """Return why no file can be made in the folder, or in the one above that it would be made in; else nothing."""
    try:
        while not folder.exists():
            folder = folder.absolute().parent
        if not folder.is_dir():
            return f"{folder} is no folder"
        # Asked by doing: the rights alone do not tell of a read-only or a special file system.
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return f"{folder} cannot be written to ({error.strerror})"


def file_trouble(path: Path) -> str:
    """Return why the file cannot be written, nothing where it can, whether it exists or not."""
    try:
        if path.is_dir():
            return f"{path} is a folder"
        if path.exists() and not path.is_file():
            return f"{path} is no plain file"
        if path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        return f"{path} cannot be written to ({error.strerror})"
    return folder_trouble(path.parent)
