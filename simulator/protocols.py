"""The contracts between parts and engines: units, named errors, synapses, covariances, and who may touch what.

A *part* (an input, a neuron, a rule, a window) is a `typing.NamedTuple` of parameters with defaults; its hooks are plain
methods; its state is a second NamedTuple, of arrays, that the engine passes in. Parameters never change during a run.

    input    init(n, copies)       candidate_rate(state)  draw(state, t, rng, latent)  next_wake(state)  wake(state, t, rng, latent)
             for the rate level:   rates(state, t, latent, out), and where they vary between wakes a property `changes_in`, how fast [s]
    neuron   stepper(dt), and for the exact engine:
             init(n)               propagate(state, dt)   deliver(state, i, amount)    bound(state)      intensity(state, i)
             for the approximate learning equation:       driven(arriving, power, lag, dt), with fields tau_m, V_th, V_reset and synapses
             for rates that are held:                     answering(dt), which has  mean_rate(arriving, power, low, log_lag),
             with a field gain where there is no driven
    rule     init(n_pre, n_post)   on_pre(state, w, j, t) on_post(state, w, i, t)
             where it wants them:  advance(state, w, t)   settle(state, w, j, t)          relay(state, w, j, t, cells)
             one that draws, from rng in its hooks:       init(n_pre, n_post, rng)
             one that sees the potential of its targets:  init(n_pre, n_post, dt)         on_potentials(state, w, v, t)
             at the rate level:    init_rates, on_rates as of a rate rule, or learning_equation(statistics, neuron, causal)
    rate rule  init_rates(n_pre, n_post)   on_rates(state, w, i, x, y, dt), and where it is known learning_equation(...)
    stepper  init(n, rng)          update(state, i)       fires(state, i)              hold, reset(state, i)  receive(state, port, i, amount)
    background  arrivals(dt), which has  chosen(u)
    transmission  amount(w, j, n), and where that reads weights of other sources, settle_others(rule, state, w, j, t)
    window   init(n_pre, n_post)   pre_scale post_scale   from_pre from_post           add_pre add_post
    normalisation  every           normalise(state, w, i, spikes, low, high)           where it remembers anything: init(n_pre, n_post)
    anything check(...) raises a named error before anything compiles

Hooks are compiled by numba: scalar loops, no array expressions, no keyword arguments. The hooks of one name have the same
argument names in every class. A hook may touch its own state, and: an input its `sources` buffer; a neuron nothing else;
`on_pre` the synapses of source j; `on_post` and `on_rates` the synapses onto target i; `on_potentials` those onto any. v (n_post,) are the potentials at
the end of a step of dt [s], spikes and all. `normalise` may change the synapses onto target i; spikes is how many it has fired, at the rate level the expected
number; low and high are the rule's bounds.

A *rate rule* knows no spikes: it is born at the rate level. Its one hook says what the input rates x (n_pre,) and the output rates y (n_post,) [Hz], held
for dt [s], change; it is called for each target in order, and y is of the weights at the start of the hold. Where there are spikes it sees them
smoothed (simulator/smoothed.py). One whose changes of a synapse are made of this and its two ends alone says so by `local = True`: its targets may be on
several threads, and delays may differ.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

import numpy as np

LEVELS = ("spike", "surrogate", "rate")  # at which a network runs
DT = 1e-4  # s: step of the clock-driven engine, where nobody says it
SMOOTHING = 50e-3  # s: over which rules of rates see spikes, where nobody says it
MOST_STEPS = 2**16  # of dt for which anything is kept: a delay, a refractory time


class Unit(str):
    """The SI unit of a field, carried by its annotation."""


Seconds = Annotated[float, Unit("s")]
Hertz = Annotated[float, Unit("Hz")]
Volts = Annotated[float, Unit("V")]
VoltsPerSecond = Annotated[float, Unit("V/s")]
Amperes = Annotated[float, Unit("A")]
Farads = Annotated[float, Unit("F")]
Siemens = Annotated[float, Unit("S")]
SecondsArray = Annotated[np.ndarray, Unit("s")]
HertzArray = Annotated[np.ndarray, Unit("Hz")]


def unit_in(hint: Any) -> str:
    """The unit anywhere in an annotation, also inside a union; "" where there is none."""
    if get_origin(hint) is Annotated:
        found = next((str(extra) for extra in get_args(hint)[1:] if isinstance(extra, Unit)), "")
        return found or unit_in(get_args(hint)[0])
    return next((unit for unit in map(unit_in, get_args(hint)) if unit), "")


def unit_of(part: type, field: str) -> str:
    """The unit of a field of a part's class; "" where it is dimensionless or not a number."""
    return unit_in(get_type_hints(part, include_extras=True)[field])


