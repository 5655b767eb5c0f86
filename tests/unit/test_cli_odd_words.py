"""Every verb with wrong words, odd files and dead runs: one clear line, a documented exit code, no traceback."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.exit_codes import ExitCode
from actors.file_lock import FileLock
from actors.private_files import make_private, write_private
from tests.unit.command_line import CommandLine, Ended
from tests.unit.test_cli import VERBS

TAKE_A_FILE = ("run", "drill", "check", "panic", "show-config", "export", "recover", "risk-report")
ASK_A_RUN = (("status",), ("explain", "ETHUSDT"), ("halt",), ("resume",), ("stop",))
NEVER_SAID = ("Traceback", "not expected", "errno", "Errno", "object at 0x", "<class", "NoneType")


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> CommandLine:
    monkeypatch.setenv("GRIDMESH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    return CommandLine(monkeypatch, capsys)


def sound(ended: Ended, *codes: int) -> str:
    """Return what was said, once it is one clear line under a documented code."""
    said = ended.err + ended.out
    assert ended.code in codes, said
    assert said.strip()
    assert not [word for word in NEVER_SAID if word in said], said
    return said


def places(folder: Path) -> dict[str, Path]:
    """Make files that are none of what a verb wants."""
    made = {name: folder / name for name in ("text.yaml", "bytes.yaml", "empty.yaml", "zeros.sqlite", "folder.yaml")}
    made["text.yaml"].write_text("hello, world")
    made["bytes.yaml"].write_bytes(os.urandom(64) + b"\xff")
    made["empty.yaml"].touch()
    made["zeros.sqlite"].write_bytes(bytes(5000))
    made["folder.yaml"].mkdir()
    made["absent.yaml"] = folder / "absent.yaml"
    made["loop.yaml"] = folder / "loop.yaml"
    made["loop.yaml"].symlink_to(made["loop.yaml"])
    made["long.yaml"] = folder / ("n" * 300 + ".yaml")
    made["in a file"] = made["text.yaml"] / "below.yaml"
    return made


@pytest.mark.parametrize("verb", TAKE_A_FILE)
@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_a_file_that_is_none_is_said_in_a_line(shell: CommandLine, tmp_path: Path, verb: str, as_json: bool) -> None:
    codes = (ExitCode.NOT_FOUND, ExitCode.CONFIGURATION) + (
        (ExitCode.ERROR,) if verb in ("recover", "export", "risk-report") else ()
    )
    for name, path in places(tmp_path).items():
        ended = shell.run(verb, path, *(["--json"] if as_json else []))
        said = sound(ended, *codes)
        lines = [line for line in said.splitlines() if line.strip()]
        is_usage = ended.code == ExitCode.NOT_FOUND and not as_json
        assert len(lines) <= (8 if is_usage else 6), f"{name}: {said}"
        if as_json and verb != "export":
            assert orjson.loads(lines[-1])["exit_code"] == ended.code


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
@pytest.mark.parametrize("verb", TAKE_A_FILE)
def test_a_file_that_may_not_be_read_is_said(shell: CommandLine, tmp_path: Path, verb: str) -> None:
    path = tmp_path / "closed.yaml"
    path.write_text("deployment: trial")
    path.chmod(0)

    assert "ermission" in sound(shell.run(verb, path), 1, 2, 4)


@pytest.mark.parametrize("words", ASK_A_RUN, ids=lambda words: words[0])
@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"deployment": 1}', "\x00", '{"pid": "x"}', "9" * 400])
def test_a_run_file_that_is_none_is_said_with_the_remedy(
    shell: CommandLine, tmp_path: Path, words: tuple[str, ...], content: str
) -> None:
    write_private(tmp_path / "home" / "trial.json", content.encode())

    said = sound(shell.run(*words), ExitCode.NOT_RUNNING)

    assert "trial" in said


@pytest.mark.parametrize("words", ASK_A_RUN, ids=lambda words: words[0])
@pytest.mark.parametrize(
    "address", ["127.0.0.1:1", "", "nonsense", "127.0.0.1:99999", "::1", "\u202e:1", "a" * 300 + ":1"]
)
def test_a_dead_address_is_said_at_once(
    shell: CommandLine, tmp_path: Path, words: tuple[str, ...], address: str
) -> None:
    run = {
        "deployment": "trial",
        "address": address,
        "namespace": "trial",
        "pid": os.getpid(),
        "pid_started_ms": 1,
        "started_ms": 1,
        "token_path": "",
        "configuration_hash": "",
        "version": "0",
        "needs_launcher": False,
    }
    write_private(tmp_path / "home" / "trial.json", orjson.dumps(run))

    assert "not running" in sound(shell.run(*words), ExitCode.NOT_RUNNING)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["status", "--deployment", "../../etc/passwd"], 3),
        (["status", "--deployment", "no\u202esuch"], 3),
        (["status", "--deployment", "n" * 400], 3),
        (["status", "--timeout", "nan"], 2),
        (["status", "--timeout", "-1"], 2),
        (["explain", ""], 3),
        (["demo", "--duration", "nan"], 2),
        (["demo", "--duration", "inf"], 2),
        (["sim", "--port", "70000"], 2),
        (["sim", "--protocol", "nyse"], 2),
        (["sim", "--speed", "nan"], 2),
        (["risk-report"], 2),
        (["export", "--after", "-1", "x"], 2),
        (["export", "no-such-file"], 2),
        (["recover", "no-such-file"], 2),
    ],
)
def test_wrong_words_are_said(shell: CommandLine, words: list[str], code: int) -> None:
    sound(shell.run(*words), code)


odd_words = st.one_of(
    st.sampled_from(
        ["--json", "--help", "-r", "--", "-", "--timeout", "--deployment", "--tape", "/", "/dev/null", "~", ""]
    ),
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8),
)
QUICK = tuple(verb for verb in VERBS if verb not in ("demo", "sim", "run", "drill"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(verb=st.sampled_from(QUICK), words=st.lists(odd_words, max_size=4))
def test_no_words_end_in_a_traceback(shell: CommandLine, verb: str, words: list[str]) -> None:
    ended = shell.run(verb, *words)

    assert ended.code in set(ExitCode)
    assert not [word for word in NEVER_SAID[:2] if word in ended.err + ended.out]


class TestPrivateFiles:
    """Rights of what is written, whatever the umask; and no link leads a write astray."""

    @pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
    def test_files_are_their_owner_s_alone_under_any_umask(self, tmp_path: Path, mask: int) -> None:
        before = os.umask(mask)
        try:
            write_private(tmp_path / "run" / "a.json", b"{}")
            make_private(tmp_path / "book" / "a.sqlite")
        finally:
            os.umask(before)

        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert len(files) == 2
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
        assert {stat.S_IMODE(path.parent.stat().st_mode) for path in files} == {0o700}

    def test_a_link_in_the_place_of_a_run_file_is_replaced_and_not_followed(self, tmp_path: Path) -> None:
        victim = tmp_path / "victim"
        victim.write_text("mine")
        (tmp_path / "a.json").symlink_to(victim)
        (tmp_path / f".a.json.{os.getpid()}").symlink_to(victim)

        write_private(tmp_path / "a.json", b"{}")

        assert victim.read_text() == "mine"
        assert not (tmp_path / "a.json").is_symlink()

    @pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can make a link of somebody else")
    def test_a_link_that_somebody_else_put_in_a_journal_s_place_is_refused(self, tmp_path: Path) -> None:
        victim = tmp_path / "victim"
        victim.write_text("mine")
        victim.chmod(0o644)
        (tmp_path / "a.sqlite").symlink_to(victim)
        os.lchown(tmp_path / "a.sqlite", 65534, 65534)

        with pytest.raises(OSError, match="symbolic link of another user"):
            make_private(tmp_path / "a.sqlite")

        assert stat.S_IMODE(victim.stat().st_mode) == 0o644

    def test_a_lock_is_never_taken_through_a_link(self, tmp_path: Path) -> None:
        victim = tmp_path / "victim"
        victim.write_text("mine")
        (tmp_path / "a.lock").symlink_to(victim)

        with pytest.raises(OSError, match="symbolic link"):
            FileLock(tmp_path / "a.lock")

        assert victim.read_text() == "mine"

    def test_a_port_that_is_taken_is_said(self, shell: CommandLine) -> None:
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            held.listen()
            said = sound(shell.run("sim", "--port", held.getsockname()[1]), ExitCode.CONFIGURATION)

        assert "taken" in said
