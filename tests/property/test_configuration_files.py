"""Whatever stands in a configuration file: settings, or an error that names key, value and rule, and no secret."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from actors import cli
from actors.settings.account import Settings, configuration_hash, load_settings, show_config
from actors.settings.errors import ConfigErrors
from grid.errors import ConfigError
from tests.mutants import mutants, spoilt_text

ROOT = Path(__file__).parents[2]
SECRET = "Zk3" + "x9Qp" * 15 + "w"
NAMES = ("demo.yaml", "practice.yaml", "paper.yaml", "live.example.yaml")
DOCUMENTS = {name: yaml.load((ROOT / "configs" / name).read_text(), yaml.BaseLoader) for name in NAMES}
LINE_MAX = 4000
HOUSE = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

documents = st.sampled_from(NAMES).flatmap(lambda name: mutants(DOCUMENTS[name]))
texts = st.sampled_from(NAMES).flatmap(lambda name: spoilt_text((ROOT / "configs" / name).read_bytes()))


def checked(path: Path, environ: dict[str, str] | None = None) -> Settings | None:
    """Return the settings; None where they are refused as they should be."""
    try:
        found = load_settings(path, environ or {})
    except ConfigError as error:
        refused = error
    else:
        assert configuration_hash(found)
        assert SECRET not in str(show_config(found))
        return found
    for one in refused.errors if isinstance(refused, ConfigErrors) else (refused,):
        assert one.key
        assert one.rule
        assert len(str(one)) < LINE_MAX
    assert str(refused).encode()  # it can be printed, whatever stood there
    assert SECRET not in str(refused)
    return None


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRIDMESH_HOME", str(folder / "run"))
        patch.delenv("GRIDMESH_PRACTICE_KEY", raising=False)
        yield folder


@HOUSE
@given(document=documents)
def test_a_changed_document_is_read_or_refused_by_key(home: Path, document: Any) -> None:
    path = home / "changed.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True))

    checked(path)


@HOUSE
@given(text=texts)
def test_spoilt_text_is_read_or_refused_by_line(home: Path, text: bytes) -> None:
    path = home / "spoilt.yaml"
    path.write_bytes(text)

    checked(path)


@HOUSE
@given(document=documents, place=st.sampled_from(("value", "key", "item", "alias", "tag", "anchor", "twice")))
def test_no_secret_is_said_wherever_it_stands(home: Path, document: Any, place: str) -> None:
    text = yaml.safe_dump(document) if isinstance(document, dict) else ""
    odd = {
        "value": f"deployment: {SECRET}\n",
        "key": f"{SECRET}: 1\n",
        "item": f"account: [{SECRET}]\n",
        "alias": f"extra: *{SECRET}\n",
        "tag": f"extra: !{SECRET} 1\n",
        "anchor": f"extra: &{SECRET} 1\nextra2: &{SECRET} 2\n",
        "twice": f"extra: {{{SECRET}: 1, {SECRET}: 2}}\n",
    }
    path = home / "secret.yaml"
    path.write_text(odd[place] + text)

    assert checked(path) is None


ODD_TEXTS: dict[str, str | bytes] = {
    "a list as a key": "[1, 2]: 3\n",
    "a section as a key": "{a: b}: 3\n",
    "a tag of a number": "deployment: !!int x\n",
    "a tag of a truth": "deployment: !!bool x\n",
    "a tag of a time": "deployment: !!timestamp x\n",
    "a tag of a program": "deployment: !!python/object/apply:os.system [id]\n",
    "half a character": 'deployment: "\\ud800"\n',
    "no character": 'deployment: "\\UFFFFFFFF"\n',
    "a deep nest": "[" * 20_000,
    "a deep section": "\n".join(" " * depth + "a:" for depth in range(3000)),
    "itself": "&a [*a]\n",
    "a section within itself": "deployment: trial\nvenue: &a {name: *a}\n",
    "merged for ever": "a: &a {<<: *a}\n",
    "nothing": "",
    "zeros": "\x00" * 100,
    "another encoding": "deployment: trial".encode("utf-16"),
    "tabs": "deployment:\ttrial\n\tvenue: 1\n",
    "two documents": "deployment: a\n---\ndeployment: b\n",
    "a number without end": f"deployment: trial\naccount: {{daily_loss: {'9' * 100_000}}}\n",
    "a path with a zero": 'deployment: trial\njournal: {path: "a\\0b"}\n',
    "a home of nobody": "deployment: trial\njournal: {path: ~nobody-of-that-name/x}\n",
}


@pytest.mark.parametrize("name", ODD_TEXTS)
def test_odd_text_is_refused_by_name(tmp_path: Path, name: str) -> None:
    text = ODD_TEXTS[name]
    path = tmp_path / "odd.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())

    assert checked(path) is None


def laughs(levels: int, *, merged: bool) -> str:
    """Return a few lines that stand for 10 to the power of `levels`."""
    lines = ["a0: &a0 {x: 1}" if merged else "a0: &a0 [x, x]"]
    for level in range(1, levels + 1):
        ten = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"a{level}: &a{level} {{<<: [{ten}]}}" if merged else f"a{level}: &a{level} [{ten}]")
    return "\n".join([*lines, f"symbols: *a{levels}", "deployment: trial"])


@pytest.mark.parametrize("merged", [False, True], ids=["lists", "merged sections"])
@pytest.mark.timeout(60)
def test_a_few_lines_that_unfold_to_billions_are_refused(tmp_path: Path, merged: bool) -> None:
    path = tmp_path / "laughs.yaml"
    path.write_text(laughs(12, merged=merged))

    assert checked(path) is None


@pytest.mark.timeout(60)
def test_a_file_without_end_is_not_read_to_its_end() -> None:
    with pytest.raises(ConfigError, match="longer than"):
        load_settings(Path("/dev/zero"), {})


@HOUSE
@given(
    name=st.lists(st.sampled_from(["SYMBOLS", "0", "1", "99", "²", "", "AMOUNT", "VENUE", "ACCOUNT", "_"]), max_size=5),
    value=st.one_of(st.sampled_from(["[", "{", "{a: [", "[*a]", "~", "null", "{a: b}", SECRET, "&a [*a]"]), st.text()),
)
@example(name=["SYMBOLS", "²", "AMOUNT"], value="1")
@example(name=["VENUE"], value='{api_key: "\\ud800"}')
@example(name=["VENUE"], value=f"[*{SECRET}]")
def test_the_environment_is_laid_over_it_or_refused(home: Path, name: list[str], value: str) -> None:
    checked(ROOT / "configs" / "practice.yaml", {f"GRIDMESH__{'__'.join(name)}": value})


def gridmesh(*arguments: object) -> tuple[int, str]:
    """Run a verb in this process; returns exit code and all that it said."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(said):
        patch.setattr(sys, "argv", ["gridmesh", *(str(argument) for argument in arguments)])
        patch.setattr(sys, "excepthook", sys.excepthook)
        with pytest.raises(SystemExit) as ended:
            cli.main()
    return int(ended.value.code or 0), said.getvalue()


@settings(HOUSE, max_examples=60)
@given(
    document=documents, verb=st.sampled_from(("run", "check", "show-config", "panic", "drill")), as_json=st.booleans()
)
def test_no_verb_ends_in_a_traceback(home: Path, document: Any, verb: str, as_json: bool) -> None:
    """No key is set, so that nothing is ever started or reached: `run` and the others end with 4 at the latest then.

    On paper no key is needed: those that would read a real venue's prices are left out.
    """
    path = home / "verb.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True))
    found = checked(path)
    if found is not None and (verb == "drill" or (found.is_paper and verb in ("run", "check"))):
        return  # it would run for a minute, or for ever
    code, said = gridmesh(verb, path, *(["--json"] if as_json else []))

    is_harmless = found is not None and (verb == "show-config" or (verb == "panic" and found.is_paper))
    assert code == (0 if is_harmless else 4), said
    assert "Traceback" not in said
    assert "not expected" not in said
    assert SECRET not in said
