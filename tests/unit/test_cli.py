"""The command line: verbs, exit codes, JSON, and what it must not load."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from actors.errors import NotFound, NotInstalled, NotRunning, TimedOut
from actors.exit_codes import ExitCode, exit_code
from actors.journal.writer import Journal
from exchanges.errors import OutcomeUnknown, Refusal, VenueRefused
from grid.errors import ConfigError, GridmeshError, Halted, RefusedToStart
from tests.unit.command_line import CommandLine
from tests.unit.test_journal import entries, sql
from tests.unit.test_settings import SMALLEST, changed

VERBS = (
    "run demo sim check status explain halt resume stop panic risk-report show-config export recover version"
).split()


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> CommandLine:
    monkeypatch.setenv("GRIDMESH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    return CommandLine(monkeypatch, capsys)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "trial.yaml"
    path.write_text(yaml.safe_dump(SMALLEST))
    return path


def with_keys(config: Path, monkeypatch: pytest.MonkeyPatch, **sections: dict[str, str]) -> None:
    """Name keys in the configuration, at a venue that nobody serves."""
    monkeypatch.setenv("TRIAL_KEY", "k" * 20)
    monkeypatch.setenv("TRIAL_SECRET", "s" * 20)
    document = yaml.safe_load(config.read_text()) | sections
    document["venue"] = {
        "rest_url": "http://127.0.0.1:1",
        "ws_url": "ws://127.0.0.1:1",
        "api_key_env": "TRIAL_KEY",
        "api_secret_env": "TRIAL_SECRET",
    }
    config.write_text(yaml.safe_dump(document))


def gridmesh(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "actors.cli", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environ}, timeout=280, check=False
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GridmeshError("x"), 1),
        (OutcomeUnknown("x"), 1),
        (NotInstalled("x"), 1),
        (ValueError("x"), 1),
        (NotFound("x"), 2),
        (NotRunning("x"), 3),
        (ConfigError("k", 1, "r"), 4),
        (VenueRefused("-2015", "no", Refusal.CREDENTIALS), 4),
        (VenueRefused("-2019", "no", Refusal.MARGIN), 1),
        (TimedOut("x"), 5),
        (TimeoutError(), 5),
        (Halted(("risk",), 3), 6),
        (RefusedToStart(("a", "b")), 7),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_error_has_its_exit_code(error: BaseException, code: int) -> None:
    assert exit_code(error) == code


def test_help_lists_every_verb_and_loads_nothing_heavy() -> None:
    probe = (
        "import sys; sys.argv = ['gridmesh', '--help']\n"
        "from actors.cli import main\n"
        "try: main()\n"
        "except SystemExit as ended: assert not ended.code\n"
        "heavy = 'ray ccxt aiohttp pyarrow sqlalchemy pydantic websockets'.split()\n"
        "print('LOADED', [name for name in heavy if name in sys.modules])\n"
    )

    ended = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=280, check=True)

    assert "LOADED []" in ended.stdout
    assert not [verb for verb in VERBS if f"  {verb} " not in ended.stdout]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_and_knows_json(shell: CommandLine, verb: str) -> None:
    ended = shell.run(verb, "--help")

    assert ended.code == 0
    assert "--json" in ended.out


@pytest.mark.parametrize(
    "arguments", [["bogus"], ["explain"], ["stop", "--keep", "--flatten"], ["show-config"], ["sim", "--port", "x"]]
)
def test_wrong_usage_is_two(shell: CommandLine, arguments: list[str]) -> None:
    assert shell.run(*arguments).code == ExitCode.NOT_FOUND


@pytest.mark.parametrize("arguments", [["bogus"], ["explain"], ["stop", "--keep", "--flatten"], ["sim", "--port", "x"]])
def test_wrong_usage_is_one_json_object_where_json_is_asked_for(shell: CommandLine, arguments: list[str]) -> None:
    ended = shell.run(*arguments, "--json")

    assert (ended.code, ended.json["exit_code"], ended.err) == (2, 2, "")
    assert ended.json["error"]["message"]


def test_version_is_told(shell: CommandLine) -> None:
    assert shell.run("version", "--json").json["version"] == "0.1.0"
    assert shell.run("version").out.startswith("gridmesh 0.1.0")


def test_a_taken_port_of_the_simulated_venue_is_said(shell: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = shell.run("sim", "--port", listener.getsockname()[1])

    assert ended.code == 4
    assert "is taken by another process" in ended.err


@pytest.mark.parametrize("place", ["/proc/gm", "a plain file"])
@pytest.mark.parametrize("verb", ["run", "check"])
def test_a_home_that_cannot_be_used_is_four_and_named(
    shell: CommandLine, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str, place: str
) -> None:
    with_keys(config, monkeypatch)
    plain = tmp_path / "plain"
    plain.write_text("")
    monkeypatch.setenv("GRIDMESH_HOME", str(plain) if place == "a plain file" else place)

    ended = shell.run(verb, config)

    assert ended.code == 4
    assert "GRIDMESH_HOME" in ended.out + ended.err


@pytest.mark.parametrize("place", ["/proc/x.sqlite", ".", "/dev/null", "/proc/none/x.sqlite"])
@pytest.mark.parametrize("verb", ["run", "check"])
def test_a_journal_that_cannot_be_written_is_four_and_named(
    shell: CommandLine, config: Path, monkeypatch: pytest.MonkeyPatch, verb: str, place: str
) -> None:
    with_keys(config, monkeypatch, journal={"path": place})

    ended = shell.run(verb, config)

    assert ended.code == 4
    assert "journal.path" in ended.out + ended.err
    assert "Traceback" not in ended.err


def test_a_venue_that_cannot_be_reached_says_what_to_look_at(
    shell: CommandLine, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_keys(config, monkeypatch)

    ended = shell.run("check", config, "--json")

    [line] = [line for line in ended.json["checks"] if line["what"] == "venue"]
    assert line["verdict"] == "unknown"
    assert "venue.rest_url is http://127.0.0.1:1" in line["sentence"]
    assert "network" in line["sentence"]


class TestShowConfig:
    def test_it_prints_yaml_that_loads_again_to_the_same_hash(
        self, shell: CommandLine, config: Path, tmp_path: Path
    ) -> None:
        first = shell.run("show-config", config)
        again = tmp_path / "again.yaml"
        again.write_text(first.out)

        second = shell.run("show-config", again, "--json")

        assert first.code == 0
        assert second.json["hash"] in first.out
        assert second.json["settings"]["symbols"][0]["amount"] == "30"

    def test_a_wrong_key_is_four_and_says_why_in_both_forms(self, shell: CommandLine, tmp_path: Path) -> None:
        path = tmp_path / "wrong.yaml"
        path.write_text(yaml.safe_dump(changed(symbols__0__amout=3, account__daily_loss=-1)))

        for_people = shell.run("show-config", path)
        for_programs = shell.run("show-config", path, "--json")

        assert (for_people.code, for_programs.code) == (4, 4)
        assert "did you mean symbols[0].amount?" in for_people.err
        assert for_people.out == ""
        assert [wrong["key"] for wrong in for_programs.json["error"]["settings"]] == [
            "symbols[0].amout",
            "account.daily_loss",
        ]
        assert for_programs.json["exit_code"] == 4

    def test_an_absent_file_is_four(self, shell: CommandLine, tmp_path: Path) -> None:
        assert shell.run("show-config", tmp_path / "absent.yaml").code == 4

    def test_square_brackets_are_printed_as_they_are(self, shell: CommandLine, tmp_path: Path) -> None:
        path = tmp_path / "c.yaml"
        path.write_text(yaml.safe_dump(changed(journal__path="/x/[red]a[/red].sqlite")))

        assert "[red]a[/red]" in shell.run("show-config", path).out


class TestJournalVerbs:
    def make(self, config: Path) -> Path:
        path = config.parent / "home" / "trial.sqlite"
        journal = Journal.open(path)
        journal.append(entries(2))
        journal.append(entries(2))
        journal.close()
        return path

    def test_export_writes_a_line_for_each_record(self, shell: CommandLine, config: Path, tmp_path: Path) -> None:
        self.make(config)

        ended = shell.run("export", config, "--output", tmp_path / "out.jsonl", "--after", 1)

        lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
        assert ended.code == 0
        assert [line.get("seq") for line in lines] == [None, 2, 3, 4]
        assert (tmp_path / "out.jsonl").stat().st_mode & 0o077 == 0

    def test_export_to_a_closed_pipe_ends_quietly(self, config: Path) -> None:
        path = self.make(config)
        command = f"{sys.executable} -m actors.cli export {path} | head -c 1"

        ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=280, check=False)

        assert "Traceback" not in ended.stderr

    def test_export_of_nothing_is_an_error_with_words(self, shell: CommandLine, config: Path) -> None:
        absent = shell.run("export", config)

        assert "no journal at" in absent.err
        assert absent.code == 2
        assert shell.run("export", config.parent / "absent.sqlite").code == 2

    def test_recover_says_what_it_kept(self, shell: CommandLine, config: Path) -> None:
        path = self.make(config)
        assert "nothing was changed" in shell.run("recover", path).out
        sql(path, "UPDATE records SET body = '{}' WHERE seq = 3")

        ended = shell.run("recover", path, "--json")

        assert ended.json["kept"] == 2
        assert ended.json["damaged_file"].startswith(f"{path}.damaged-")

    def test_the_command_that_a_damaged_journal_names_exists(self, shell: CommandLine, config: Path) -> None:
        path = self.make(config)
        sql(path, "UPDATE records SET body = '{}' WHERE seq = 1")

        said = shell.run("export", path).err
        command = said[said.index("run: gridmesh ") :].split()[2:]

        assert command == ["recover", "CONFIG"]
        assert "CONFIG" in shell.run("recover", "--help").out


class TestWithoutARun:
    @pytest.mark.parametrize("verb", [["status"], ["explain", "ETHUSDT"], ["halt"], ["resume"], ["stop"]])
    def test_a_verb_without_a_run_is_three(self, shell: CommandLine, verb: list[str]) -> None:
        ended = shell.run(*verb, "--json")

        assert ended.code == 3
        assert ended.json["error"]["kind"] == "NotRunning"

    def test_a_dead_run_is_noticed(self, tmp_path: Path) -> None:
        (tmp_path / "trial.json").write_text(json.dumps(DEAD_RUN))
        (tmp_path / "trial.json").chmod(0o600)
        ended = gridmesh("status", "--deployment", "trial", GRIDMESH_HOME=str(tmp_path))

        assert ended.returncode == 3
        assert "has ended without removing its run file" in ended.stderr


DEAD_RUN = {
    "deployment": "trial",
    "address": "127.0.0.1:1",
    "namespace": "trial",
    "pid": 2**22 + 1,
    "pid_started_ms": 1,
    "started_ms": 1,
    "token_path": "/nowhere",
    "configuration_hash": "",
    "version": "",
}


def test_what_was_not_expected_is_one_and_short_unless_asked(tmp_path: Path) -> None:
    folder = tmp_path / "folder.yaml"
    folder.mkdir()
    (tmp_path / "home").write_text("a file where a folder belongs")

    short = gridmesh("status", GRIDMESH_HOME=str(tmp_path / "home"), GRIDMESH_DEBUG="")

    assert short.returncode in (1, 3)
    assert "Traceback" not in short.stderr


def test_an_unexpected_error_is_told_with_its_place() -> None:
    probe = (
        "import sys; sys.argv = ['gridmesh', 'version']\n"
        "from actors import cli\n"
        "from actors.commands import offline\n"
        "import actors.commands.output as output\n"
        "def fail(*_, **__): raise RuntimeError('out of paper')\n"
        "offline.emit = fail\n"
        "cli.main()\n"
    )

    ended = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=280, check=False)

    assert ended.returncode == 1
    assert "gridmesh: out of paper" in ended.stderr
    assert "RuntimeError at" in ended.stderr
    assert "Traceback" not in ended.stderr
