"""The building blocks of the settings: a strict section, exact numbers, and rules that name their key."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo
from pydantic_core import PydanticCustomError

BROKEN_RULES = "broken_rules"
BASE_FOLDER = "base_folder"
EXPONENT_MAX = 12
DIGITS_MAX = 40
PLACE = r"^[A-Za-z][A-Za-z0-9_-]{0,62}$"
"""A custom resource of Ray, by which nodes are told apart."""
BOUNDS_RULE = "has to be 0, or between 0.000000000001 and 9999999999999"


class Section(BaseModel):
    """A part of the settings: frozen, every key known, no value shown by accident in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True)


def broken(rules: Iterable[tuple[str, object, str]]) -> None:
    """Raise if any rule between keys is broken; each is (key inside this section, value, rule)."""
    found = list(rules)
    if found:
        raise PydanticCustomError(BROKEN_RULES, "broken rules between keys", {"broken": found})


def fraction(value: Any) -> Any:
    """Take `8%` for 0.08; anything else is judged as it stands."""
    if isinstance(value, str) and value.strip().endswith("%") and value.strip()[:-1].replace(".", "", 1).isdigit():
        return str(Decimal(value.strip()[:-1]) / 100)
    return value


def _exact(value: Any) -> Any:
    if isinstance(value, float):
        raise PydanticCustomError("inexact", "has to be written as text or a whole number, so that 0.1 stays 0.1")
    return value


def _bounded(value: Decimal) -> Decimal:
    """Refuse what no price, amount or time can be, and exact arithmetic could not hold."""
    if not value.is_finite():
        raise PydanticCustomError("inexact", "has to be a finite number")
    if value and abs(value.adjusted()) > EXPONENT_MAX:
        raise PydanticCustomError("out_of_bounds", BOUNDS_RULE)
    if len(value.as_tuple().digits) > DIGITS_MAX:
        raise PydanticCustomError("out_of_bounds", "has more digits than any price or amount")
    return value


def _against_base(path: Path, info: ValidationInfo) -> Path:
    try:
        path = path.expanduser()
    except RuntimeError:
        raise PydanticCustomError("no_home", "begins with the home folder of somebody who has none here") from None
    if not str(path).isprintable():
        raise PydanticCustomError("unprintable", "holds a character that no file name should")
    base = (info.context or {}).get(BASE_FOLDER)
    return path if path.is_absolute() or base is None else Path(base) / path


Exact = Annotated[Decimal, BeforeValidator(_exact), AfterValidator(_bounded)]
"""A number that was never a float, of a size that a price, an amount or a time can have."""

File = Annotated[Path, AfterValidator(_against_base)]
"""A path; a relative one starts at the folder of the configuration file, `~` is the home folder."""
