"""Real servers that keep leases and journals: started by a test in a folder of its own, ended by its own process id."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port

START_S = 180.0
POSTGRES_USER = "postgres"
PASSWORD = "hidden-from-everybody"
LOOPBACK = "127.0.0.1"
MEMORY = "/dev/shm"


class RedisServer:
    """One redis-server that asks for a password; it may be killed and started anew, with or without its memory."""

    def __init__(self, folder: Path, host: str = LOOPBACK) -> None:
        self._folder = folder
        self._host = host
        self.port = free_port()
        self.url = f"redis://:{PASSWORD}@{host}:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        command = ["redis-server", "--bind", self._host, "--port", str(self.port), "--dir", str(self._folder)]
        command += ["--requirepass", PASSWORD, "--appendonly", "yes", "--save", ""]
        log = (self._folder / "redis.log").open("ab")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        _until_open(self._host, self.port, self._folder / "redis.log")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def forget(self) -> None:
        """Remove what it wrote to the disk."""
        shutil.rmtree(self._folder / "appendonlydir", ignore_errors=True)


@contextmanager
def redis_server(host: str = LOOPBACK) -> Iterator[RedisServer]:
    if shutil.which("redis-server") is None:
        pytest.skip("there is no redis-server (Debian package redis-server)")
    folder = Path(tempfile.mkdtemp(prefix="gridmesh-redis-", dir=_quick_folder()))
    server = RedisServer(folder, host)
    try:
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgres_server(host: str = LOOPBACK) -> Iterator[str]:
    """Yield the URL of a PostgreSQL of our own. It will not run as root, so it runs as its package's user then."""
    initdb = _postgres_program("initdb")
    if initdb is None:
        pytest.skip("there is no PostgreSQL server (Debian package postgresql)")
    user = POSTGRES_USER if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="gridmesh-postgres-", dir=_quick_folder()))
    if user is not None:
        shutil.chown(folder, user)
    port, cluster, log = free_port(), folder / "cluster", (folder / "postgres.log").open("ab")

    def run(call: Callable[..., subprocess.Popen[bytes]], *command: str) -> subprocess.Popen[bytes]:
        return call(command, cwd=folder, user=user, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    secret = folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    made = run(
        subprocess.Popen, str(initdb), "-D", str(cluster), "-U", "grid", "-A", "scram-sha-256", f"--pwfile={secret}"
    )
    assert made.wait(START_S * 2) == 0, (folder / "postgres.log").read_text()
    with (cluster / "pg_hba.conf").open("a") as allowed:
        allowed.write(f"host all all {host}/24 scram-sha-256\n")
    options = [
        "-c",
        f"listen_addresses={host}",
        "-c",
        f"unix_socket_directories={folder}",
        "-c",
        "max_connections=20",
    ]
    server = run(subprocess.Popen, str(initdb.with_name("postgres")), "-D", str(cluster), "-p", str(port), *options)
    try:
        _until_open(host, port, folder / "postgres.log")
        yield f"postgresql://grid:{PASSWORD}@{host}:{port}/postgres"
    finally:
        server.terminate()
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _quick_folder() -> str | None:
    """Return a folder in memory: both servers wait for the disk, which on a busy machine takes up to a minute."""
    return MEMORY if os.access(MEMORY, os.W_OK) else None


def _postgres_program(name: str) -> Path | None:
    found = shutil.which(name)
    packaged = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return Path(found).resolve() if found is not None else packaged[-1] if packaged else None


def _until_open(host: str, port: int, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection((host, port), 1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
