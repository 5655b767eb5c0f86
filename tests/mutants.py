"""What becomes of a sound document on a bad day: fields of a wrong kind, missing, null, huge, doubled or elsewhere."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

Place = tuple[str | int, ...]

ODD: tuple[Any, ...] = (
    *(None, True, False, "", " ", [], {}, [[]], {"a": None}, ["ETHUSDT"], {"symbol": "ETHUSDT"}),
    *(0, -1, 1, 2**31, 2**53, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), 1e308, 1e-300, -0.0, 0.1),
    *("0", "-0", "-1", "1", "0.5", "NaN", "nan", "sNaN", "Infinity", "-inf", "1e400", "1E-400", "1e999999999"),
    *("9" * 30, "9" * 5000, "0." + "1" * 60, "1e15", "9e15", "1e-24", "1_000", "٣", "²", "0x10", "1,5", "+1"),
    *("BUY", "SELL", "LONG", "FILLED", "TRADE", "CANCELED", "é" * 400, "\x00", "\u202e", "<html>", "x" * 2000),
    *("NOPEUSDT", "ETHUSDT", "null", "true", "12345678901234567890123456789012345"),
)
"""Values that a parser may stumble over, whatever stands there by right."""

odd_values = st.one_of(
    st.sampled_from(ODD).map(copy.deepcopy),
    st.integers(),
    st.text(alphabet=st.characters(codec="utf-8"), max_size=12),
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
)


def places(document: Any, at: Place = ()) -> Iterator[Place]:
    """Yield every place in a document, the whole first."""
    yield at
    if isinstance(document, dict):
        for key, inner in document.items():
            yield from places(inner, (*at, key))
    elif isinstance(document, list):
        for index, inner in enumerate(document):
            yield from places(inner, (*at, index))


@st.composite
def mutants(draw: st.DrawFn, document: Any) -> Any:
    """Draw the document with one to three places changed."""
    changed = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(list(places(changed))))
        changed = _changed(draw, changed, place)
    return changed


def _changed(draw: st.DrawFn, document: Any, place: Place) -> Any:
    if not place:
        # rarely the whole: little would be learnt from it
        return draw(odd_values) if draw(st.integers(0, 9)) == 0 else document
    home = document
    for step in place[:-1]:
        home = home[step]
    act = draw(st.sampled_from(("put", "put", "put", "drop", "double", "wrap", "swap")))
    last: Any = place[-1]
    if act == "put":
        home[last] = draw(odd_values)
    elif act == "drop":
        del home[last]
    elif act == "double" and isinstance(home, list):
        home.insert(last, copy.deepcopy(home[last]))
    elif act == "wrap":
        home[last] = draw(st.sampled_from(([home[last]], {"data": home[last]}, str(home[last]))))
    else:
        other = draw(st.sampled_from(list(home) if isinstance(home, dict) else range(len(home))))
        home[last], home[other] = home[other], home[last]
    return document


@st.composite
def spoilt_text(draw: st.DrawFn, text: bytes) -> bytes:
    """Draw the text cut short, with bytes lost, changed or repeated, or something else altogether."""
    act = draw(st.sampled_from(("cut", "change", "repeat", "drop", "replace")))
    begin = draw(st.integers(0, max(0, len(text) - 1)))
    if act == "cut":
        return text[:begin]
    if act == "change":
        return text[:begin] + draw(st.binary(min_size=1, max_size=3)) + text[begin + 1 :]
    if act == "repeat":
        return text[:begin] + text[max(0, begin - 20) :]
    if act == "drop":
        return text[:begin] + text[begin + draw(st.integers(1, 30)) :]
    whole = [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"NaN",
        b"<!DOCTYPE html><html><h1>502 Bad Gateway</h1></html>",
        b"\xff\xfe\x00",
    ]
    return draw(st.sampled_from([*whole, b'{"code":-1000,"msg":"busy"}', b"[" * 5000, b'{"a":' * 2000, b"9" * 9999]))
