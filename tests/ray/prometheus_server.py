"""A real Prometheus on loopback with the configuration of deploy/, pointed at a port of the test."""

from __future__ import annotations

import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from tests.ports import free_ports
from tests.ray.gridmesh_shell import ROOT

DEPLOY = ROOT / "deploy"
START_S = 180.0


class PrometheusServer:
    """Asks a running Prometheus over its HTTP API."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series that the expression gives now."""
        result: list[dict[str, Any]] = self._ask("query", query=expression)["result"]
        return result

    def labels(self, label: str, match: str) -> list[str]:
        """Return the values of a label over the series that match."""
        found: list[str] = self._ask(f"label/{label}/values", **{"match[]": match})
        return found

    def rules(self) -> list[dict[str, Any]]:
        """Return every rule with its health and state."""
        return [rule for group in self._ask("rules")["groups"] for rule in group["rules"]]

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self._url}/-/ready", timeout=2) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False

    def _ask(self, path: str, **parameters: str) -> Any:
        query = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(f"{self._url}/api/v1/{path}?{query}", timeout=60) as reply:
                return orjson.loads(reply.read())["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path} {parameters}: {error.read().decode()}") from error


def configuration(target: str) -> dict[str, Any]:
    """Return deploy/prometheus.yml with the target in place of its own, scraping every second."""
    document: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    document["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    document["rule_files"] = [str(DEPLOY / name) for name in document["rule_files"]]
    (job,) = document["scrape_configs"]
    job["static_configs"] = [{"targets": [target]}]
    return document


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[PrometheusServer]:
    """Start it; skips where the program is not here."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not here: Debian's package of that name has it")
    (port,) = free_ports(1)
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump(configuration(target)))
    command = [program, f"--config.file={config}", f"--storage.tsdb.path={folder / 'series'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
    with (folder / "prometheus.out").open("wb") as out:
        started = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        server = PrometheusServer(port)
        try:
            deadline = time.monotonic() + START_S
            while not server.is_ready():
                said = (folder / "prometheus.out").read_text()
                assert started.poll() is None, said
                assert time.monotonic() < deadline, said
                time.sleep(0.2)
            yield server
        finally:
            started.terminate()
            try:
                started.wait(20)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()
