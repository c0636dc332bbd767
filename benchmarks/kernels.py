"""The networks of workloads.py as kernels written by hand, each for its network alone: what a general simulator can at best come close to.

Run as the programs of the peers are, see peers/answering.py. Four ideas make them fast:

- of the linear Poisson neuron every spike is drawn exactly, by thinning, so that time without spikes costs nothing;
- inputs of one rate are one Poisson process, each spike of which belongs to any of them;
- potentiation waits. Between two spikes of a source its synapses are only potentiated, each by `before` of the source times what `gained` of the target, a
  running sum over its spikes, has grown since. So a spike of a target touches no synapse, and a synapse remembers `gained` as of its source's last spike;
- integrate-and-fire networks have float32, the weight and the memory of a synapse side by side, and rows that are fetched ahead of time.

Traces are kept divided by their decay since an origin, and settled and brought back before float32 runs out of digits. The schedule of a step is that of
simulator/clock.py.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np
from fused_kempter import _cosine, _next
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, overload
from peers.answering import Timed, answer, peak_memory, serve

F = np.float32
LEAST = F(1e-3)  # what may be left of a trace since its origin
BLOCK = 256  # cells that are moved before anybody looks which of them fired
LINE = 64  # bytes that are fetched in one go


def stream(seed):
    """(4,): the state of a generator."""
    return np.random.SeedSequence(seed).generate_state(4, np.uint64)


@njit(inline="always")
def uniform(s):
    """In [0, 1), from a state in memory."""
    u, s[0], s[1], s[2], s[3] = _next(s[0], s[1], s[2], s[3])
    return u


# A ------------------------------------------------------------------------------------------------------------------


class Kempter(NamedTuple):
    """Numbers of workloads.py; tau_plus is tau, and tau_minus twice that, so that one exponential gives all decays."""

    n_constant: int
    rate: float
    amplitude: float
    frequency: float
    tau: float
    eta: float
    w_in: float
    w_out: float
    A_plus: float
    A_minus: float
    w_max: float


@njit(inline="always")
def source_of(p, place, t):
    """Which input a candidate is of, by its place among the highest rates; -1: of none, as the modulation is lower now."""
    constant, top = p.n_constant * p.rate, p.rate + p.amplitude
    if place < constant:
        return int(place / p.rate)
    place = (place - constant) / top
    spikes = (place - int(place)) * top < p.rate + p.amplitude * _cosine(p.frequency * t)
    return p.n_constant + int(place) if spikes else -1


@njit(fastmath=True)
def run_kempter(seconds, p, w, s):
    """Change w (n_pre,) for so long; returns the number of output spikes."""
    n = len(w)
    inputs = p.n_constant * p.rate + (n - p.n_constant) * (p.rate + p.amplitude)
    before, left = np.zeros(n), 1.0
    rising, potential, after = 0.0, 0.0, 0.0
    t, total, count = 0.0, inputs, 0
    while True:
        gap = -math.log(1.0 - uniform(s)) / total
        t += gap
        if t >= seconds:
            return count
        root = math.exp(-gap / (2.0 * p.tau))
        decay = root * root
        potential = (potential + rising * (gap / p.tau)) * decay
        rising *= decay
        left *= decay
        after *= root
        place = uniform(s) * total
        if place < inputs:
            j = source_of(p, place, t)
            if j >= 0:
                rising += w[j] / p.tau
                w[j] = min(max(w[j] + p.eta * (p.w_in - p.A_minus * after), 0.0), p.w_max)
                if left < 1e-100:
                    for i in range(n):
                        before[i] *= left
                    left = 1.0
                before[j] += 1.0 / left
        elif place < inputs + potential:
            count += 1
            gain = p.A_plus * left
            for i in range(n):
                w[i] = min(max(w[i] + p.eta * (p.w_out + gain * before[i]), 0.0), p.w_max)
            after += 1.0
        total = inputs + potential + rising * math.exp(-1.0)


# B, B100 ------------------------------------------------------------------------------------------------------------


class Song(NamedTuple):
    """leak = dt / tau_m; g_left, left: of a conductance and of a trace after a step; gap: steps between input spikes on average.

    back: steps from a spike to the learning at the cell's own synapses; late, apart: see Simulator.
    """

    leak: float
    g_left: float
    left: float
    E_L: float
    E_ex: float
    V_th: float
    V_reset: float
    A_plus: float
    A_minus: float
    w_max: float
    gap: float
    back: int
    late: bool
    apart: bool


@njit(inline="always")
def wait(p, s):
    """Steps until the next input spike."""
    return -math.log(1.0 - uniform(s)) * p.gap


@njit(fastmath=True)
def run_one(n_steps, p, w, s):
    """One neuron: change w (n_pre,); returns its number of spikes."""
    n, zero, one = len(w), F(0), F(1)
    memory, before = np.zeros(n, np.float32), np.zeros(n, np.float32)
    v, g, after, gained, left, count = p.V_reset, zero, zero, zero, one, 0
    coming, recent = wait(p, s), 0  # bit b of recent: whether it fired b steps ago
    for k in range(n_steps + 1):
        left *= p.left
        if left < LEAST or k == n_steps:
            for j in range(n):
                w[j] = min(w[j] + before[j] * (gained - memory[j]), p.w_max)
                memory[j] = zero
                before[j] *= left
            gained, left = zero, one
            if k == n_steps:
                break
        recent <<= 1
        v += p.leak * (p.E_L - v + g * (p.E_ex - v))
        g *= p.g_left
        after *= p.left
        if p.apart and (recent >> p.back) & 1:
            gained += left
        while coming < k + 1:
            j = int(uniform(s) * n)
            settled = min(w[j] + before[j] * (gained - memory[j]), p.w_max)
            w[j] = max(settled - after, zero)
            g += w[j] if p.late else settled
            memory[j] = gained
            before[j] += p.A_plus / left
            coming += wait(p, s)
        if v >= p.V_th:
            v = p.V_reset
            count += 1
            recent |= 1
        if (recent >> p.back) & 1:
            after += p.A_minus
            if not p.apart:
                gained += left
    return count


@njit(fastmath=True)
def settle(w, memory, before, gained, w_max):
    """All that one source's synapses (n_post,) gained."""
    for i in range(len(w)):
        w[i] = min(w[i] + before * (gained[i] - memory[i]), w_max)
        memory[i] = F(0)


