"""The rules of the house as functions: one source file in, its breaches out.

`test_architecture.py` applies each to every file and to a planted fault. Lists of exceptions stand there, with reasons.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

PACKAGES = ("grid", "risk", "exchanges", "actors")
"""Lowest first: a package imports itself and those before it."""

PURE_PACKAGES = frozenset({"grid", "risk"})
PURE_MODULES = frozenset(
    "__future__ abc base64 bisect collections contextlib copy dataclasses datetime decimal enum fractions functools "
    "hashlib heapq itertools json math numbers operator re statistics string struct types typing zlib".split()
)
"""What the pure core may take from the standard library: nothing here reads a clock, a file, a socket or chance."""

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

CLOCK_NAMES = frozenset(
    f"{kind}{suffix}" for kind in ("time", "monotonic", "perf_counter", "process_time") for suffix in ("", "_ns")
)
DATE_READINGS = frozenset({"now", "utcnow", "today"})
MONEY_WORDS = frozenset(
    "amount balance commission cost equity fee fees funding lot margin notional pnl price prices profit qty quantity "
    "realised realized step steps tick ticks unrealised wallet".split()
)
TIME_UNITS = frozenset({"s", "ms", "us", "ns", "seconds", "minutes", "hours"})
OPEN_ENDS = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b")
HOST_IN_LOCK = re.compile(r"https?://|--(extra-)?index-url|--find-links|--trusted-host|\bgit\+", re.IGNORECASE)
REGISTRY = re.compile(
    r"\b(pypi\.org|python" + r"hosted\.org|npm" + r"js\.(org|com)|(test\.)?py" + r"pi\.python\.org)\b"
)
# The third is a long key, upper and lower case and digits mixed; an alphabet, in which nothing comes twice, is none.
SECRET_SHAPES = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE " + r"KEY-----"),
    re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    re.compile(
        r"""["'](?!(?:([A-Za-z0-9])(?![A-Za-z0-9]*\1))+["'])(?=[A-Za-z0-9]*[a-z])(?=[A-Za-z0-9]*[A-Z])(?=[A-Za-z0-9]*[0-9])[A-Za-z0-9]{40,}["']"""
    ),
    re.compile(r"""(?i)\b(api_?)?(secret|password|token)["']?\s*[:=]\s*["'](?=[^"']*[0-9])[A-Za-z0-9+/_-]{16,}["']"""),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One text file of the tree; `path` is relative to the root, with forward slashes."""

    path: str
    text: str
    nodes: tuple[ast.AST, ...] = field(repr=False, default=())
    """Every node of a Python file: walked once, since many rules look at each."""

    @classmethod
    def of(cls, path: str, text: str) -> Source:
        if path.endswith(".py"):
            return cls(path=path, text=text, nodes=tuple(ast.walk(ast.parse(text, filename=path))))
        return cls(path=path, text=text)

    @property
    def package(self) -> str:
        return self.path.split("/", 1)[0]

    @property
    def is_pure(self) -> bool:
        return self.package in PURE_PACKAGES

    @property
    def is_test(self) -> bool:
        return self.package == "tests"


Rule = Callable[[Source], Iterator[str]]


def imported_modules(source: Source) -> Iterator[tuple[int, str]]:
    """Every module the file names in an import, wherever it stands: in functions, under TYPE_CHECKING, as a string."""
    here = source.path.removesuffix(".py").split("/")
    for node in source.nodes:
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, name.name) for name in names)
            case ast.ImportFrom(module=module, level=0, names=names):
                yield from ((node.lineno, f"{module}.{name.name}") for name in names)
            case ast.ImportFrom(module=module, level=level, names=names):
                base = [*here[:-level], *([module] if module else [])]
                yield from ((node.lineno, ".".join([*base, name.name])) for name in names)
            case (
                ast.Call(func=ast.Name(id="__import__" | "import_module"), args=[ast.Constant(value=str(name)), *_])
                | ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(name)), *_])
            ):
                yield node.lineno, name
            case _:
                pass


def imports_run_one_way(source: Source) -> Iterator[str]:
    """actors -> exchanges -> risk -> grid; tests are imported by nobody."""
    if source.package not in PACKAGES:
        return
    allowed = PACKAGES[: PACKAGES.index(source.package) + 1]
    for line, module in imported_modules(source):
        top = module.partition(".")[0]
        if (top in PACKAGES and top not in allowed) or top == "tests":
            yield f"{source.path}:{line} imports {module}"


def ray_stays_in_runtime(source: Source) -> Iterator[str]:
    if source.is_test or source.path.startswith("actors/runtime/"):
        return
    for line, module in imported_modules(source):
        if module.partition(".")[0] == "ray":
            yield f"{source.path}:{line} imports {module}"


def core_is_pure(source: Source) -> Iterator[str]:
    """grid and risk: a short list of the standard library, no file, no print."""
    if not source.is_pure:
        return
    for line, module in imported_modules(source):
        top = module.partition(".")[0]
        if top not in PACKAGES and top not in PURE_MODULES:
            foreign = "" if top in sys.stdlib_module_names else ", which is not the standard library's"
            yield f"{source.path}:{line} imports {module}{foreign}"
    for node in source.nodes:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"open", "print", "input"}
        ):
            yield f"{source.path}:{node.lineno} calls {node.func.id}"
        if isinstance(node, ast.AsyncFunctionDef):
            yield f"{source.path}:{node.lineno} is async: {node.name}"


def clock_is_an_argument(source: Source) -> Iterator[str]:
    """Naming a clock counts as reading it: a default `clock=time.monotonic` hides one."""
    if source.package not in PACKAGES:
        return
    for node in source.nodes:
        match node:
            case ast.Attribute(value=ast.Name(id="time"), attr=name) if name in CLOCK_NAMES:
                yield f"{source.path}:{node.lineno} reads time.{name}"
            case ast.ImportFrom(module="time", names=names) if any(name.name in CLOCK_NAMES for name in names):
                yield f"{source.path}:{node.lineno} imports a clock from time"
            case ast.Attribute(
                value=ast.Name(id="datetime" | "date") | ast.Attribute(attr="datetime" | "date"), attr=name
            ) if name in DATE_READINGS:
                yield f"{source.path}:{node.lineno} reads {ast.unparse(node)}"
            case _:
                pass


def chance_is_seeded(source: Source) -> Iterator[str]:
    """Chance comes from a `random.Random(seed)` that somebody passed in, so that a run can be repeated."""
    for node in source.nodes:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="random"), attr="Random"), args=[], keywords=[]):
                yield f"{source.path}:{node.lineno} makes a Random without a seed"
            case ast.Attribute(value=ast.Name(id="random"), attr=name) if name != "Random":
                yield f"{source.path}:{node.lineno} uses random.{name}"
            case ast.ImportFrom(module="random", names=names) if [name.name for name in names] != ["Random"]:
                yield f"{source.path}:{node.lineno} imports from random more than Random"
            case ast.Call(func=ast.Name(id="Random"), args=[], keywords=[]):
                yield f"{source.path}:{node.lineno} makes a Random without a seed"
            case _:
                pass


def file_is_short(source: Source) -> Iterator[str]:
    lines = len(source.text.splitlines())
    if source.path.endswith(".py") and lines > FILE_LINES_MAX:
        yield f"{source.path} has {lines} lines"


def functions_are_short(source: Source) -> Iterator[str]:
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{source.path}:{node.lineno} {node.name} has {lines} lines"


def is_broad(caught: ast.expr | None) -> bool:
    match caught:
        case None | ast.Name(id="Exception" | "BaseException"):
            return True
        case ast.Tuple(elts=parts):
            return any(is_broad(part) for part in parts)
        case _:
            return False


def broad_excepts(source: Source) -> Iterator[str]:
    """A handler that ends in a bare `raise` swallows nothing and is not counted; `suppress(Exception)` is."""
    for node in source.nodes:
        match node:
            case ast.ExceptHandler(type=caught, body=[*_, ast.Raise(exc=None)]) if is_broad(caught):
                pass
            case ast.ExceptHandler(type=caught) if is_broad(caught):
                yield f"{source.path}:{node.lineno} catches everything"
            case ast.Call(func=ast.Name(id="suppress") | ast.Attribute(attr="suppress"), args=caught_here) if any(
                is_broad(caught) for caught in caught_here
            ):
                yield f"{source.path}:{node.lineno} suppresses everything"
            case _:
                pass


def is_money(name: str) -> bool:
    """`fee_paid` is, `price_age_ms` is a duration."""
    words = name.lower().strip("_").split("_")
    return words[-1] not in TIME_UNITS and bool(MONEY_WORDS.intersection(words))


def says_float(annotation: ast.expr | None) -> bool:
    return annotation is not None and bool(re.search(r"\bfloat\b", ast.unparse(annotation)))


def named_annotations(source: Source) -> Iterator[tuple[int, str, ast.expr | None]]:
    for node in source.nodes:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name) | ast.Attribute(attr=name), annotation=annotation):
                yield node.lineno, name, annotation
            case ast.arg(arg=name, annotation=annotation):
                yield node.lineno, name, annotation
            case ast.FunctionDef(name=name, returns=annotation) | ast.AsyncFunctionDef(name=name, returns=annotation):
                yield node.lineno, name, annotation
            case _:
                pass


def money_is_never_float(source: Source) -> Iterator[str]:
    """In grid and risk no float at all; elsewhere none where the name says money, and no `float(...)` of it."""
    if source.package not in PACKAGES:
        return
    for line, name, annotation in named_annotations(source):
        if says_float(annotation) and (source.is_pure or is_money(name)):
            yield f"{source.path}:{line} {name} is a float"
    for node in source.nodes:
        match node:
            case ast.Constant(value=float(value)) if source.is_pure:
                yield f"{source.path}:{node.lineno} holds the float {value}"
            case ast.Call(func=ast.Name(id="float"), args=[argument, *_]) if source.is_pure or any(
                is_money(word) for word in re.findall(r"\w+", ast.unparse(argument))
            ):
                yield f"{source.path}:{node.lineno} makes a float of {ast.unparse(argument)}"
            case _:
                pass


def matching_lines(source: Source, pattern: re.Pattern[str], what: str) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), start=1):
        if pattern.search(line):
            yield f"{source.path}:{number} {what}"


def nothing_is_left_open(source: Source) -> Iterator[str]:
    yield from matching_lines(source, OPEN_ENDS, "leaves work open")


def lock_names_no_host(source: Source) -> Iterator[str]:
    if source.path.endswith(".lock"):
        yield from matching_lines(source, HOST_IN_LOCK, "names where to install from")


def no_registry_is_named(source: Source) -> Iterator[str]:
    yield from matching_lines(source, REGISTRY, "names a package registry")


def no_secret_is_written_down(source: Source) -> Iterator[str]:
    if source.path.endswith(".lock"):
        return
    for shape in SECRET_SHAPES:
        yield from matching_lines(source, shape, "looks like a secret")
