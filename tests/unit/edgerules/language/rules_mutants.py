"""Mutants of the evaluator: every operator, constant and condition of its modules, changed one at a time.

A mutant is killed when a test of the semantic corpus fails on it. The corpus is run in this process on a fresh import
of the package with one module changed, which takes milliseconds where a pytest process would take seconds.
"""

from __future__ import annotations

import ast
import copy
import importlib
import inspect
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import edgerules.language

ROOT = Path(edgerules.language.__file__).parent
CORPUS = ("test_rules_functions", "test_rules_semantics", "test_rules_regex")
_SECONDS = 2.0
_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


@dataclass(frozen=True)
class Mutant:
    """`line` is the source line without indentation, which names the mutant even when lines move."""

    module: str
    number: int
    line: str
    change: str
    code: CodeType

    def __str__(self) -> str:
        return f"{self.module}: {self.line} [{self.change}]"


def mutants(module: str) -> Iterator[Mutant]:
    """All mutants of one module, such as `functions.text`."""
    path = _path(module)
    source = path.read_text(encoding="utf-8")
    lines, tree = source.splitlines(), ast.parse(source)
    skipped = _not_semantic(tree)
    for index, node in enumerate(ast.walk(tree)):
        if id(node) in skipped:
            continue
        for change, edit in _edits(node):
            changed = copy.deepcopy(tree)
            twin = list(ast.walk(changed))[index]
            edit(twin)
            number = getattr(node, "lineno", 1)
            code = compile(ast.fix_missing_locations(changed), str(path), "exec")
            yield Mutant(module, number, lines[number - 1].strip(), change, code)


def _path(module: str) -> Path:
    return ROOT.joinpath(*module.split(".")).with_suffix(".py")


def _not_semantic(tree: ast.AST) -> set[int]:
    """Decorators (caches, frozen classes) and the guess at the engine's memory: no verdict depends on them."""
    parts: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            parts += node.decorator_list
            parts += [node] if node.name == "size" else []
        elif isinstance(node, ast.Assign) and "SIZE_LIMIT" in ast.unparse(node.targets[0]):
            parts.append(node)
    return {id(inner) for part in parts for inner in ast.walk(part)}


def _edits(node: ast.AST) -> Iterator[tuple[str, Callable[[Any], None]]]:
    if isinstance(node, ast.Compare):
        swap = _SWAPS.get(type(node.ops[0]))
        if swap:
            yield f"{type(node.ops[0]).__name__} becomes {swap.__name__}", lambda twin: twin.ops.__setitem__(0, swap())
    elif isinstance(node, (ast.BoolOp, ast.BinOp)):
        swap = _SWAPS.get(type(node.op))
        if swap and not _annotation(node):
            yield f"{type(node.op).__name__} becomes {swap.__name__}", lambda twin: setattr(twin, "op", swap())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not is dropped", lambda twin: setattr(twin, "op", ast.UAdd())
    elif isinstance(node, ast.Constant):
        yield from _constants(node)


def _constants(node: ast.Constant) -> Iterator[tuple[str, Callable[[Any], None]]]:
    if isinstance(node.value, bool):
        yield f"{node.value} is negated", lambda twin: setattr(twin, "value", not twin.value)
    elif isinstance(node.value, int):
        yield f"{node.value} grows by one", lambda twin: setattr(twin, "value", twin.value + 1)


def _annotation(node: ast.BoolOp | ast.BinOp) -> bool:
    """`int | None` in a type, which nothing evaluates."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.BitOr):
        return False
    names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
    known = {"bool", "int", "str", "bytes", "IPv4Address", "IPv6Address", "Unknown", "Text", "ByteSet", "Part"}
    none = any(isinstance(part, ast.Constant) and part.value is None for part in ast.walk(node))
    return none or any(name.id in known or (name.id[0].isupper() and not name.id.isupper()) for name in names)


class _Loader(SourceFileLoader):
    def __init__(self, mutant: Mutant) -> None:
        super().__init__(f"edgerules.language.{mutant.module}", str(_path(mutant.module)))
        self._mutant = mutant

    def get_code(self, fullname: str) -> CodeType:
        return self._mutant.code


class _Finder:
    """Gives the mutated module in place of the real one."""

    def __init__(self, mutant: Mutant) -> None:
        self.loader = _Loader(mutant)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != self.loader.name:
            return None
        return importlib.util.spec_from_loader(name, self.loader)


@contextmanager
def _fresh_modules() -> Iterator[None]:
    """Forget the package and the corpus, and bring back what was there at the end."""
    kept = {name: module for name, module in sys.modules.items() if _concerned(name)}
    for name in kept:
        del sys.modules[name]
    try:
        yield
    finally:
        for name in [name for name in sys.modules if _concerned(name)]:
            del sys.modules[name]
        sys.modules.update(kept)


def _concerned(name: str) -> bool:
    return name.partition(".")[0] == "edgerules" or name in (*CORPUS, "rules_support")


def killed(mutant: Mutant | None) -> bool:
    """Whether a test of the corpus fails on the mutant; None stands for the package as it is."""
    finder = _Finder(mutant) if mutant else None
    with _fresh_modules():
        if finder:
            sys.meta_path.insert(0, finder)
        try:
            return not all(_passes(test) for name in CORPUS for test in _calls(importlib.import_module(name)))
        except Exception:  # the mutant does not even load
            return True
        finally:
            if finder:
                sys.meta_path.remove(finder)


def _calls(module: ModuleType) -> Iterator[Callable[[], None]]:
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if not name.startswith("test_"):
            continue
        marks = [mark for mark in getattr(function, "pytestmark", []) if mark.name == "parametrize"]
        if not marks:
            yield function
            continue
        names, rows = marks[0].args
        names = [names] if isinstance(names, str) else names
        for row in rows:
            values = row if len(names) > 1 else [row]
            yield lambda function=function, names=names, values=values: function(
                **dict(zip(names, values, strict=True))
            )


def _passes(call: Callable[[], None]) -> bool:
    """A mutant that loops is stopped by its own processor time, which leaves pytest's alarm alone."""
    previous = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS)
    try:
        call()
    except BaseException:  # pytest's own failures are no Exception
        return False
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous)
    return True


def _stop(number: int, frame: Any) -> None:
    raise TimeoutError
