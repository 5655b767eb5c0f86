"""The files of deploy/ are what the tools that read them accept, and fit the program."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from actors.deployment.account_course import CLOSE_PATIENCE_S

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def unit(key: str) -> str:
    """Return a setting of the systemd unit."""
    found = re.search(rf"^{key}=(.*)$", (DEPLOY / "gridmesh.service").read_text(), re.MULTILINE)
    assert found is not None, f"{key} is not set"
    return found.group(1)


def test_the_firewall_s_rules_are_valid() -> None:
    nft = shutil.which("nft") or shutil.which("nft", path="/usr/sbin:/sbin")
    if nft is None:
        pytest.skip("nft is not here: the package nftables has it")
    ended = subprocess.run(
        [nft, "-c", "-f", str(DEPLOY / "firewall.nft")], capture_output=True, text=True, timeout=280, check=False
    )
    if "Operation not permitted" in ended.stderr:
        pytest.skip("nft may not ask the kernel here: checking needs CAP_NET_ADMIN")
    assert ended.returncode == 0, ended.stderr


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not here")
    # the program and its manual lie elsewhere on this machine, and verify looks for them
    here = (DEPLOY / "gridmesh.service").read_text().replace("/opt/gridmesh/.venv/bin/gridmesh", "/bin/true")
    here = here.replace("file:/opt/gridmesh/deploy/RUNBOOK.md", f"file:{DEPLOY}/RUNBOOK.md")
    copy = tmp_path / "gridmesh.service"
    copy.write_text(here)
    ended = subprocess.run(
        [analyze, "verify", "--man=no", str(copy)], capture_output=True, text=True, timeout=280, check=False
    )
    if "Failed to" in ended.stderr and "manager" in ended.stderr:
        pytest.skip(f"systemd cannot verify here: {ended.stderr.strip()}")

    complaints = [line for line in ended.stderr.splitlines() if "gridmesh.service" in line]
    assert complaints == []
    assert ended.returncode == 0, ended.stderr


def test_a_stop_has_time_to_end_and_only_the_main_process_is_asked() -> None:
    from actors.runtime.launch import STOP_PATIENCE_S

    assert unit("KillMode") == "mixed"
    assert float(unit("TimeoutStopSec")) > STOP_PATIENCE_S > CLOSE_PATIENCE_S


def test_the_runbook_names_every_word_of_the_operator() -> None:
    words = (DEPLOY / "RUNBOOK.md").read_text()
    verbs = ("check", "run", "status", "explain", "halt", "resume", "stop", "panic", "recover", "export")

    assert [verb for verb in verbs if f"gridmesh {verb}" not in words] == []