def is_part(value: Any) -> bool:
    """Whether the value is an instance of a NamedTuple class: a part, a state or a description, and no number, text or array."""
    return isinstance(value, tuple) and hasattr(value, "_fields")


C = TypeVar("C", bound=type)


def part(cls: C) -> C:
    """Class decorator of parts: they print as a table of their fields, in a terminal and in a notebook."""

    def __repr__(self):
        from .describe import readable

        return readable(self)

    def _repr_html_(self):
        from .describe import readable_html

        return readable_html(self)

    for method in (__repr__, _repr_html_):
        setattr(cls, method.__name__, method)
    return cls


# Errors -------------------------------------------------------------------------------------------------------------


class HebbscopeError(Exception):
    """Everything that goes wrong for a reason a user can mend; its text is one line."""


class ParameterError(HebbscopeError, ValueError):
    """A value that breaks a rule: `PairSTDP.tau_plus: must be > 0 s, got -0.02`."""

    def __init__(self, part: str, field: str, rule: str, value: Any = None):
        self.part, self.field, self.rule, self.value = part, field, rule, value
        super().__init__(f"{part}.{field}: {rule}, got {_short(value)}")


def first_line(error: BaseException) -> str:
    """What another library said, in one line; its name where it said nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}" if value.size > 4 else str(value.tolist())
    if is_part(value):
        return type(value).__name__
    text = f"{value:g}" if isinstance(value, float) else repr(value)
    return " ".join(text.split()) if "\n" in text else text  # a list of parts


def require(ok: Any, part: Any, field: str, rule: str) -> None:
    """Raise the named error of a part's field unless `ok` holds (for arrays: everywhere)."""
    if not np.all(ok):
        raise ParameterError(type(part).__name__, field, rule, getattr(part, field))


def require_methods(part: Any, why: str, *names: str) -> None:
    """Raise the named error of a part of one's own that runs with spikes, but does not say what it is on average."""
    for name in names:
        if not hasattr(part, name):
            raise ParameterError(
                type(part).__name__, name, f"must be there for {why}, as in the parts of hebbscope", None
            )


def _numeric(part: Any, field: str) -> np.ndarray:
    try:
        return np.asarray(getattr(part, field), dtype=float)
    except (TypeError, ValueError):
        raise ParameterError(type(part).__name__, field, "must be a number", getattr(part, field)) from None


def _with_unit(text: str, part: Any, field: str) -> str:
    return f"{text} {unit_of(type(part), field)}".rstrip()


def finite(part: Any, *fields: str) -> None:
    """Each field is a finite number (for arrays: in every entry)."""
    for field in fields:
        require(np.isfinite(_numeric(part, field)), part, field, "must be finite")


def positive(part: Any, *fields: str) -> None:
    """Each field is finite and > 0."""
    finite(part, *fields)
    for field in fields:
        require(_numeric(part, field) > 0, part, field, _with_unit("must be > 0", part, field))


def non_negative(part: Any, *fields: str) -> None:
    """Each field is finite and >= 0."""
    finite(part, *fields)
    for field in fields:
        require(_numeric(part, field) >= 0, part, field, _with_unit("must be >= 0", part, field))