@njit(fastmath=True)
def move_song(p, v, g, after):
    """A step of all neurons; whether any of them fires."""
    fires = False
    for i in range(len(v)):
        v[i] += p.leak * (p.E_L - v[i] + g[i] * (p.E_ex - v[i]))
        g[i] *= p.g_left
        after[i] *= p.left
        fires |= v[i] >= p.V_th
    return fires


@njit(fastmath=True)
def arrive_song(p, w, memory, before, gained, after, g):
    """A spike of one source at its synapses (n_post,): settle, deliver, depress."""
    for i in range(len(w)):
        settled = min(w[i] + before * (gained[i] - memory[i]), p.w_max)
        w[i] = max(settled - after[i], F(0))
        g[i] += w[i] if p.late else settled
        memory[i] = gained[i]


@njit(fastmath=True)
def spike_song(p, v, fired):
    """Reset the neurons above threshold, put them into `fired` (n_post,), and count them."""
    count = 0
    for i in range(len(v)):
        if v[i] >= p.V_th:
            v[i] = p.V_reset
            fired[count] = i
            count += 1
    return count


@njit(fastmath=True)
def run_many(n_steps, p, w, s):
    """Any number of neurons: change w (n_pre, n_post); returns the number of spikes."""
    n_pre, n_post = w.shape
    memory, before = np.zeros(w.shape, np.float32), np.zeros(n_pre, np.float32)
    v, g = np.full(n_post, p.V_reset), np.zeros(n_post, np.float32)
    after, gained = np.zeros(n_post, np.float32), np.zeros(n_post, np.float32)
    depth = p.back + 1
    ring, number = (
        np.empty((depth, n_post), np.int32),
        np.zeros(depth, np.int64),
    )  # who fired in each step, and how many
    left, count, coming, here = F(1), 0, wait(p, s), 0
    for k in range(n_steps + 1):
        left *= p.left
        if left < LEAST or k == n_steps:
            for j in range(n_pre):
                settle(w[j], memory[j], before[j], gained, p.w_max)
                before[j] *= left
            gained[:] = F(0)
            left = F(1)
            if k == n_steps:
                break
        here = here + 1 if here < p.back else 0
        oldest = here + 1 if here < p.back else 0
        fires = move_song(p, v, g, after)
        if p.apart:
            for q in range(number[oldest]):
                gained[ring[oldest, q]] += left
        while coming < k + 1:
            j = int(uniform(s) * n_pre)
            arrive_song(p, w[j], memory[j], before[j], gained, after, g)
            before[j] += p.A_plus / left
            coming += wait(p, s)
        number[here] = spike_song(p, v, ring[here]) if fires else 0
        for q in range(number[oldest]):
            i = ring[oldest, q]
            after[i] += p.A_minus
            if not p.apart:
                gained[i] += left
        count += number[here]
    return count


