"""Memory that is asked for ahead of time, so that it is there when it is wanted. It changes no result.

numba does not offer this: it is written for LLVM here.
"""

from __future__ import annotations

from functools import cache
from typing import Any

LINE = 64  # bytes that come in one go


def ask_for(array, k):
    """Ask for the line of memory that array[k] is in; in plain Python nobody hears it."""


@cache
def register() -> None:
    """Make it visible to numba."""
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic, overload

    @intrinsic
    def prefetch(typing_context: Any, array: Any, k: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            from numba.core import cgutils

            number = ir.IntType(32)
            data = context.make_array(signature.args[0])(context, builder, args[0]).data
            place = builder.bitcast(builder.gep(data, [args[1]]), ir.IntType(8).as_pointer())
            kind = ir.FunctionType(ir.VoidType(), [place.type, number, number, number])
            ask = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
            builder.call(ask, [place, number(0), number(3), number(1)])  # to read data, and to keep them near
            return context.get_dummy_value()

        return types.void(array, types.intp), generate

    overload(ask_for)(lambda array, k: lambda array, k: prefetch(array, k))
