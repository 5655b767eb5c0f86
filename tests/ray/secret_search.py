"""Looks for planted secrets wherever a run may leave them: files, processes, their memory, Ray's own page."""

from __future__ import annotations

import base64
import gzip
import re
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import psutil

CHUNK_BYTES = 16 * 2**20
REGION_BYTES_MAX = 512 * 2**20
SIGNED = re.compile(rb"(signature|listenKey)=[A-Za-z0-9]{20,}")


class SecretSearch:
    """Secrets by what they are; each find is told by its name and place, and never shown."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._forms = {name: sorted(set(_forms(secret))) for name, secret in secrets.items()}

    def in_bytes(self, content: bytes, place: str, wanted: Iterable[str] = ()) -> list[str]:
        """Return what stands in there, of the wanted ones or of all; signed requests too."""
        names = list(wanted) or list(self._forms)
        found = [f"{name} in {place}" for name in names if any(form in content for form in self._forms[name])]
        return found + [f"a signed request in {place}"] * bool(not wanted and SIGNED.search(content))

    def in_files(self, folder: Path, allowed: Iterable[Path] = ()) -> list[str]:
        """Return what stands in the files under a folder, packed ones unpacked; `allowed` hold secrets by right."""
        found: list[str] = []
        for path in sorted(folder.rglob("*")):
            if path in allowed or path.is_symlink() or not path.is_file():
                continue
            raw = path.read_bytes()
            if path.suffix == ".gz":
                raw = gzip.decompress(raw)
            found += self.in_bytes(raw, str(path))
            found += self.in_bytes(path.name.encode(), "the name of a file")
        return found

    def in_command_line(self, process: psutil.Process) -> list[str]:
        """Return what every user of the machine could read of a process."""
        return self.in_bytes(" ".join(process.cmdline()).encode(), f"the command line of {process.name()}")

    def in_environment(self, process: psutil.Process, allowed: Iterable[str]) -> list[str]:
        """Return what stands in the environment, but for the variables in which the operator put it."""
        kept = {name: value for name, value in process.environ().items() if name not in allowed}
        return self.in_bytes(repr(kept).encode(), f"the environment of {process.name()}")

    def in_memory(self, process: psutil.Process, wanted: Iterable[str]) -> list[str]:
        """Return what stands in the memory that a process has written: its objects, queues and tables."""
        found: set[str] = set()
        label = f"the memory of {' '.join(process.cmdline())[:60]}"
        with Path(f"/proc/{process.pid}/mem").open("rb", buffering=0) as memory:
            for begin, end in _written_regions(process.pid):
                for at in range(begin, min(end, begin + REGION_BYTES_MAX), CHUNK_BYTES):
                    try:
                        memory.seek(at)
                        # a little of the next piece, so that nothing is cut in two
                        content = memory.read(min(CHUNK_BYTES + 256, end - at))
                    except OSError:
                        break  # mapped, and not readable: a guard
                    found |= set(self.in_bytes(content, label, wanted))
        return sorted(found)


def asked(url: str, token: str = "") -> bytes:
    """Return what a page answers, an error's words too; empty where nobody speaks HTTP."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=15) as reply:
            content: bytes = reply.read()
            return content
    except urllib.error.HTTPError as error:
        return error.read()
    except (OSError, ValueError, urllib.error.URLError):
        return b""


def _forms(secret: str) -> Iterator[bytes]:
    raw = secret.encode()
    yield from (raw, quote(secret, safe="").encode(), raw.hex().encode(), base64.b64encode(raw))
    # in a longer text, base64 shifts it by one or two bytes
    for shift in (1, 2):
        yield base64.b64encode(b"x" * shift + raw)[4 : -(4 if (shift + len(raw)) % 3 else 0) or None]


def _written_regions(pid: int) -> Iterator[tuple[int, int]]:
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        place, rights, *_ = line.split()
        if rights.startswith("rw"):
            begin, _, end = place.partition("-")
            yield int(begin, 16), int(end, 16)
