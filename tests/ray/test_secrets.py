"""A real run that is given secrets and provoked: they stand nowhere but where the operator put them."""

from __future__ import annotations

import base64
import gzip
import os
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from exchanges.sim.server.keys import ApiKey
from exchanges.sim.server.options import SimAccount, demo_account
from tests.live_control import VenueControl, still_venue
from tests.ports import free_port
from tests.ray.gridmesh_shell import Launched, Shell
from tests.ray.secret_search import SecretSearch, asked
from tests.venue.running_venue import still_options

ETH: dict[str, Any] = {
    "symbol": "ETHUSDT",
    "interval": 2,
    "anchor": 3000,
    "amount": 60,
    "buy_window": 3,
    "max_lots": 10,
    "leverage": 5,
}
SECTIONS: dict[str, dict[str, Any]] = {
    "account": {"max_notional": 2000, "daily_loss": 500},
    "risk": {"enabled": False, "required_positions": 10},
    "runtime": {"slots_per_actor": 8, "reconcile_s": 2, "dashboard": True},
}
IN_FILES = ("api secret", "alert password", "alert path")
"""What only the gateway and `run` itself ever read; the others come by the environment, which every child inherits."""
MAY_HOLD = ("ray::OrderGateway", "actors.cli")
PAGES = (
    "logical/actors",
    "nodes?view=summary",
    "nodes?view=details",
    "api/jobs/",
    "api/cluster_status",
    "api/v0/actors?detail=1&limit=1000",
    "api/v0/tasks?detail=1&limit=1000",
    "api/v0/tasks/summarize",
    "api/v0/workers?detail=1&limit=1000",
    "api/v0/nodes?detail=1",
    "api/v0/jobs?detail=1",
    "api/v0/objects?detail=1",
    "api/v0/runtime_envs?detail=1",
    "api/v0/placement_groups?detail=1",
    "api/v0/cluster_events?detail=1",
    "timezone",
    "tasks?limit=100",
    "events",
)

pytestmark = [pytest.mark.timeout(900), pytest.mark.long]


def made(name: str) -> str:
    """Return a secret of this run that stands in no other text by chance."""
    return f"{name}{secrets.token_hex(28)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A run with secrets of its own."""

    shell: Shell
    config: Path
    venue: VenueControl
    launched: Launched
    search: SecretSearch
    ray_folder: Path
    said: list[str]
    """What commands printed meanwhile."""

    @property
    def family(self) -> list[psutil.Process]:
        main = psutil.Process(self.launched._process.pid)
        return [main, *(one for one in main.children(recursive=True) if _lives(one))]

    def of(self, kind: str) -> list[psutil.Process]:
        return [one for one in self.family if kind in " ".join(one.cmdline())]


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE and process.cmdline())
    except psutil.NoSuchProcess:
        return False  # Ray ends idle workers as it likes


def options(key: str, secret: str) -> Any:
    account: SimAccount = demo_account(deposit=Decimal(100_000))
    keys = (*account.keys, ApiKey(key=key, account="main", secret=secret))
    return replace(still_options(), accounts=(SimAccount(spec=account.spec, keys=keys),))