def within(part: Any, field: str, low: float, high: float) -> None:
    """The field is finite and in [low, high]."""
    finite(part, field)
    value = _numeric(part, field)
    require((value >= low) & (value <= high), part, field, _with_unit(f"must be in [{low:g}, {high:g}]", part, field))


def bounds_in_order(part: Any) -> None:
    """w_min and w_max are numbers, infinite where there is no bound, the first below the second."""
    require(part.w_min == part.w_min, part, "w_min", "must be a number")
    require(part.w_max > part.w_min, part, "w_max", f"must be > w_min = {part.w_min:g}")


# Hooks --------------------------------------------------------------------------------------------------------------

# What a part of each kind must have, beyond a check: the arguments of the hooks that loops call are these, in this order and by these names.
HOOKS: dict[str, dict[str, tuple[str, ...]]] = {
    "input": {
        "candidate_rate": ("state",),
        "draw": ("state", "t", "rng", "latent"),
        "next_wake": ("state",),
        "wake": ("state", "t", "rng", "latent"),
    },
    "neuron": {
        "propagate": ("state", "dt"),
        "deliver": ("state", "i", "amount"),
        "bound": ("state",),
        "intensity": ("state", "i"),
    },
    "rule": {
        "on_pre": ("state", "w", "j", "t"),
        "on_post": ("state", "w", "i", "t"),
        "advance": ("state", "w", "t"),
        "settle": ("state", "w", "j", "t"),
        "relay": ("state", "w", "j", "t", "cells"),
        "on_potentials": ("state", "w", "v", "t"),
    },
    "receivers": {"take": ("w", "j", "n")},  # what a loop hands to `relay`
    "rate rule": {"on_rates": ("state", "w", "i", "x", "y", "dt")},
    "stepper": {
        "receive": ("state", "port", "i", "amount"),
        "update": ("state", "i"),
        "fires": ("state", "i"),
        "hold": ("state", "i"),
        "reset": ("state", "i"),
    },
    "synapses": {},  # those of a neuron: its stepper has what they make
    "background": {},  # what it makes for a time step has the hook
    "arrivals": {"chosen": ("u",)},
    "normalisation": {"normalise": ("state", "w", "i", "spikes", "low", "high")},
    "transmission": {"amount": ("w", "j", "n"), "settle_others": ("rule", "state", "w", "j", "t")},
    "connectivity": {},
    "window": {
        "pre_scale": ("ws", "t"),
        "from_pre": ("ws", "j", "t", "scale"),
        "add_pre": ("ws", "j", "t"),
        "post_scale": ("ws", "t"),
        "from_post": ("ws", "i", "t", "scale"),
        "add_post": ("ws", "i", "t"),
    },
    "pairing": {},  # what it makes for each side has the hooks
    "paired spikes": {
        "in_common": ("own", "other", "c", "t"),
        "worth": ("w", "k", "other", "c", "common"),
        "remember": ("side", "c", "t"),
    },
    "dependence": {"f_plus": ("value", "w_max"), "f_minus": ("value", "w_max")},
    "threshold": {
        "fading": ("state", "t"),
        "depression": ("state", "i", "fading"),
        "add_output": ("state", "i", "t"),
        "add_potentials": ("state", "v", "dt"),
    },
    "nonlinearity": {"of_rate": ("y",)},
    "answering": {"mean_rate": ("arriving", "power", "low", "log_lag")},  # what a neuron makes for rates that are held
}
ON_THE_WAY: dict[str, tuple[str, ...]] = {  # what is called while a run is set up
    "input": ("init", "check", "groups"),
    "rate rule": ("init_rates", "check"),
    "nonlinearity": ("check",),
    "stepper": ("init",),
    "synapses": ("check", "over"),
    "pairing": ("check", "pres", "posts"),
    "paired spikes": (),
    "dependence": ("check",),
    "background": ("check", "arrivals"),
    "arrivals": (),
    "answering": (),
    "normalisation": ("check",),
    "transmission": ("check", "effective"),
    "connectivity": ("check", "edges"),
}


