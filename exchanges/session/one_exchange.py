"""One exchange of ccxt without the hundred others that its package imports: half a second and 50 MB a process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = "ccxt"
REST, STREAMS = f"{ROOT}.async_support", f"{ROOT}.pro"
PARENTS = (ROOT, REST, STREAMS)


def ccxt_class(name: str) -> Any:
    """Return ccxt's asynchronous class of an exchange.

    Where ccxt is not imported yet, its packages stand empty while the one module and what that needs are imported, and
    are forgotten afterwards: whoever imports ccxt later gets all of it, by copies of its own.
    """
    with _alone():
        return getattr(import_module(f"{REST}.{name}"), name)


def ccxt_streaming(name: str) -> tuple[Any, type[Exception]]:
    """Return ccxt's class of an exchange with its streams, and the base of the errors that this very class raises."""
    with _alone() as is_alone:
        import_module(f"{REST}.{name}")
        if is_alone:
            # what inherits from an exchange looks for its class where the package, filled, would have it
            package = sys.modules[REST]
            for path, module in list(sys.modules.items()):
                parent, _, short = path.rpartition(".")
                if parent == REST and hasattr(module, short):
                    setattr(package, short, getattr(module, short))
        found = getattr(import_module(f"{STREAMS}.{name}"), name)
        return found, import_module(f"{ROOT}.base.errors").BaseError


@cache
def streaming_names() -> tuple[str, ...]:
    """Return which exchanges ccxt has streams of, without importing any."""
    spec = find_spec(ROOT)
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    found = {one.stem for place in places for one in Path(place, "pro").glob("*.py")}
    return tuple(sorted(name for name in found if not name.startswith("_")))


@contextmanager
def _alone() -> Iterator[bool]:
    """Have ccxt's packages empty for a while; nothing is done where they are filled already."""
    if ROOT in sys.modules:
        yield False
        return
    try:
        for parent in PARENTS:
            sys.modules[parent] = _empty(parent)
        root = sys.modules[ROOT]
        # what its own modules take from the package
        vars(root).update(_public(import_module(f"{ROOT}.base.errors")))
        vars(root).update(_public(import_module(f"{ROOT}.base.exchange")))
        vars(root).update(async_support=sys.modules[REST], pro=sys.modules[STREAMS])
        yield True
    finally:
        for module in [one for one in sys.modules if one == ROOT or one.startswith(f"{ROOT}.")]:
            del sys.modules[module]


def _empty(package: str) -> ModuleType:
    module = ModuleType(package)
    if package == ROOT:
        spec = find_spec(ROOT)
        module.__path__ = list(spec.submodule_search_locations or ()) if spec is not None else []
    else:
        module.__path__ = [f"{place}/{package.rpartition('.')[2]}" for place in sys.modules[ROOT].__path__]
    return module


def _public(module: ModuleType) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if not name.startswith("_")}
