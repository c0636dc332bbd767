"""A stream's state where it is quick to reach: in registers, or on the stack, for as long as a loop draws from it. It changes no result.

    state = near(rng)
    ...                     draw from `state`
    give_back(rng, state)

The compiler cannot know that what a loop writes elsewhere is not this state, and would store and load all of it at each draw. numba does not offer an
array of which it does know that: it is written for LLVM here.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from .protocols import helper

WORDS = 4  # of a state


def near(rng):
    """rng (4,) uint64, to draw from until it is given back; in plain Python itself."""
    return rng


@helper
def give_back(rng, state):
    """Let a stream go on from the state of what was `near`."""
    for k in range(WORDS):
        rng[k] = state[k]


@cache
def register() -> None:
    """Make it visible to numba."""
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils
    from numba.extending import lower_builtin, type_callable

    @type_callable(near)
    def typed(context: Any) -> Any:
        return lambda rng: types.Array(rng.dtype, 1, "C")

    @lower_builtin(near, types.Array)
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = context.get_data_type(signature.return_type.dtype)
        places = [ir.Constant(ir.IntType(64), k) for k in range(WORDS)]
        given = context.make_array(signature.args[0])(context, builder, args[0])
        stack = builder.bitcast(cgutils.alloca_once(builder, ir.ArrayType(kind, WORDS)), kind.as_pointer())
        for place in places:  # of an array whose words need not lie side by side
            word = cgutils.get_item_pointer(context, builder, signature.args[0], given, [place])
            builder.store(builder.load(word), builder.gep(stack, [place]))
        made = context.make_array(signature.return_type)(context, builder)
        number, size = (context.get_constant(types.intp, each) for each in (WORDS, 8))
        shape, strides = (cgutils.pack_array(builder, [each]) for each in (number, size))
        context.populate_array(made, data=stack, shape=shape, strides=strides, itemsize=size, meminfo=None)
        return made._getvalue()
