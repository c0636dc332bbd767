"""What there is to choose from: experiments by name, parts by kind."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ...simulator.describe import nearest
from .description import DescriptionError

if TYPE_CHECKING:
    from .experiment import Experiment

EXPERIMENTS = (
    "kempter1999",
    "natural_images",
    "clopath2010",
    "song2000",
    "song2000_brian2",
    "brunel2000_stdp",
    "vogels2011",
    "network",
)

# The hook by which a kind of part is known; the first one counts.
KINDS = {
    "input": "candidate_rate",
    "neuron": "stepper",
    "rule": "on_pre",
    "rate rule": "on_rates",  # as some rules have, which come first
    "window": "from_pre",
    "threshold": "depression",
    "nonlinearity": "of_rate",
    "pairing": "pres",
    "dependence": "f_plus",
    "normalisation": "normalise",
    "transmission": "amount",
    "connectivity": "edges",
    "background": "arrivals",
    "monitor": "sample",
    "weights": "draw",  # as inputs have, which come first
}


def experiment_class(name: str) -> type[Experiment]:
    """The class of an experiment; its module carries the experiment's name."""
    if name not in EXPERIMENTS:
        raise DescriptionError("experiment", f"there is no {name!r}{nearest(name, EXPERIMENTS) or known()}")
    from .experiment import Experiment

    module = import_module(f".{name}", __package__)
    return next(
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Experiment) and value.__dict__.get("name") == name
    )


def known() -> str:
    """The experiments, for the end of a sentence."""
    return f"; there are {', '.join(EXPERIMENTS)}"


def parts(kind: str) -> dict[str, type]:
    """All public parts of one kind (a key of KINDS), by class name."""
    found = {}
    for package in (import_module("...rules", __package__), import_module("...models", __package__)):
        for name in package.__all__:
            part = getattr(package, name)
            if isinstance(part, type) and hasattr(part, "_fields") and kind_of(part) == kind:
                found[name] = part
    return found


def presets(classes: Iterable[type]) -> dict[str, Any]:
    """All public parts with a name of their own, of these classes: published sets of parameters, schemes of pairing."""
    packages = (import_module("...rules", __package__), import_module("...models", __package__))
    named = {name: getattr(package, name) for package in packages for name in package.__all__}
    return {name: part for name, part in named.items() if type(part) in {*classes}}


def kind_of(part: type) -> str:
    """The kind of a part (a key of KINDS); "" for a plain table."""
    return next((kind for kind, hook in KINDS.items() if hasattr(part, hook)), "")


RULES = ("rule", "rate rule")


def interchangeable(kind: str) -> tuple[str, ...]:
    """The kinds of parts that may stand where one of this kind does."""
    return RULES if kind in RULES else (kind,) if kind else ()


def kin(part: type) -> list[type]:
    """The part's class and every other public part that may stand in its place."""
    others = [other for kind in interchangeable(kind_of(part)) for other in parts(kind).values()]
    return [part, *(other for other in others if other is not part)]