class Nobody(NamedTuple):
    """Receivers of a spike that is for the rule alone.

    n: how many they are, 0. A named tuple without a value is false, and numba leaves what is false out where it calls a method.
    """

    n: int

    def take(self, w, j, n):
        """Nothing is delivered."""


def _settle(self, state, w, j, t):
    """Nothing to bring up to date: the weights always are."""


def _advance(self, state, w, t):
    """Nothing to do before the spikes of a time."""


def _relay(self, state, w, j, t, cells):
    """A spike at the synapses of source j: they are brought up to date, give their weights to the cells, and learn. In one pass, where a rule writes it so."""
    self.settle(state, w, j, t)
    for n in range(w.n_out(j)):
        cells.take(w, j, n)
    self.on_pre(state, w, j, t)


def _settle_others(self, rule, state, w, j, t):
    """Nothing more to bring up to date before a spike of source j: what is delivered to a synapse is of its own weight alone."""


def _on_potentials(self, state, w, v, t):
    """Nothing to see in the potentials of the targets."""


def _nothing(self, n_pre, n_post):
    """No state: it remembers nothing."""
    return ()


def _add_potentials(self, state, v, dt):
    """Nothing to see in the potentials of the targets, either."""


def _itself(self):
    """There is no plainer part that does the same."""
    return self


# What a part may leave out: its class gets the empty one, so that a loop calls the hook of every part.
OPTIONAL: dict[str, dict[str, Callable]] = {
    "rule": {"advance": _advance, "settle": _settle, "relay": _relay, "on_potentials": _on_potentials},
    "threshold": {"add_potentials": _add_potentials},
    "dependence": {"in_short": _itself},
    "normalisation": {"init": _nothing},
    "transmission": {"settle_others": _settle_others},
}


def sees_potentials(part: Any) -> bool:
    """Whether a rule or a threshold (or its class) sees the potential of the targets in each step, which only the clock-driven engine has."""
    cls = part if isinstance(part, type) else type(part)
    own = [getattr(cls, name, None) for name in ("on_potentials", "add_potentials")]
    return any(hook not in (None, _on_potentials, _add_potentials) for hook in own)


def check_held(holder: Any, field: str) -> None:
    """Raise what is wrong with the part that another holds, in a field that is named by its kind."""
    held = getattr(holder, field)
    require(is_part(held) or isinstance(held, type), holder, field, f"must be a {field} part")
    require_hooks(held, field)
    held.check()


def require_hooks(part: Any, kind: str) -> None:
    """Raise the named error of a part that lacks a hook of its kind, or has one with other arguments; supply those that it may leave out."""
    name = part.__name__ if isinstance(part, type) else type(part).__name__
    if not is_part(part):
        raise ParameterError(name, "class", f"must be an instance of a {kind} part", part)
    for hook in ON_THE_WAY.get(kind, ("init", "check")):
        if not callable(getattr(part, hook, None)):
            raise ParameterError(name, hook, f"must be a method, as of every {kind}", None)
    for hook, empty in OPTIONAL.get(kind, {}).items():
        if not hasattr(part, hook):
            setattr(type(part), hook, empty)
    if kind == "rule" and hasattr(part, "on_pre"):
        learns, settles, relays = (_depth(part, hook) for hook in ("on_pre", "settle", "relay"))
        if learns < relays:  # the relay of another rule does not know what this one learns
            type(part).relay = _relay
        elif settles < relays and type(part).settle is not _settle and type(part).relay is not _relay:
            raise ParameterError(
                name, "relay", "must be one of its own, as its settle is: its parent's knows nothing of that", None
            )
    for hook, arguments in HOOKS[kind].items():
        method = getattr(type(part), hook, None)
        rule = f"must be a method {hook}({', '.join(('self', *arguments))}), as of every {kind}"
        if not inspect.isfunction(method):
            raise ParameterError(name, hook, rule, None)
        found = tuple(inspect.signature(method).parameters)[1:]
        if found != arguments:
            raise ParameterError(name, hook, rule, f"{hook}({', '.join(('self', *found))})")
    if HOOKS[kind] and not part._fields:  # a named tuple without a value is false, and numba leaves out what is false
        raise ParameterError(name, "class", "must have a field, without which no loop calls its methods", part)


