"""Every number that is declared is shown by somebody, with the tags that it was declared with, and no other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DECLARING = ROOT / "actors" / "runtime" / "metric_names.py"
VERBS = {"set", "count", "observe", "_grow"}
NOT_TAGS = {"by"}


def declared() -> dict[str, set[str]]:
    """Return the declared names with their tags."""
    for node in ast.walk(ast.parse(DECLARING.read_text())):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "DECLARED":
            assert isinstance(node.value, ast.Dict)
            return {str(ast.literal_eval(key)): tags(value) for key, value in _pairs(node.value)}
    raise AssertionError("nothing is declared")


def _pairs(table: ast.Dict) -> Iterator[tuple[ast.expr, ast.Call]]:
    for key, value in zip(table.keys, table.values, strict=True):
        assert key is not None
        assert isinstance(value, ast.Call)
        yield key, value


def tags(call: ast.Call) -> set[str]:
    return next((set(ast.literal_eval(one.value)) for one in call.keywords if one.arg == "tags"), set())


def shown(source: str) -> Iterator[tuple[str, set[str]]]:
    """Yield each series that the source sets or counts, with its tags."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in VERBS
            and node.args
        ):
            name = node.args[0]
            if isinstance(name, ast.Constant) and str(name.value).startswith("gridmesh_"):
                yield str(name.value), {str(one.arg) for one in node.keywords} - NOT_TAGS


def test_declared_and_shown_are_the_same() -> None:
    files = [path for path in (ROOT / "actors").rglob("*.py") if path != DECLARING]
    found = [one for path in files for one in shown(path.read_text())]

    assert {name for name, _ in found} == set(declared())
    wrong = [(name, used, declared()[name]) for name, used in found if used != declared()[name]]
    assert wrong == []


def test_a_series_that_nobody_shows_would_be_seen() -> None:
    assert dict(shown('g.set("gridmesh_lots", 3, symbol="X")')) == {"gridmesh_lots": {"symbol"}}
    assert dict(shown('note("gridmesh_lots")')) == {}
