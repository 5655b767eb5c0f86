"""deploy/SCENARIOS.md names tests that exist, for every case, and forgets no test of a case."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAP = ROOT / "deploy" / "SCENARIOS.md"
CASES = range(1, 18)
ROW = re.compile(r"^\| *(\d+) \|", re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def names_in(path: Path) -> set[str]:
    found = ast.walk(ast.parse(path.read_text()))
    functions = (one.name for one in found if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
    return {name for name in functions if name.startswith("test_")}


def test_every_case_has_a_row_with_a_test() -> None:
    rows = [line for line in MAP.read_text().splitlines() if ROW.match(line)]

    assert {int(line.split("|")[1]) for line in rows} == set(CASES)
    assert [line for line in rows if not NAMED.search(line)] == []


@pytest.mark.parametrize(
    ("path", "name"), [pytest.param(*pair, id="::".join(pair)) for pair in NAMED.findall(MAP.read_text())]
)
def test_what_is_named_exists(path: str, name: str) -> None:
    found = names_in(ROOT / path)

    assert found, f"{path} holds no test"
    assert not name or name in found


def test_no_test_of_a_case_is_forgotten() -> None:
    named = {path for path, _ in NAMED.findall(MAP.read_text())}
    written = {str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_scenario_*.py")}

    assert written - named <= {"tests/venue/test_scenario_00_first_light.py"}
