"""One owner for a file on one host: a lock that the system releases when its holder dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class LockHeld(Exception):
    """Somebody holds the lock; `pid` is 0 where the file does not say who."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"held by process {pid}")
        self.pid = pid


class FileLock:
    """Held from construction until `release` or the end of the process. The file stays: removing it would race."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.pread(self._descriptor, 32, 0).decode("ascii", errors="ignore").strip()
            os.close(self._descriptor)
            raise LockHeld(int(text) if text.isdigit() else 0) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    @property
    def identity(self) -> str:
        """Which file this is, on this host."""
        status = os.fstat(self._descriptor)
        return f"{status.st_dev}:{status.st_ino}"

    def release(self) -> None:
        """Let the next one have it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
