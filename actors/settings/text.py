"""Reads settings as text: YAML whose numbers stay text, and the environment laid over it."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from copy import copy
from pathlib import Path
from typing import Any

import yaml

from actors.redaction import HIDDEN, may_be_secret
from grid.errors import ConfigError

PREFIX = "GRIDMESH__"
BYTES_MAX = 512 * 1024
"""Two hundred symbols with every key written out take a fifth of it."""
KEYS_MAX = 1000
"""Most keys of one section, those merged into it counted."""
DEPTH_MAX = 20
KEY_SHOWN_MAX = 60


class TextLoader(yaml.SafeLoader):
    """YAML with null as its only special word: `0.1`, `yes` and `2026-01-01` stay as written. Keys stand once."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Build a part; parts within parts within parts are no settings."""
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise ConfigError("configuration", "(hidden)", f"is nested more than {DEPTH_MAX} deep")
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge what `<<` names, within bounds: a few lines that name each other could unfold to billions of keys."""
        self._depth += 1
        if self._depth <= DEPTH_MAX:
            super().flatten_mapping(node)
        self._depth -= 1
        if len(node.value) > KEYS_MAX or self._depth >= DEPTH_MAX:
            raise ConfigError("<<", "(hidden)", f"merges more than {KEYS_MAX} keys into one section, or itself")

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Build the mapping; a key that stands twice is an error, not a choice."""
        seen: set[str] = set()
        for key, _ in node.value:
            line = f"(line {key.start_mark.line + 1})"
            if not isinstance(key, yaml.ScalarNode):
                raise ConfigError("configuration", "a key", f"has to be a word, and is a section or a list {line}")
            if key.value in seen:
                raise ConfigError(key_words(key.value), "(twice)", f"stands twice in one section {line}")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


TextLoader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern) for tag, pattern in resolvers if tag in ("tag:yaml.org,2002:null", "tag:yaml.org,2002:merge")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
# a tag that makes a number, a time or an object of a text would get round the rules of the settings
TextLoader.yaml_constructors = {
    tag: build
    for tag, build in yaml.SafeLoader.yaml_constructors.items()
    if tag is None or tag.rpartition(":")[2] in ("null", "str", "seq", "map")
}


def parse(text: str, source: str) -> Any:
    """Return the YAML document; raises `ConfigError` with the line where it is no YAML."""
    try:
        document = yaml.load(text, TextLoader)
        _refuse_unprintable(document, source)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        problem = _QUOTED.sub("(hidden)", getattr(error, "problem", None) or "not readable")
        raise ConfigError(source, where, f"is no valid YAML: {problem}") from None
    except (ValueError, OverflowError, RecursionError):
        # the library says so of escapes that stand for no character, and of brackets without end
        raise ConfigError(source, "somewhere", "is no valid YAML: not readable") from None
    return document


_QUOTED = re.compile(r"'(?!<)[^']{4,}'")
"""What an error of the YAML library quotes of the file: names of anchors and tags, and so perhaps a password."""


def _refuse_unprintable(document: Any, source: str) -> None:
    """Raise `ConfigError` for half characters and zeros: no file, log or name can hold them."""
    waiting: list[Any] = [document]
    seen: set[int] = set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and ("\0" in value or (not value.isascii() and _SURROGATE.search(value))):
            raise ConfigError(source, HIDDEN, "holds a character that cannot be written")
        if isinstance(value, dict | list) and id(value) not in seen:
            # a part that stands in many places is one part, and looked at once
            seen.add(id(value))
            waiting += [*value, *value.values()] if isinstance(value, dict) else value


_SURROGATE = re.compile("[\ud800-\udfff]")


def key_words(key: str) -> str:
    """Return a key that an error may show: no secret, and of a key's length."""
    return HIDDEN if may_be_secret(key) else key if len(key) <= KEY_SHOWN_MAX else f"{key[:KEY_SHOWN_MAX]}..."


def read(path: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the file's mapping with the environment's values over it."""
    try:
        text = _text_of(path)
    except FileNotFoundError:
        raise ConfigError("configuration", path, "no such file") from None
    except IsADirectoryError:
        raise ConfigError("configuration", path, "is a folder; name the file in it") from None
    except OSError as error:
        raise ConfigError("configuration", path, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError("configuration", path, "is no text in UTF-8") from None
    except ValueError:
        raise ConfigError("configuration", repr(str(path)), "is no name of a file") from None
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


def _text_of(path: Path) -> str:
    """Return the file's text; a file without end is broken off."""
    with path.open("rb") as file:
        raw = file.read(BYTES_MAX + 1)
    if len(raw) > BYTES_MAX:
        raise ConfigError("configuration", path, f"is longer than {BYTES_MAX // 1024} KiB: that is no configuration")
    return raw.decode("utf-8")


def _environment_value(text: str, name: str) -> Any:
    """Return the text as it is; a list, a section or null may be given in YAML's flow form."""
    stripped = text.strip()
    if stripped[:1] in ("[", "{") or stripped in ("null", "~"):
        return parse(stripped, name)
    _refuse_unprintable(text, name)
    return text


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
        if isinstance(below, dict | list):
            # A part of its own from here on: an anchor may have put the same one in other places too.
            below = copy(below)
        else:
            below = [] if _is_number(following) else {}
        _put(place, key, below)
        place = below


def _key(place: Any, step: str, name: str) -> Any:
    if isinstance(place, dict):
        return step
    if not _is_number(step):
        raise ConfigError(
            name, "(hidden)", f"names a list item by its number, 0 to {len(place)}, not by {key_words(step)!r}"
        )
    if int(step) > len(place):
        raise ConfigError(name, "(hidden)", f"skips list items: the next free number is {len(place)}")
    return int(step)


def _is_number(step: str) -> bool:
    return step.isascii() and step.isdigit() and len(step) <= 4


def _put(place: Any, key: Any, value: Any) -> None:
    if isinstance(place, list) and key == len(place):
        place.append(value)
    else:
        place[key] = value
