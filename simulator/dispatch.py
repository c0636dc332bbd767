"""The one place that makes the hooks of parts, and the helpers they call, visible to numba.

`expose(function, values)` starts from the names that a loop refers to. A name that is a method of a part or state in use is registered
once for all named tuples (`overload_method` on BaseNamedTuple): numba then asks, for each type it meets, for that class's own function.
The names which that method refers to follow. Plain functions marked `@helper` are registered likewise. Hooks are rebuilt
without annotations, which numba refuses on arguments.
"""

from __future__ import annotations

import inspect
import types as python_types
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .ahead import register as register_ahead
from .inlining import pipelines
from .meeting import register as register_meeting
from .near import register as register_near
from .packing import packed_type
from .protocols import HELPERS, HOOKS, HebbscopeError, is_part
from .synapses import SparseSynapses

# Hooks allocate nothing: without numba's runtime nobody counts references to the arrays of a state, which would cost ten times the work.
# They are inlined, and nobody calls them from C. Division by zero gives inf, so that no division branches.
OPTIONS = {"_nrt": False, "forceinline": True, "no_cfunc_wrapper": True, "error_model": "numpy"}

# numba tells attributes of named tuples by their names alone: a field of such a name, of a part or a state, would hide the method of all.
RESERVED = {"rates"} | {name for hooks in HOOKS.values() for name in hooks}
RESERVED |= {
    name
    for name, value in vars(SparseSynapses).items()
    if isinstance(value, python_types.FunctionType) and name[0] != "_"
}

_methods: dict[str, Callable] = {}  # the first of each name
_helpers: set[int] = set()


def classes_of(values: Iterable[Any]) -> list[type]:
    """The NamedTuple classes of the values and, field by field, of what they hold."""
    found: dict[type, None] = {}
    for value in values:
        if is_part(value):
            found[type(value)] = None
        if isinstance(value, tuple):
            found.update(dict.fromkeys(classes_of(value)))
    return list(found)


def bare(function: Callable, single: bool = False) -> Callable:
    """The same function without annotations; in `single` precision with all numbers of its text in that precision.

    A literal is a double to numba, and would make one of all that it meets; to NumPy it takes the precision of what it meets.
    """
    code, names = function.__code__, function.__globals__
    if single:
        code = code.replace(co_consts=tuple(map(_single, code.co_consts)))
        names = names | {name: _single(names[name]) for name in code.co_names if name in names}
    copy = python_types.FunctionType(code, names, function.__name__, function.__defaults__, function.__closure__)
    copy.__doc__ = function.__doc__
    return copy


def _single(value: Any) -> Any:
    return np.float32(value) if isinstance(value, float) else value


def has_single(kinds: Iterable[Any]) -> bool:
    """Whether any of numba's types is, or holds, a number in single precision."""
    from numba.core import types

    return any(
        kind == types.float32
        or (isinstance(kind, types.Array) and kind.dtype == types.float32)
        or (isinstance(kind, types.BaseTuple) and has_single(kind))
        for kind in kinds
    )


def expose(function: Callable, values: Iterable[Any]) -> None:
    """Register every hook that `function` can reach on the classes of `values`, and every helper."""
    register_meeting()
    register_ahead()
    register_near()
    packed_type()
    for plain in HELPERS:
        _register_helper(plain)
    for name, methods in reached(function, classes_of(values)).items():
        for method in methods:
            _register_method(name, method)


def reached(function: Callable, classes: Iterable[type]) -> dict[str, list[Callable]]:
    """name -> such methods of the classes, of all that `function` may call, directly or through methods and helpers.

    Helpers that it does not call are passed by: what is a field to another loop may be the name of a method here, and is to stay a field.
    """
    classes = list(classes)
    found: dict[str, list[Callable]] = {}
    pending, helpers = [function], list(HELPERS)
    while pending:
        caller = pending.pop()
        names = set(caller.__code__.co_names)
        made = [caller.__globals__.get(name) for name in caller.__code__.co_names]  # by a loop, for its own use
        classes += [each for each in made if isinstance(each, type) and _is_named_tuple(each) and each not in classes]
        fields = {field: cls.__name__ for cls in classes for field in cls._fields}  # type: ignore[attr-defined]
        for name in RESERVED & names & fields.keys():
            raise HebbscopeError(f"{fields[name]}.{name}: must have another name, loops call a method of this one")
        called = [each for each in helpers if any(caller.__globals__.get(name) is each for name in names)]
        helpers = [each for each in helpers if each not in called]
        pending += called
        for name in names - fields.keys() - found.keys():
            all_of_it = [getattr(cls, name, None) for cls in classes]
            methods = [each for each in all_of_it if isinstance(each, python_types.FunctionType)]
            pending += methods
            if methods:
                found[name] = methods
    return found


def _is_named_tuple(cls: type) -> bool:
    return issubclass(cls, tuple) and hasattr(cls, "_fields")


def _arguments(method: Callable) -> str:
    return ", ".join(method.__code__.co_varnames[: method.__code__.co_argcount])


def _register_method(name: str, first: Callable) -> None:
    """Once for all named tuples; HebbscopeError where a method of this name with other arguments was there before, which numba would not tell apart."""
    if name in _methods:
        known = _methods[name]
        if _arguments(known) != _arguments(first):
            raise HebbscopeError(
                f"{first.__qualname__}({_arguments(first)}): must have another name, "
                f"{known.__qualname__} has the arguments ({_arguments(known)})"
            )
        return
    _methods[name] = first
    from numba.core import types
    from numba.extending import overload_method

    def choose(*args):
        method = getattr(args[0].instance_class, name, None)
        return None if method is None else bare(method, has_single(args))

    choose.__signature__ = inspect.signature(bare(first))  # type: ignore[attr-defined]
    overload_method(types.BaseNamedTuple, name, jit_options=OPTIONS | {"pipeline_class": pipelines()["hook"]})(choose)


def _register_helper(function: Callable) -> None:
    if id(function) in _helpers:
        return
    from numba.extending import overload

    def choose(*args):
        return bare(function, has_single(args))

    choose.__signature__ = inspect.signature(bare(function))  # type: ignore[attr-defined]
    overload(function, jit_options=OPTIONS | {"pipeline_class": pipelines()["hook"]})(choose)
    _helpers.add(id(function))