def _depth(part: Any, hook: str) -> int:
    """How far up, from a part's class to those that it is made from, the hook is."""
    return next(k for k, cls in enumerate(type(part).__mro__) if hook in vars(cls))


# Functions that hooks call ------------------------------------------------------------------------------------------

F = TypeVar("F", bound=Callable)
HELPERS: list[Callable] = []


def helper(function: F) -> F:
    """Mark a plain module-level function as callable from hooks: it is compiled with them."""
    HELPERS.append(function)
    return function


@helper
def clip(x, low, high):
    """x, or the bound that it passes."""
    return min(max(x, low), high)


def bounds_of(rule: Any) -> tuple[float, float]:
    """The hard bounds of the weights, a rule's fields w_min and w_max; infinite where it has none."""
    return getattr(rule, "w_min", -np.inf), getattr(rule, "w_max", np.inf)


def is_rate_rule(rule: Any) -> bool:
    """Whether a rule, or its class, is one of rates: it has no hook for a spike."""
    return hasattr(rule, "on_rates") and not hasattr(rule, "on_pre")


def looks_around(rule: Any) -> bool:
    """Whether a rule of rates may see other synapses and targets than those that it changes: any, but for those with an attribute `local`, True, which go by a synapse and its two ends."""
    return is_rate_rule(rule) and not getattr(rule, "local", False)


RECEPTORS = ("excitatory", "inhibitory")


def receptors_of(neuron: Any) -> tuple[str, ...]:
    """What a projection may name, in the order of the ports by which a stepper receives: a neuron's `receptors`, or these two, both amounts >= 0."""
    return getattr(neuron, "receptors", RECEPTORS)


# Covariances, stated by the inputs and used by the reduction --------------------------------------------------------


class Cosine(NamedTuple):
    """cos(2 pi f s)."""

    frequency: Hertz


class Sine(NamedTuple):
    """sin(2 pi f s)."""

    frequency: Hertz


class Exponential(NamedTuple):
    """exp(-|s| / tau)."""

    tau: Seconds


class Triangle(NamedTuple):
    """(1 - |s - shift| / width) where positive: the overlap of something held for `width` with what is held `shift` later."""

    width: Seconds
    shift: Seconds = 0.0


class Delta(NamedTuple):
    """Dirac's delta(s) [1/s]."""

    weight: float = 1.0


class Gaussian(NamedTuple):
    """The normal density with standard deviation sd [1/s]."""

    sd: Seconds


class Cycle(NamedTuple):
    """The covariance of what goes through n_patterns patterns in order, each held for `width`, over and over: itself a matrix (n, n).

    C_ij(s) = sum over all integers m of <d_i(p + m) d_j(p)> (1 - |s - m width| / width)_+ with <> the mean over p, and p + m around the cycle.
    deviations: d (n_patterns, n), of the patterns from their mean.
    """

    deviations: np.ndarray
    width: Seconds

    def weighed(self, amounts: np.ndarray) -> np.ndarray:
        """(n_patterns,) -> (n, n): the sum over m of amounts[m] <d_i(p + m) d_j(p)>."""
        n_patterns = len(self.deviations)
        ahead = np.fft.rfft(self.deviations, axis=0) * np.fft.rfft(amounts).conj()[:, None]
        return np.fft.irfft(ahead, n_patterns, axis=0).T @ self.deviations / n_patterns

    def value(self, s: Any) -> np.ndarray:
        """(n, n): C at one lag [s]."""
        n_patterns = len(self.deviations)
        away = s / self.width - np.arange(n_patterns)
        away -= n_patterns * np.round(away / n_patterns)
        return self.weighed(np.maximum(1.0 - np.abs(away), 0.0))