# C ------------------------------------------------------------------------------------------------------------------


class Balanced(NamedTuple):
    """rest [V]: where v goes by itself; v_left, left: of the way there and of a trace after a step; weight, inhibition [V] of fixed synapses.

    delay, n_held, back: steps from a spike to its arrival, of refractoriness, and from a spike to the learning at the cell's own synapses; late, apart: see Simulator.
    """

    rest: float
    v_left: float
    left: float
    V_th: float
    V_reset: float
    A_plus: float
    A_minus: float
    w_max: float
    weight: float
    inhibition: float
    delay: int
    n_held: int
    back: int
    late: bool
    apart: bool


def fetch(array, i):
    """Ask for the cache line of array[i]; in plain Python nobody hears it."""


@intrinsic
def _fetch(context, array, i):
    def generate(context, builder, signature, arguments):
        given = context.make_array(signature.args[0])(context, builder, arguments[0])
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        call = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        place = builder.bitcast(builder.gep(given.data, [arguments[1]]), byte)
        builder.call(call, [place, number(1), number(2), number(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


@overload(fetch)
def _fetch_compiled(array, i):
    return lambda array, i: _fetch(array, i)


@njit(fastmath=True)
def fetch_row(synapses, target, low, high):
    """Ask for the synapses of a source before they are wanted; (n, 2) float32 and (n,) uint16."""
    flat = synapses.reshape(synapses.size)
    for c in range(low, high, LINE // 8):
        fetch(flat, 2 * c)
    for c in range(low, high, LINE // 2):
        fetch(target, c)


@njit(fastmath=True)
def move_balanced(p, v):
    """A step of some cells; whether any of them is above threshold."""
    fires = False
    for i in range(len(v)):
        v[i] = p.rest + (v[i] - p.rest) * p.v_left
        fires |= v[i] >= p.V_th
    return fires


@njit(fastmath=True)
def hold(p, fired, n_fired, v):
    """Those that fired are at the reset potential."""
    for q in range(n_fired):
        v[fired[q]] = p.V_reset


@njit(fastmath=True)
def arrive_plastic(p, synapses, target, before, cells, left, v):
    """A spike of one source at its plastic synapses: settle, deliver, depress."""
    for c in range(len(target)):
        i = target[c]
        gained = cells[i, 0]
        settled = min(synapses[c, 0] + before * (gained - synapses[c, 1]), p.w_max)
        synapses[c, 0] = max(settled - cells[i, 1] * left, F(0))
        v[i] += synapses[c, 0] if p.late else settled
        synapses[c, 1] = gained


@njit(fastmath=True)
def arrive_fixed(target, amount, v):
    """A spike of one source at synapses that all have one weight."""
    for c in range(len(target)):
        v[target[c]] += amount


@njit(fastmath=True)
def add_to_cells(amount, which, fired, cells):
    """To the gain (0) or the trace (1) of the plastic ones (n_excitatory, 2) among cells that fired."""
    for i in fired:
        if i < len(cells):
            cells[i, which] += amount


@njit(fastmath=True)
def settle_all(p, synapses, low, target, before, cells, left):
    """All that all synapses gained; the origin of all traces is now."""
    for j in range(len(before)):
        for c in range(low[j], low[j + 1]):
            synapses[c, 0] = min(synapses[c, 0] + before[j] * (cells[target[c], 0] - synapses[c, 1]), p.w_max)
            synapses[c, 1] = F(0)
        before[j] *= left
    for i in range(len(cells)):
        cells[i, 0] = F(0)
        cells[i, 1] *= left


@njit(fastmath=True)
def run_balanced(n_steps, p, synapses, low, target, fixed_low, fixed_target, v):
    """Change synapses (n_synapses, 2), weight and memory by source, whose rows begin at low (n_excitatory + 1,); returns the number of spikes.

    Of all cells, excitatory first: the synapses that do not learn, fixed_low (n + 1,) and fixed_target, and the potentials v (n,).
    """
    n, n_plastic = len(v), len(low) - 1
    depth = max(p.delay, p.n_held, p.back) + 1
    ring, number = np.empty((depth, n), np.int32), np.zeros(depth, np.int64)
    before, cells = np.zeros(n_plastic, np.float32), np.zeros((n_plastic, 2), np.float32)  # cells: gained and after
    flagged = np.zeros(-(-n // BLOCK), np.bool_)
    left, count = F(1), 0
    for k in range(n_steps + 1):
        left *= p.left
        if left < LEAST or k == n_steps:
            settle_all(p, synapses, low, target, before, cells, left)
            left = F(1)
            if k == n_steps:
                break
        hold(p, ring[(k - p.n_held) % depth], number[(k - p.n_held) % depth], v)
        for b in range(len(flagged)):
            flagged[b] = move_balanced(p, v[b * BLOCK : (b + 1) * BLOCK])
        for ago in range(1, p.n_held):
            hold(p, ring[(k - ago) % depth], number[(k - ago) % depth], v)
        fired, n_fired = ring[k % depth], 0
        for b in range(len(flagged)):
            if flagged[b]:
                for i in range(b * BLOCK, min(n, (b + 1) * BLOCK)):
                    if v[i] >= p.V_th:
                        fired[n_fired] = i
                        n_fired += 1
        slot = (k - p.back) % depth
        returned = ring[slot, : number[slot] if 0 < p.back <= k else 0]
        if p.apart:
            add_to_cells(left, 0, returned, cells)
        slot = (k - p.delay) % depth
        arrived, n_arrived = ring[slot], number[slot] if k >= p.delay else 0
        for q in range(n_arrived):
            j = arrived[q]
            if q + 1 < n_arrived and arrived[q + 1] < n_plastic:
                fetch_row(synapses, target, low[arrived[q + 1]], low[arrived[q + 1] + 1])
            fixed = fixed_target[fixed_low[j] : fixed_low[j + 1]]
            if j < n_plastic:
                row = slice(low[j], low[j + 1])
                arrive_plastic(p, synapses[row], target[row], before[j], cells, left, v)
                arrive_fixed(fixed, p.weight, v)
                before[j] += p.A_plus / left
            else:
                arrive_fixed(fixed, -p.inhibition, v)
        number[k % depth] = n_fired
        count += n_fired
        hold(p, fired, n_fired, v)
        if p.back == 0:
            returned = fired[:n_fired]
        add_to_cells(p.A_minus / left, 1, returned, cells)
        if not p.apart:
            add_to_cells(left, 0, returned, cells)
    return count


def rows(pre, post, n):
    """Synapses by source: where each row begins (n + 1,) and the targets."""
    order = np.lexsort((post, pre))
    return np.concatenate([[0], np.cumsum(np.bincount(pre, minlength=n))]), post[order].astype(np.uint16)


# The program --------------------------------------------------------------------------------------------------------


EQUAL = "tau_plus and tau_minus must be equal, of the Poisson neuron tau and twice that"


def assumed(holds, what=EQUAL):
    """Refuse settings that a kernel is not written for."""
    if not holds:
        raise SystemExit(f"kernels.py: {what}")


def single(*values):
    """As float32."""
    return [F(value) for value in values]


class Simulator:
    """Compiled by a run of no duration.

    The settings may say `back` [s], the time from a spike to the learning at the cell's own synapses: delays that are all dendritic make no other network
    than axonal ones of the same length with twice that as `back`; `late`: that a spike delivers the weight after its depression; and, where it takes
    time to come back, `apart`: that of two spikes which meet at a synapse in one step none learns from the other, where else the presynaptic is the first.
    """

    def __init__(self, settings):
        self.back, self.late, self.apart = (
            settings.get("back", 0.0),
            settings.get("late", False),
            settings.get("apart", False),
        )
        assumed(self.back > 0.0 or not self.apart, "spikes that are kept apart take time to come back")
        self.p, self.dt, self.seconds = settings["parameters"], settings["dt"], settings["seconds"]
        self.prepared = getattr(self, settings["kind"])
        self.graph = dict(np.load(settings["graph"])) if "graph" in settings else {}
        with Timed() as timed:
            self.prepared(0)[0](0.0)
        self.built = {"version": numba.__version__, "compile": timed.wall}

    def kempter(self, seed):
        """The run, how many cells it has, and its weights: so of each kind."""
        assumed(self.p["tau_plus"] == self.p["tau"] and self.p["tau_minus"] == 2 * self.p["tau"])
        numbers = [self.p["n_pre"] - self.p["n_modulated"], *(self.p[name] for name in Kempter._fields[1:])]
        w, state = np.full(self.p["n_pre"], self.p["weight"]), stream(seed)
        return (lambda seconds: run_kempter(seconds, Kempter(*numbers), w, state)), 1, lambda: w

    def song(self, seed):
        p, dt, state = self.p, self.dt, stream(seed)
        assumed(p["tau_plus"] == p["tau_minus"])
        lefts = (dt / p["tau_m"], 1.0 - dt / p["tau_ex"], math.exp(-dt / p["tau_plus"]))
        named = (p[name] for name in Song._fields[3:-4])
        gap, back = 1.0 / (p["n_pre"] * p["rate"] * dt), round(self.back / dt)
        assumed(back < 64, "back must be below 64 steps")
        numbers = Song(*single(*lefts, *named), gap, back, self.late, self.apart)
        w = np.random.default_rng(seed).uniform(0.0, p["w_max"], (p["n_pre"], p["n_post"])).astype(F)
        run, weights = (run_one, w[:, 0].copy()) if p["n_post"] == 1 else (run_many, w)
        return (lambda seconds: run(round(seconds / dt), numbers, weights, state)), p["n_post"], lambda: weights

    def balanced(self, seed):
        p, dt = self.p, self.dt
        assumed(p["tau_plus"] == p["tau_minus"])
        n = p["n_excitatory"] + p["n_inhibitory"]
        lefts = (p["E_L"] + p["drive"], math.exp(-dt / p["tau_m"]), math.exp(-dt / p["tau_plus"]))
        steps = (round(each / dt) for each in (p["delay"], p["refractory"], self.back))
        numbers = Balanced(
            *single(*lefts, *(p[name] for name in Balanced._fields[3:-5])), *steps, self.late, self.apart
        )
        low, target = rows(*self.graph["excitatory_to_excitatory"], p["n_excitatory"])
        fixed = np.hstack([self.graph[name] for name in self.graph if name != "excitatory_to_excitatory"])
        synapses = np.tile(np.array([p["weight"], 0.0], F), (len(target), 1))
        arrays = (synapses, low, target, *rows(*fixed, n), self.potentials(seed, n).astype(F))
        return (lambda seconds: run_balanced(round(seconds / dt), numbers, *arrays)), n, lambda: synapses[:, 0]

    def potentials(self, seed, n):
        """(n,) at the start, of a balanced network."""
        return np.random.default_rng(seed).uniform(self.p["V_reset"], self.p["V_th"], n)

    def run(self, seed):
        """One run."""
        with Timed() as laid_out:
            run, n, weights = self.prepared(seed)
        with Timed() as timed:
            count = run(self.seconds)
        return answer(timed, laid_out.wall, peak_memory(), count / self.seconds / n, weights())


if __name__ == "__main__":
    serve(Simulator)
