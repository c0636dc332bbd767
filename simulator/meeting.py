"""Where the threads of one run wait for each other.

A gate is a counter (1,) that every thread adds one to when it comes; it goes on when all have. The two operations on it are atomic, which numba
does not offer for arrays on the processor: they are written for LLVM here.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from .protocols import helper

SPINS = 2000  # looks at the gate before a thread lets others have the processor


@helper
def meet(gate, n_threads):
    """Wait until all threads are here; with one, there is nobody to wait for."""
    if n_threads > 1:
        goal = (arrive_at(gate) // n_threads + 1) * n_threads
        spins = 0
        while arrived(gate) < goal:
            spins += 1
            if spins > SPINS:
                give_way()


def arrive_at(gate):
    """Add one to a gate; how many had come before."""
    gate[0] += 1
    return gate[0] - 1


def arrived(gate):
    """How many have come to a gate so far."""
    return gate[0]


def give_way():
    """Let other threads have the processor."""


@cache
def register() -> None:
    """Make the three visible to numba."""
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic, overload

    word = ir.IntType(64)

    def place(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.make_array(signature.args[0])(context, builder, args[0]).data

    @intrinsic
    def add_one(typing_context: Any, gate: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.atomic_rmw("add", place(context, builder, signature, args), word(1), "seq_cst")

        return types.int64(gate), generate

    @intrinsic
    def look(typing_context: Any, gate: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.load_atomic(place(context, builder, signature, args), "seq_cst", 8)

        return types.int64(gate), generate

    @intrinsic
    def yield_processor(typing_context: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            from numba.core import cgutils

            function = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(ir.IntType(32), []), "sched_yield"
            )
            builder.call(function, [])
            return context.get_dummy_value()

        return types.void(), generate

    overload(arrive_at)(lambda gate: lambda gate: add_one(gate))
    overload(arrived)(lambda gate: lambda gate: look(gate))
    overload(give_way)(lambda: (lambda: yield_processor()) if hasattr(os, "sched_yield") else (lambda: None))
