"""Writes errors.md, the catalogue of what hebbscope refuses, from the code that refuses it.

    python docs/errors.py

A test holds the file against what this would write.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
FOLDERS = ("simulator", "rules", "models", "analysis", "verification", "")
RULES = {"finite": "must be finite", "positive": "must be finite and > 0", "non_negative": "must be finite and >= 0"}
BOUNDS = {"w_min": "must be a number", "w_max": "must be > w_min = …"}  # refused by bounds_in_order
# How many arguments say what is wrong.
NAMED = {"ParameterError": 3, "self._refuse": 2, "self._refuse_approximation": 2, "DescriptionError": 2, "require": 4}
PLAIN = ("HebbscopeError", "DamagedFile", "Runaway", "click.UsageError")

HEAD = """# What is refused

Every mistake is one line on standard error that names what is wrong, where, and the value, and exit code 2; nothing is written then. Python raises the
same line as a `HebbscopeError`. `…` stands for names and values. Written by `python docs/errors.py` from the code, file by file.
"""


class Refusal(NamedTuple):
    """where: a part or file; field: what is wrong in it, or empty; rule: the words."""

    where: str
    field: str
    rule: str


def words(node: ast.expr) -> str:
    """The text of an expression, `…` for what is only known when it happens."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=pieces):
            return "".join(words(piece) for piece in pieces)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return words(left) + words(right)
        case ast.Call(func=ast.Name(id="_with_unit"), args=[text, *_]):
            return words(text)
    return "…"


def refusals(node: ast.AST, where: str) -> Iterator[Refusal]:
    """Of a module, a class or a statement, in the order of the code."""
    for child in ast.iter_child_nodes(node):
        inside = child.name if isinstance(child, ast.ClassDef) else where
        if isinstance(child, ast.Call):
            yield from _of_call(child, where)
        yield from refusals(child, inside)


def _of_call(call: ast.Call, where: str) -> Iterator[Refusal]:
    name = ast.unparse(call.func)
    own = len(call.args) > 1 and ast.unparse(call.args[1 if name == "require" else 0]) == "self"
    if name in RULES and own:
        yield from (Refusal(where, words(field), RULES[name]) for field in call.args[1:])
    elif name == "bounds_in_order":
        yield from (Refusal(where, field, rule) for field, rule in BOUNDS.items())
    elif name == "within" and own:
        low, high = map(ast.unparse, call.args[2:4])
        yield Refusal(where, words(call.args[1]), f"must be finite and in [{low}, {high}]")
    elif name in NAMED and len(call.args) >= NAMED[name]:
        *_, field, rule = map(words, call.args[: NAMED[name]])
        yield Refusal(where, field, rule)
    elif name in PLAIN and call.args:
        yield Refusal(where, "", words(call.args[0]))


def catalogue() -> str:
    """The whole page."""
    lines = [HEAD]
    for folder in FOLDERS:
        files = sorted((HERE.parent / folder).glob("**/*.py" if folder else "cli.py"))
        for path in files:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found = [r for r in dict.fromkeys(refusals(tree, "")) if set(f"{r.field}{r.rule}") - {"…", " ", ":"}]
            if found:
                title = (ast.get_docstring(tree) or path.stem).splitlines()[0].rstrip(".")
                lines += [f"## {path.relative_to(HERE.parent)}", "", title + ".", "", *map(_line, found), ""]
    return "\n".join(lines).rstrip() + "\n"


def _line(refusal: Refusal) -> str:
    where = ".".join(filter(None, (refusal.where, refusal.field)))
    return f"- `{where}: {refusal.rule}`" if refusal.field else f"- `{refusal.rule}`"


if __name__ == "__main__":
    (HERE / "errors.md").write_text(catalogue(), encoding="utf-8")
