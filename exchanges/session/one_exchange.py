"""One exchange of ccxt without the hundred others that its package imports: half a second and 50 MB a process."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

ROOT = "ccxt"
PARENTS = (ROOT, f"{ROOT}.async_support")


def ccxt_class(name: str) -> Any:
    """Return ccxt's asynchronous class of an exchange.

    Where ccxt is not imported yet, its packages stand empty while the one module and what that needs are imported, and
    are forgotten afterwards: whoever imports ccxt later gets all of it, by copies of its own.
    """
    if ROOT in sys.modules:
        return getattr(import_module(f"{ROOT}.async_support.{name}"), name)
    try:
        for parent in PARENTS:
            sys.modules[parent] = _empty(parent)
        root = sys.modules[ROOT]
        # what its own modules take from the package
        vars(root).update(_public(import_module(f"{ROOT}.base.errors")))
        vars(root).update(_public(import_module(f"{ROOT}.base.exchange")))
        return getattr(import_module(f"{ROOT}.async_support.{name}"), name)
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
