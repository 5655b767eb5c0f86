"""The house keeps its own rules: each is applied to every file, and to a planted fault that it must find."""

from __future__ import annotations

import importlib.util
import string
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.unit import source_rules as rules
from tests.unit.source_rules import PACKAGES, Rule, Source

ROOT = Path(__file__).resolve().parents[2]
TEXT_SUFFIXES = frozenset({"", ".cfg", ".css", ".html", ".js", ".lock", ".md", ".py", ".sh", ".toml", ".yaml", ".yml"})
TOP_LEVEL = frozenset(
    ".ci .editorconfig .gitattributes .gitignore .pre-commit-config.yaml CHANGELOG.md LICENSE Makefile README.md "
    "actors configs deploy exchanges grid pyproject.toml risk tests".split()
)
TEST_KINDS = frozenset({"unit", "property", "simulation", "venue", "ray", "browser", "bench"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """One breach that is allowed: `what` is the end of the rule's line about it."""

    rule: Rule
    path: str
    what: str
    reason: str

    def covers(self, breach: str) -> bool:
        return breach.startswith((f"{self.path}:", f"{self.path} ")) and breach.endswith(self.what)


LEAVES: tuple[Leave, ...] = (
    Leave(rule=rules.clock_is_an_argument, path="actors/clock.py", what="", reason="the one clock of a run"),
    Leave(
        rule=rules.clock_is_an_argument,
        path="exchanges/sim/server/wall_clock.py",
        what="",
        reason="the one clock of the simulated venue, a process of its own",
    ),
    Leave(
        rule=rules.money_is_never_float,
        path="grid/ladder.py",
        what="makes a float of self.ratio",
        reason="it chooses where an exact search starts; the search decides",
    ),
    Leave(
        rule=rules.no_secret_is_written_down,
        path="exchanges/sim/server/options.py",
        what="",
        reason="the published account of the simulated venue; it opens nothing else",
    ),
)
BROAD_EXCEPTS: dict[str, str] = {
    "actors/alerter.py": "a hundred services' plugins, written by others: what one raises must not end all alarms",
}
"""Who may catch everything, once: the loop of a process that logs, halts and hands over. Path -> which process."""

EVERYWHERE: tuple[Rule, ...] = (
    rules.imports_run_one_way,
    rules.ray_stays_in_runtime,
    rules.core_is_pure,
    rules.clock_is_an_argument,
    rules.chance_is_seeded,
    rules.file_is_short,
    rules.functions_are_short,
    rules.money_is_never_float,
    rules.nothing_is_left_open,
    rules.lock_names_no_host,
    rules.no_registry_is_named,
    rules.no_secret_is_written_down,
)


@cache
def tracked_paths() -> tuple[str, ...]:
    """What git holds and has not deleted, new files included unless ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(sorted({path for path in listed.split("\0") if path and (ROOT / path).is_file()}))


@cache
def sources() -> tuple[Source, ...]:
    texts = (path for path in tracked_paths() if Path(path).suffix in TEXT_SUFFIXES)
    return tuple(Source.of(path, (ROOT / path).read_text(encoding="utf-8")) for path in texts)


def name_of(rule: Rule) -> str:
    return getattr(rule, "__name__", repr(rule))


@cache
def breaches_of(rule: Rule) -> tuple[str, ...]:
    return tuple(breach for source in sources() for breach in rule(source))


@pytest.mark.parametrize("rule", EVERYWHERE, ids=name_of)
def test_every_file_keeps_the_rule(rule: Rule) -> None:
    leaves = [leave for leave in LEAVES if leave.rule is rule]

    breaches = [breach for breach in breaches_of(rule) if not any(leave.covers(breach) for leave in leaves)]

    assert not breaches, "\n".join(breaches)


def test_a_process_catches_everything_in_one_place_at_most() -> None:
    found = Counter(source.path for source in sources() if not source.is_test for _ in rules.broad_excepts(source))

    assert not {path: count for path, count in found.items() if count > (path in BROAD_EXCEPTS)}


@pytest.mark.parametrize("leave", LEAVES, ids=lambda leave: leave.path)
def test_no_leave_outlives_its_need(leave: Leave) -> None:
    if leave.path not in tracked_paths():
        pytest.skip(f"{leave.path} does not exist")

    assert any(leave.covers(breach) for breach in breaches_of(leave.rule)), leave.reason


def test_no_leave_to_catch_everything_outlives_its_need() -> None:
    present = {source.path: source for source in sources() if source.path in BROAD_EXCEPTS}

    assert [path for path in BROAD_EXCEPTS if path not in present or not list(rules.broad_excepts(present[path]))] == []


def test_the_top_level_is_as_fixed() -> None:
    assert {path.partition("/")[0] for path in tracked_paths()} == TOP_LEVEL


def test_folders_of_tests_are_named_by_kind() -> None:
    folders = {path.split("/")[1] for path in tracked_paths() if path.startswith("tests/") and path.count("/") > 1}

    assert folders <= TEST_KINDS


def test_data_folders_hold_no_python() -> None:
    assert [path for path in tracked_paths() if path.startswith(("configs/", "deploy/")) and path.endswith(".py")] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_nobody_else_owns_the_name(package: str) -> None:
    spec = importlib.util.find_spec(package)

    assert spec is not None
    assert spec.origin == str(ROOT / package / "__init__.py")
    assert package not in sys.stdlib_module_names
    assert set(packages_distributions()[package]) == {"gridmesh"}


MANY_LINES = "value = 1\n" * 401
LONG_FUNCTION = "def walk() -> None:\n" + "    step()\n" * 70
KEY = "aB3" * 20

FAULTS: tuple[tuple[Rule, str, str], ...] = (
    (rules.imports_run_one_way, "grid/slot.py", "import risk.veto"),
    (
        rules.imports_run_one_way,
        "grid/slot.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import exchanges",
    ),
    (rules.imports_run_one_way, "risk/veto.py", "from exchanges.port import Venue"),
    (rules.imports_run_one_way, "exchanges/port.py", "def late():\n    from actors import cli"),
    (rules.imports_run_one_way, "exchanges/sim/engine.py", "import importlib\nimportlib.import_module('actors.cli')"),
    (rules.imports_run_one_way, "actors/cli.py", "from tests.conftest import ROOT"),
    (rules.ray_stays_in_runtime, "actors/feed.py", "import ray"),
    (rules.ray_stays_in_runtime, "actors/feed.py", "def late():\n    from ray.util import metrics"),
    (rules.ray_stays_in_runtime, "exchanges/port.py", "__import__('ray')"),
    (rules.core_is_pure, "grid/slot.py", "import asyncio"),
    (rules.core_is_pure, "grid/slot.py", "from os import environ"),
    (rules.core_is_pure, "risk/veto.py", "import pydantic"),
    (rules.core_is_pure, "risk/veto.py", "import random"),
    (rules.core_is_pure, "grid/slot.py", "def load(path):\n    return open(path)"),
    (rules.core_is_pure, "grid/slot.py", "async def load(): ..."),
    (rules.clock_is_an_argument, "exchanges/desk.py", "import time\nnow = time.time()"),
    (rules.clock_is_an_argument, "exchanges/desk.py", "import time\ndef desk(clock=time.monotonic_ns): ..."),
    (rules.clock_is_an_argument, "actors/feed.py", "from time import monotonic"),
    (rules.clock_is_an_argument, "grid/slot.py", "import datetime\ndatetime.datetime.now(datetime.UTC)"),
    (rules.clock_is_an_argument, "risk/veto.py", "from datetime import date\ndate.today()"),
    (rules.chance_is_seeded, "exchanges/sim/faults.py", "import random\nrandom.random()"),
    (rules.chance_is_seeded, "exchanges/sim/faults.py", "import random\nchance = random.Random()"),
    (rules.chance_is_seeded, "tests/unit/test_desk.py", "from random import choice"),
    (rules.chance_is_seeded, "actors/feed.py", "from random import Random\nRandom()"),
    (rules.file_is_short, "grid/slot.py", MANY_LINES),
    (rules.functions_are_short, "actors/feed.py", LONG_FUNCTION),
    (rules.broad_excepts, "actors/feed.py", "try:\n    pass\nexcept Exception:\n    pass"),
    (rules.broad_excepts, "actors/feed.py", "try:\n    pass\nexcept:\n    pass"),
    (rules.broad_excepts, "actors/feed.py", "try:\n    pass\nexcept (OSError, BaseException) as error:\n    pass"),
    (rules.broad_excepts, "actors/feed.py", "import contextlib\nwith contextlib.suppress(Exception):\n    pass"),
    (rules.money_is_never_float, "grid/lot.py", "def ratio() -> float: ..."),
    (rules.money_is_never_float, "risk/margin.py", "buffer = 1.2"),
    (rules.money_is_never_float, "exchanges/port.py", "class Fill:\n    fee: float | None"),
    (rules.money_is_never_float, "exchanges/port.py", "def order(price: 'float') -> None: ..."),
    (rules.money_is_never_float, "actors/status.py", "def total_profit() -> list[float]: ..."),
    (rules.money_is_never_float, "exchanges/sim/tape.py", "value = float(row['price'])"),
    (rules.nothing_is_left_open, "grid/slot.py", "# TO" + "DO: later"),
    (rules.nothing_is_left_open, "README.md", "FIX" + "ME"),
    (rules.lock_names_no_host, "deploy/requirements.lock", "--index-url https://example.org/simple"),
    (rules.lock_names_no_host, "deploy/requirements.lock", "ray @ https://example.org/ray.whl"),
    (rules.lock_names_no_host, "deploy/requirements.lock", "ray @ git+ssh://example.org/ray"),
    (rules.no_registry_is_named, "README.md", "get it from " + "pypi" + ".org"),
    (rules.no_secret_is_written_down, "configs/live.yaml", f'api_key: "{KEY}"'),
    (rules.no_secret_is_written_down, "configs/live.yaml", 'api_secret: "' + "ab12" * 5 + '"'),
    (rules.no_secret_is_written_down, "deploy/key.md", "-----BEGIN EC PRIVATE " + "KEY-----"),
)

SOUND: tuple[tuple[Rule, str, str], ...] = (
    (
        rules.imports_run_one_way,
        "actors/cli.py",
        "import exchanges.port\nimport risk.veto\nimport grid.slot\nimport gridlike",
    ),
    (rules.ray_stays_in_runtime, "actors/runtime/handles.py", "import ray"),
    (rules.ray_stays_in_runtime, "actors/cli.py", "import raymond\nfrom actors.runtime import start"),
    (rules.core_is_pure, "risk/veto.py", "from decimal import Decimal\nfrom grid.slot import Slot"),
    (rules.core_is_pure, "exchanges/port.py", "import asyncio"),
    (rules.clock_is_an_argument, "exchanges/desk.py", "import time\ntime.sleep(1)\norder.time"),
    (
        rules.chance_is_seeded,
        "exchanges/sim/faults.py",
        "import random\ndef pick(chance: random.Random): random.Random(7)",
    ),
    (rules.file_is_short, "grid/slot.py", "value = 1\n" * 400),
    (rules.functions_are_short, "actors/feed.py", "def walk() -> None:\n" + "    step()\n" * 69),
    (rules.broad_excepts, "actors/feed.py", "try:\n    pass\nexcept OSError:\n    pass"),
    (rules.broad_excepts, "actors/feed.py", "try:\n    pass\nexcept BaseException:\n    close()\n    raise"),
    (rules.money_is_never_float, "exchanges/port.py", "def wait(price_age_s: float, price: int) -> None: ..."),
    (rules.money_is_never_float, "exchanges/port.py", "delay_s = float(row['delay_s'])"),
    (rules.lock_names_no_host, "deploy/requirements.lock", "aiohttp==3.14.5 --hash=sha256:00"),
    (rules.no_secret_is_written_down, "grid/client_id.py", f'ALPHABET = "{string.digits + string.ascii_letters}"'),
    (rules.no_secret_is_written_down, "actors/settings/account.py", 'api_key_env: str = "GRIDMESH_API_KEY"'),
    (rules.no_secret_is_written_down, "tests/unit/test_signature.py", f'signature = "{"0a" * 32}"'),
)


def case_name(value: object) -> str | None:
    return name_of(value) if callable(value) else None


@pytest.mark.parametrize(("rule", "path", "text"), FAULTS, ids=case_name)
def test_a_planted_fault_is_found(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Source.of(path, text)))


@pytest.mark.parametrize(("rule", "path", "text"), SOUND, ids=case_name)
def test_sound_code_is_left_in_peace(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Source.of(path, text))) == []


def test_every_rule_has_a_planted_fault() -> None:
    assert {*EVERYWHERE, rules.broad_excepts} == {rule for rule, _, _ in FAULTS}
