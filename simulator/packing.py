"""What a compiled loop is given: parts and states as one list of numbers, which it opens inside.

numba takes a tuple apart where a function is called, by code that it compiles for each field: for a state of a hundred arrays that is a quarter of the time
that the loop takes to compile. A list of numbers is one argument, and each of them is read by one instruction, written for LLVM here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import cache, cached_property
from itertools import count
from typing import Any

import numpy as np

from .protocols import HebbscopeError

NUMBERS = {np.dtype(each) for each in "?bhilqBHILQfdFD"}  # of arrays that numba knows


class Packed:
    """A tuple of parts or of states, and the address of its numbers. Its arrays stay where they are, and must."""

    def __init__(self, held: tuple):
        self.held = held
        self.numbers = np.fromiter(words(held, ""), np.uint64)
        self.address = self.numbers.ctypes.data

    @cached_property
    def _numba_type_(self) -> Any:  # what numba asks for
        from numba import typeof

        return packed_type()(typeof(self.held))


def must_be_numbers(value: tuple) -> None:
    """HebbscopeError by the name of what is none in a tuple of parts or states, as of `words`."""
    deque(words(value, ""), maxlen=0)


def words(value: Any, name: str) -> Iterator[int]:
    """The 64 bits of each number; of an array where it is, how long, and how far apart in each direction.

    HebbscopeError by the name of what is none of these: `State.x: must be a number, an array of numbers, or a tuple of these, got a list`.
    """
    if isinstance(value, tuple):
        for field, each in zip(getattr(value, "_fields", range(len(value))), value, strict=True):
            yield from words(each, f"{type(value).__name__}.{field}")
    elif type(value) is np.ndarray and value.dtype in NUMBERS:
        yield from (value.ctypes.data, *value.shape, *(stride % 2**64 for stride in value.strides))
    elif isinstance(value, np.float32):
        yield int(value.view(np.uint32))
    elif isinstance(value, float):
        yield int(np.float64(value).view(np.uint64))
    elif isinstance(value, int | np.integer | np.bool_) and -(2**63) <= value < 2**64:
        yield int(value) % 2**64
    else:
        what = f"an array of {value.dtype}" if type(value) is np.ndarray else f"a {type(value).__name__}"
        got = value if isinstance(value, int) else what  # one beyond 64 bits
        raise HebbscopeError(f"{name}: must be a number, an array of numbers, or a tuple of these, got {got}")


def opened(packed):
    """The tuple that was packed."""
    return packed.held


def opened_at(packed, k):
    """The k-th of a tuple that was packed, where all of it are of one type; the others stay as they are."""
    return packed.held[k]


@cache
def packed_type() -> type:
    """numba's class of types of packed tuples, made known to it with how they are opened."""
    from llvmlite import ir
    from numba import types
    from numba.extending import NativeValue, lower_builtin, models, register_model, type_callable, unbox

    word = ir.IntType(64)

    class PackedType(types.Type):
        """kind: numba's type of the tuple."""

        def __init__(self, kind: types.BaseTuple):
            self.kind = kind
            super().__init__(f"Packed({kind})")

        @property
        def key(self) -> Any:  # of two classes by one name, as of a file that was edited, each has its own
            return self.kind

    PackedType.__qualname__ = "PackedType"  # by this name it is found again from a signature that is kept on disk
    register_model(PackedType)(models.OpaqueModel)

    @unbox(PackedType)
    def address(kind: Any, packed: Any, compiler: Any) -> NativeValue:
        number = compiler.pyapi.object_getattr_string(packed, "address")
        found = compiler.pyapi.long_as_voidptr(number)
        compiler.pyapi.decref(number)
        return NativeValue(found)

    def read(kind: Any, context: Any, builder: Any, packed: Any, first: Any) -> Any:
        numbers = builder.gep(builder.bitcast(packed, word.as_pointer()), [first])
        return _read(kind, context, builder, (builder.gep(numbers, [word(k)]) for k in count()))

    @type_callable(opened)
    def kind_of(context: Any) -> Any:
        return lambda packed: packed.kind

    @lower_builtin(opened, PackedType)
    def open_(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return read(signature.return_type, context, builder, args[0], word(0))

    @type_callable(opened_at)
    def kind_of_each(context: Any) -> Any:
        return lambda packed, k: packed.kind.dtype

    @lower_builtin(opened_at, PackedType, types.Integer)
    def open_at(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = signature.return_type
        return read(kind, context, builder, args[0], builder.mul(args[1], word(_n_words(kind))))

    return PackedType


def __getattr__(name: str) -> Any:
    if name == "PackedType":
        return packed_type()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _n_words(kind: Any) -> int:
    """Of a value of this type."""
    from numba import types

    if isinstance(kind, types.BaseTuple):
        return sum(map(_n_words, kind))
    return 1 + 2 * kind.ndim if isinstance(kind, types.Array) else 1


def _read(kind: Any, context: Any, builder: Any, places: Iterator[Any]) -> Any:
    """A tuple, an array or a number of this type, of the words at the next places."""
    from llvmlite import ir
    from numba import types

    if isinstance(kind, types.BaseTuple):
        return context.make_tuple(builder, kind, [_read(each, context, builder, places) for each in kind])
    if isinstance(kind, types.Array):
        return _read_array(kind, context, builder, places)
    number, wanted = builder.load(next(places)), context.get_value_type(kind)
    bits = {types.float64: 64, types.float32: 32}.get(kind) or wanted.width
    return builder.bitcast(builder.trunc(number, ir.IntType(bits)) if bits < 64 else number, wanted)


def _read_array(kind: Any, context: Any, builder: Any, places: Iterator[Any]) -> Any:
    from numba.core.cgutils import get_null_value, pack_array

    array = context.make_array(kind)(context, builder)
    data, *lengths = (builder.load(next(places)) for _ in range(1 + 2 * kind.ndim))
    shape, strides = lengths[: kind.ndim], lengths[kind.ndim :]
    array.data = builder.inttoptr(data, array.data.type)
    array.shape, array.strides = (pack_array(builder, each, data.type) for each in (shape, strides))
    array.itemsize = data.type(context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    array.nitems = data.type(1)
    for length in shape:
        array.nitems = builder.mul(array.nitems, length)
    array.meminfo, array.parent = (get_null_value(each.type) for each in (array.meminfo, array.parent))
    return array._getvalue()
