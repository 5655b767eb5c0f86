"""The grid's own specification names code and tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT

SPEC = (ROOT / "grid" / "SPEC.md").read_text(encoding="utf-8")
ROWS = [row.split("|")[1:4] for row in SPEC.partition("## Where each rule is")[2].splitlines() if row.startswith("| ")]
BY_RULE = {rule.strip(): (code, tests) for rule, code, tests in ROWS}


@cache
def names_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    values = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return frozenset(named | values)


def references(cell: str) -> list[tuple[str, bool, list[str]]]:
    """The files that a cell names, whether each is a property test, and the names it says are in it."""
    found = re.findall(r"(P )?`([a-z_]+\.py)(?:: ([^`]*))?`", cell)
    return [(file, bool(is_property), names.split(", ") if names else []) for is_property, file, names in found]


def test_every_rule_stands_in_the_text_and_in_the_table() -> None:
    told = {int(number) for number in re.findall(r"^(\d+)\. ", SPEC, flags=re.MULTILINE)}

    assert told == set(range(1, 25))
    assert {str(number) for number in told} <= set(BY_RULE)


@pytest.mark.parametrize("rule", [rule for rule in BY_RULE if rule != "rule"])
def test_what_a_row_names_exists(rule: str) -> None:
    code, tests = BY_RULE[rule]
    named_code = [(ROOT / "grid" / file, names) for file, _, names in references(code)]
    named_tests = [
        (ROOT / "tests" / ("property" if is_property else "unit") / file, names)
        for file, is_property, names in references(tests)
    ]

    assert named_tests
    for path, names in named_code + named_tests:
        assert path.is_file(), path
        for name in (part for entry in names for part in entry.split(".")):
            stem = name.removesuffix("*")
            known = [have for have in names_in(path) if have == name or (name != stem and have.startswith(stem))]
            assert known, f"{path.name}: {name}"