def private(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A Redis that asks for a password; password and URL, empty where the machine has none."""
    if shutil.which("redis-server") is None:
        yield "", ""
        return
    password, port = made("redis"), free_port()
    folder = tmp_path_factory.mktemp("redis")
    conf = private(
        folder / "redis.conf", f"bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ''\ndir {folder}\n"
    )
    server = subprocess.Popen(["redis-server", str(conf)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield password, f"redis://:{password}@127.0.0.1:{port}/0"
    server.terminate()
    server.wait(60)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory, store: tuple[str, str]) -> Iterator[Planted]:
    home = tmp_path_factory.mktemp("secrets")
    ray_folder = Path(tempfile.mkdtemp(prefix="gmsec", dir="/tmp"))  # its sockets' paths may not be long
    at_last = ExitStack()
    at_last.callback(shutil.rmtree, ray_folder, ignore_errors=True)
    hidden = {name: made(name.replace(" ", "")) for name in ("api key", *IN_FILES)}
    with at_last, still_venue(options(hidden["api key"], hidden["api secret"])) as venue:
        shell = Shell(home / "home")
        shell.environment |= {"TRIAL_KEY": hidden["api key"], "RAY_TMPDIR": str(ray_folder)}
        del shell.environment["TRIAL_SECRET"]
        keys = {
            "rest_url": venue.rest_url,
            "ws_url": venue.ws_url,
            "api_key_env": "TRIAL_KEY",
            "api_secret_file": str(private(home / "secret", hidden["api secret"])),
        }
        # nobody listens there: what could not be sent is said in the log
        url = f"json://me:{hidden['alert password']}@127.0.0.1:{free_port()}/{hidden['alert path']}"
        sections = {**SECTIONS, "alerts": {"urls_file": str(private(home / "urls", url)), "refused_orders": 1}}
        if store[1]:
            hidden["store password"] = store[0]
            shell.environment["TRIAL_STORE"] = store[1]
            sections["ownership"] = {"store_env": "TRIAL_STORE", "lease_s": 7, "skew_s": 1}
        config = shell.write_config(venue, [ETH], **sections)
        config.write_text(yaml.safe_dump({**yaml.safe_load(config.read_text()), "venue": keys}))
        with shell.running(config) as launched:
            launched.until(lambda: len(venue.own_orders("ETHUSDT", is_open=True)) == 3, "it quotes")
            hidden["ray token"] = (shell.home / "trial.token").read_text()
            run = Planted(
                shell=shell,
                config=config,
                venue=venue,
                launched=launched,
                search=SecretSearch(hidden),
                ray_folder=ray_folder,
                said=[],
            )
            provoke(run)
            yield run


def provoke(run: Planted) -> None:
    """Refused orders, lost and garbled replies, a broken store of alarms, an actor that dies with its stack printed."""
    for kind in ("overloaded", "reply_truncated", "unknown_error", "bad_gateway", "unexpected_response"):
        run.venue.fault(kind, count=3)
    run.venue.walk("ETHUSDT", "2993.5")
    time.sleep(4)
    (gateway,) = run.of("ray::OrderGateway")
    gateway.send_signal(signal.SIGABRT)
    run.launched.until(lambda: any(one.pid != gateway.pid for one in run.of("ray::OrderGateway")), "it is back")
    for verb in (("status",), ("explain", "ETHUSDT"), ("halt", "-r", "a test"), ("check", run.config), ("resume",)):
        for form in ((), ("--json",)):
            ended = run.shell.run(*verb, *form)
            run.said.extend([ended.out, ended.err])
    for verb in (("export", run.config), ("show-config", run.config), ("export", run.shell.home / "trial.sqlite")):
        ended = run.shell.run(*verb)
        assert ended.code == 0, ended.err
        run.said.extend([ended.out, ended.err])


def test_no_word_of_a_command_tells_one(planted: Planted) -> None:
    assert len("".join(planted.said)) > 5000
    assert planted.search.in_bytes("\n".join(planted.said).encode(), "what commands print") == []


def test_no_file_of_ours_holds_one(planted: Planted) -> None:
    allowed = [planted.shell.home / "trial.token"]

    assert (planted.shell.home / "trial.sqlite").stat().st_size > 10_000
    assert planted.search.in_files(planted.shell.home, allowed) == []


def test_what_the_run_writes_is_its_owner_s_alone(planted: Planted) -> None:
    by_the_test = {"trial.yaml", "run.out", "run.err"}
    places = list(planted.shell.home.rglob("*"))
    open_files = [
        f"{path} {stat.S_IMODE(path.lstat().st_mode):04o}"
        for path in places
        if path.is_file() and path.name not in by_the_test and path.lstat().st_mode & 0o077
    ]
    own_folders = [path for path in (planted.shell.home, *planted.shell.home.rglob("*")) if path.is_dir()]

    assert open_files == []
    assert {f"{stat.S_IMODE(path.stat().st_mode):04o}" for path in own_folders} == {"0700"}


def test_no_log_or_file_of_ray_holds_one(planted: Planted) -> None:
    logs = [path for path in planted.ray_folder.rglob("*") if path.suffix in (".err", ".log", ".out")]
    assert any("Fatal Python error: Aborted" in path.read_text(errors="replace") for path in logs), (
        "a crash was printed"
    )

    assert planted.search.in_files(planted.ray_folder) == []


def test_no_process_shows_one_to_others(planted: Planted) -> None:
    found: list[str] = []
    for process in planted.family:
        found += planted.search.in_command_line(process)
        found += planted.search.in_environment(process, ("TRIAL_KEY", "TRIAL_STORE"))

    assert len(planted.family) > 8
    assert found == []


def test_none_lies_in_the_memory_of_a_process_that_does_not_need_it(planted: Planted) -> None:
    """Ray's tables of actors and tasks, with every argument of every constructor, are in there."""
    found: list[str] = []
    (gateway,) = planted.of("ray::OrderGateway")
    for process in planted.family:
        if not any(kind in " ".join(process.cmdline()) for kind in MAY_HOLD):
            found += planted.search.in_memory(process, IN_FILES)

    assert planted.search.in_memory(gateway, IN_FILES), "it is looked for rightly: the gateway has it"
    assert found == []


def test_no_page_of_ray_tells_one(planted: Planted) -> None:
    (run,) = [planted.shell.run("status", "--json").json]
    token = (planted.shell.home / "trial.token").read_text()
    pages = {page: asked(f"{run['addresses']['ray_dashboard']}/{page}", token) for page in PAGES}
    ports = {
        one.laddr.port for p in planted.of("DashboardAgent") + planted.of("dashboard/dashboard") for one in _open(p)
    }
    metrics = [asked(f"http://127.0.0.1:{port}/metrics") for port in sorted(ports)]

    assert b"OrderGateway" in pages["logical/actors"]
    assert b"OrderGateway" in pages["api/v0/actors?detail=1&limit=1000"]
    assert any(b"gridmesh_" in one for one in metrics)
    assert [found for page, said in pages.items() for found in planted.search.in_bytes(said, page)] == []
    assert planted.search.in_bytes(b"\n".join(metrics), "metrics") == []


def _open(process: psutil.Process) -> list[Any]:
    return [one for one in process.net_connections(kind="tcp") if one.status == psutil.CONN_LISTEN]


def test_a_leak_would_be_found(tmp_path: Path) -> None:
    secret = made("leak")
    search = SecretSearch({"it": secret})
    (tmp_path / "plain.log").write_text(f"GET /x?key={secret}")
    (tmp_path / "packed.jsonl.gz").write_bytes(gzip.compress(secret.encode()))
    (tmp_path / "header.log").write_bytes(b"Basic " + base64.b64encode(f"me:{secret}".encode()))
    (tmp_path / "signed.log").write_text("POST /fapi/v1/order?symbol=ETHUSDT&signature=" + "ab12" * 16)
    talker = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; kept = sys.stdin.readline(); print(1, flush=True); time.sleep(60)",
            secret,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "COPIED": secret},
    )
    try:
        assert talker.stdin is not None
        assert talker.stdout is not None
        talker.stdin.write(secret.encode() + b"\n")
        talker.stdin.flush()
        talker.stdout.readline()
        process = psutil.Process(talker.pid)

        assert len(search.in_files(tmp_path)) == 4
        assert search.in_command_line(process)
        assert search.in_environment(process, ("PATH",))
        assert not search.in_environment(process, ("COPIED",))
        assert search.in_memory(process, ("it",))
    finally:
        talker.kill()
        talker.communicate()
