"""How the compiler goes about hooks and helpers, which are nothing by themselves: each is inlined into the loops that call it.

Left to itself numba makes machine code of every function that it meets, for others to call, an eighth of the time that a loop takes to compile. Here it is
optimised as ever, for the loop's machine code is to be the same, and made into that alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

ENVIRONMENT = "_ZN08NumbaEnv"  # what numba begins the names of environments with


@cache
def pipelines() -> dict[str, type]:
    """ "hook" and "loop" -> numba's class of how such functions are compiled."""
    from numba.core.codegen import JITCodeLibrary
    from numba.core.compiler import CompilerBase, DefaultPassBuilder
    from numba.core.compiler_machinery import LoweringPass, register_pass
    from numba.core.environment import lookup_environment
    from numba.core.typed_passes import AnnotateTypes, NativeLowering

    class Linked(JITCodeLibrary):
        """The code of a hook and of what it calls, that is never machine code by itself."""

        @property
        def codegen(self) -> Any:
            return Mute(self._codegen)

        def get_pointer_to_function(self, name: str) -> int:
            self._ensure_finalized()
            return 0  # nobody calls it but what it is inlined into

        def _finalize_final_module(self) -> None:
            self._finalize_dynamic_globals()
            self._finalized = True

    class Mute:
        """numba's maker of machine code, which knows no environment of what it was given no code of."""

        def __init__(self, codegen: Any):
            self.maker = codegen

        def __getattr__(self, name: str) -> Any:
            return getattr(self.maker, name)

        def set_env(self, name: str, environment: Any) -> None:
            """Left to the loop."""

    def also(name: str, run: Callable[[Any], None]) -> type:
        """A pass of this name, on what numba knows of the function that it compiles."""

        class Also(LoweringPass):
            _name = name

            def __init__(self) -> None:
                LoweringPass.__init__(self)

            def run_pass(self, state: Any) -> bool:
                run(state)
                return True

        return register_pass(mutates_CFG=False, analysis_only=False)(Also)

    def open_code(state: Any) -> None:
        code = Linked(state.targetctx.codegen(), state.func_id.func_qualname)
        code.enable_object_caching()
        state["library"] = code

    def hand_environments(state: Any) -> None:
        """What hooks print is made in their environments."""
        code = state["library"]
        for variable in code._final_module.global_variables:
            environment = lookup_environment(variable.name) if variable.name.startswith(ENVIRONMENT) else None
            if environment is not None:
                code.codegen.set_env(variable.name, environment)

    def pipeline(more: type, after: type) -> type:
        class Pipeline(CompilerBase):
            def define_pipelines(self) -> list[Any]:
                passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
                passes.add_pass_after(more, after)
                passes.finalize()
                return [passes]

        return Pipeline

    return {
        "hook": pipeline(also("hebbscope_open_code", open_code), AnnotateTypes),
        "loop": pipeline(also("hebbscope_hand_environments", hand_environments), NativeLowering),
    }
