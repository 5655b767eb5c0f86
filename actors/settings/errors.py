"""Says what is wrong with a configuration: the key as written, the value unless it may be a secret, the rule."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Any, NoReturn, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from actors.redaction import HIDDEN, looks_secret, may_be_secret
from actors.settings.fields import BROKEN_RULES
from actors.settings.text import key_words
from grid.errors import ConfigError

Location = tuple[int | str, ...]
SHOWN_MAX = 80

RULES = {
    "greater_than": "has to be above {gt}",
    "greater_than_equal": "has to be at least {ge}",
    "less_than": "has to be below {lt}",
    "less_than_equal": "has to be at most {le}",
    "decimal_parsing": "has to be a number",
    "decimal_type": "has to be a number",
    "finite_number": "has to be a finite number",
    "int_parsing": "has to be a whole number",
    "int_type": "has to be a whole number",
    "int_from_float": "has to be a whole number",
    "int_parsing_size": "has too many digits",
    "decimal_max_digits": "has too many digits",
    "bool_parsing": "has to be true or false",
    "bool_type": "has to be true or false",
    "string_type": "has to be text",
    "literal_error": "has to be one of {expected}",
    "enum": "has to be one of {expected}",
    "tuple_type": "has to be a list",
    "list_type": "has to be a list",
    "model_type": "has to be a section of keys",
    "too_short": "needs at least {min_length} item",
    "missing": "is required",
}


class ConfigErrors(ConfigError):
    """Several keys are wrong; `errors` holds each, and the message lists them all."""

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        super().__init__(errors[0].key, errors[0].value, errors[0].rule)
        self.errors = tuple(errors)
        self.args = ("\n".join([f"{len(errors)} settings are wrong:", *(f"  {error}" for error in errors)]),)


def raise_config_errors(model: type[BaseModel], error: ValidationError) -> NoReturn:
    """Raise the reader's form of a failed validation: one `ConfigError`, or all of them together."""
    details = error.errors(include_url=False)
    errors = [found for detail in details if not _is_echo(detail, details) for found in _explain(model, detail)]
    raise errors[0] if len(errors) == 1 else ConfigErrors(errors)


def _is_echo(detail: ErrorDetails, details: Sequence[ErrorDetails]) -> bool:
    """Whether a list counts as too short only because the items in it are wrong."""
    location = detail["loc"]
    inside = any(len(other["loc"]) > len(location) and other["loc"][: len(location)] == location for other in details)
    return detail["type"] == "too_short" and inside


def _explain(model: type[BaseModel], detail: ErrorDetails) -> Iterator[ConfigError]:
    location = detail["loc"]
    context: dict[str, Any] = detail.get("ctx", {})
    if detail["type"] == BROKEN_RULES:
        for key, value, rule in context["broken"]:
            yield ConfigError(dotted((*location, key)), _shown((key,), value), rule)
    elif detail["type"] == "extra_forbidden":
        yield ConfigError(dotted(location), _shown(location, detail["input"]), _unknown(model, location))
    else:
        value = "(missing)" if detail["type"] == "missing" else _shown(location, detail["input"])
        yield ConfigError(dotted(location), value, _rule(detail, context, field_at(model, location)))


def _rule(detail: ErrorDetails, context: dict[str, Any], field: FieldInfo | None) -> str:
    extra = field.json_schema_extra if field else None
    own = extra.get("rule") if isinstance(extra, dict) and detail["type"].startswith("string_pattern") else None
    rule = (
        str(own)
        if own
        else RULES[detail["type"]].format(**{name: _bound(value) for name, value in context.items()})
        if detail["type"] in RULES
        else detail["msg"]
    )
    return f"{rule} ({field.description})" if field and field.description else rule


def _bound(value: Any) -> str:
    """Return a bound as it is written in the file; some arrive as the text of a Python object."""
    return re.sub(r"Decimal\('([^']*)'\)", r"\1", str(value))


def _unknown(model: type[BaseModel], location: Location) -> str:
    """Say that there is no such key, and which one was probably meant."""
    name = str(location[-1])
    if looks_secret(name):
        return "secrets never stand here: name a variable in venue.api_key_env, or a private file in venue.api_key_file"
    siblings = sorted(section_at(model, location[:-1]).model_fields)
    prefix = location[:-1]
    near = [dotted((*prefix, key)) for key in difflib.get_close_matches(name, siblings, n=1, cutoff=0.6)]
    elsewhere = [key for key in known_keys(model) if re.split(r"[.\]]+", key)[-1] == name]
    if near or elsewhere:
        return f"no such key; did you mean {(near or elsewhere)[0]}?"
    return f"no such key; known here: {', '.join(siblings)}"


def known_keys(model: type[BaseModel], prefix: str = "") -> dict[str, FieldInfo]:
    """Return every key that may stand in a configuration, as `symbols[].amount`, with its field."""
    keys: dict[str, FieldInfo] = {}
    for name, field in model.model_fields.items():
        section, many = _section_of(field)
        path = f"{prefix}{name}{'[]' if many else ''}"
        if section is None:
            keys[path] = field
        else:
            keys.update(known_keys(section, f"{path}."))
    return keys


def section_at(model: type[BaseModel], location: Location) -> type[BaseModel]:
    """Return the section that a location lies in; list numbers are stepped over."""
    for step in location:
        field = model.model_fields.get(str(step)) if isinstance(step, str) else None
        section = _section_of(field)[0] if field else None
        model = section or model
    return model


def field_at(model: type[BaseModel], location: Location) -> FieldInfo | None:
    """Return the field that a location ends at, or of the list that it points into."""
    named = [index for index, step in enumerate(location) if isinstance(step, str)]
    if not named:
        return None
    return section_at(model, location[: named[-1]]).model_fields.get(str(location[named[-1]]))


def _section_of(field: FieldInfo) -> tuple[type[BaseModel] | None, bool]:
    """Return the section that a field holds, and whether it holds a list of them."""
    kind = field.annotation
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind, False
    for inner in get_args(kind):
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            return inner, not isinstance(kind, UnionType)
    return None, False


def dotted(location: Location) -> str:
    """Write a location as it reads in the file: `symbols[0].amount`."""
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{key_words(step)}"
    return text.lstrip(".") or "configuration"


def _shown(location: Location, value: object) -> str:
    if any(looks_secret(str(step)) for step in location) or may_be_secret(value):
        return HIDDEN
    if isinstance(value, dict | list | tuple):
        return "a section" if isinstance(value, dict) else "a list"
    return text if len(text := str(value)) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}..."