class Empirical(NamedTuple):
    """The covariance of n recorded trains with one another: a kernel for each pair, so that left and right are unit matrices.

    C_ij(s) = (1 / duration) sum over pairs of spikes (never a spike with itself) of delta(s - (t_i - t_j)) - nu_i nu_j.
    times (n_spikes,) [s], in order; sources (n_spikes,); loop: 1 where the recording is played over and over.
    """

    times: np.ndarray
    sources: np.ndarray
    n: int
    duration: Seconds
    loop: int = 0

    def filtered(self, before: Sequence[Any], after: Sequence[Any], reach: float, area: float) -> np.ndarray:
        """(n, n): int response(s) C_ij(s) ds of response(s) = after(s), response(-s) = before(s), s >= 0, sums of c s^p exp(-a s) as triples (c, p, a).

        It is negligible beyond |s| = reach [s] and has this area.
        """
        from .recorded_pairs import filtered_sums

        return self._beyond_chance(filtered_sums(self, before, after, reach), area)

    def tabulated(self, table: np.ndarray, reach: float, area: float) -> np.ndarray:
        """The same of a response in a table (n_lags,), at equal distances from -reach to reach."""
        from .recorded_pairs import tabulated_sums

        return self._beyond_chance(tabulated_sums(self, table, reach), area)

    def _beyond_chance(self, total: np.ndarray, area: float) -> np.ndarray:
        """(n, n) [1/s]: of sums over all pairs of spikes what independent trains would not give."""
        rates = np.bincount(self.sources, minlength=self.n) / self.duration
        return total / self.duration - area * np.outer(rates, rates)


class Covariance(NamedTuple):
    """One term of the covariance of the input rates, C_ij(s) = cov[S_i(t + s), S_j(t)] = sum_r left[i, r] right[j, r] kernel(s).

    left, right: (n, r) [Hz, or sqrt(Hz) with a kernel in 1/s]; a Cycle and an Empirical kernel are matrices (r, r) between them. It is the
    covariance of train i with *another* train of the same latent process: a train's own atom is stated apart (an input's `atom`).
    """

    left: np.ndarray
    right: np.ndarray
    kernel: Any

    def by(self, amount: Any) -> np.ndarray:
        """(n, r): left by what became of the kernel, a number or a matrix (r, r)."""
        return self.left @ amount if np.ndim(amount) else self.left * amount


# Third cumulants, stated by the inputs and used by the reduction of rules that see three spikes ------------------------
#
# kappa_ijk(a, b, c) of S_i(a), S_j(b), S_k(c) at three different spikes; what follows from one spike being counted twice is not in them.


class Waves(NamedTuple):
    """Rates nu_i + 2 Re sum_f amplitudes[i, f] exp(2 pi i frequencies[f] t): kappa where three frequencies, signs included, add up to 0."""

    frequencies: HertzArray
    amplitudes: np.ndarray


class CommonEvents(NamedTuple):
    """Train i copies each event of a common Poisson process with probability copies[i], after an exponential delay of its own.

    kappa_ijk = rate copies_i copies_j copies_k int d(a - s) d(b - s) d(c - s) ds for three different trains, with d the density of the delays,
    and 0 where two of the three are one train. rate [Hz] of the process; delay [s], 0: none.
    """

    rate: Hertz
    copies: np.ndarray
    delay: Seconds = 0.0


class Held(NamedTuple):
    """Rates patterns[p] (n_patterns, n), each held for `width`, one after the other in order, or (in_order = 0) each drawn anew."""

    patterns: HertzArray
    width: Seconds
    in_order: int = 0
