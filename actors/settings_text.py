"""Reads settings as text: YAML whose numbers stay text, and the environment laid over it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from grid.errors import ConfigError

PREFIX = "GRIDMESH__"


class TextLoader(yaml.SafeLoader):
    """YAML with null as its only special word: `0.1`, `yes` and `2026-01-01` stay as written. Keys stand once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Build the mapping; a key that stands twice is an error, not a choice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise ConfigError(
                    str(key.value), "(twice)", f"stands twice in one section (line {key.start_mark.line + 1})"
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


TextLoader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern) for tag, pattern in resolvers if tag in ("tag:yaml.org,2002:null", "tag:yaml.org,2002:merge")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse(text: str, source: str) -> Any:
    """Return the YAML document; raises `ConfigError` with the line where it is no YAML."""
    try:
        return yaml.load(text, TextLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        problem = getattr(error, "problem", None) or "not readable"
        raise ConfigError(source, where, f"is no valid YAML: {problem}") from None


def read(path: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the file's mapping with the environment's values over it."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError("configuration", path, "no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("configuration", path, f"cannot be read: {error}") from error
    document = parse(text, str(path))
    if document is None:
        document = {}
    if not isinstance(document, dict):
        raise ConfigError(
            "configuration",
            path,
            f"has to hold sections (key: value), not {'a list' if isinstance(document, list) else 'text'}",
        )
    # a section whose every key is commented out reads as null, and means its defaults
    document = {key: value for key, value in document.items() if value is not None}
    for name in sorted(environ):
        if name.startswith(PREFIX):
            _lay(document, name, _environment_value(environ[name], name))
    return document


def _environment_value(text: str, name: str) -> Any:
    """Return the text as it is; a list, a section or null may be given in YAML's flow form."""
    stripped = text.strip()
    return parse(stripped, name) if stripped[:1] in ("[", "{") or stripped in ("null", "~") else text


def _lay(document: dict[str, Any], name: str, value: Any) -> None:
    """Put one environment value in its place; missing sections and the next list item are made on the way."""
    steps = name.removeprefix(PREFIX).lower().split("__")
    if not all(steps):
        raise ConfigError(name, "(hidden)", "has an empty part: write GRIDMESH__SECTION__KEY")
    place: Any = document
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        key = _key(place, step, name)
        if following is None:
            _put(place, key, value)
            return
        below = place[key] if isinstance(place, dict) and key in place else None
        if isinstance(place, list) and key < len(place):
            below = place[key]
        if not isinstance(below, dict | list):
            below = [] if following.isdigit() else {}
            _put(place, key, below)
        place = below


def _key(place: Any, step: str, name: str) -> Any:
    if isinstance(place, dict):
        return step
    if not step.isdigit():
        raise ConfigError(name, "(hidden)", f"names a list item by its number, 0 to {len(place)}, not by {step!r}")
    if int(step) > len(place):
        raise ConfigError(name, "(hidden)", f"skips list items: the next free number is {len(place)}")
    return int(step)


def _put(place: Any, key: Any, value: Any) -> None:
    if isinstance(place, list) and key == len(place):
        place.append(value)
    else:
        place[key] = value
