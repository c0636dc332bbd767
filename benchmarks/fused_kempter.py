"""The kempter1999 network as one hand-fused kernel: what the general event engine is measured against.

Everything is written out for this one network: 50 Poisson inputs at 10 Hz, the last 25 of them modulated at 40 Hz with an
amplitude of 10 Hz, one linear Poisson neuron with an alpha EPSP of 10 ms, and the learning window with tau_syn 5 ms,
tau_plus 1 ms, tau_minus 20 ms, A_plus = -A_minus = 1, without bounds. It is exact: events are drawn by thinning and all
traces are closed forms in between. Three things make it fast and belong to this network alone:

- the time constants are 20 ms over 1, 2, 4 and 20, so that one exponential gives all four decays;
- with A_minus = -A_plus the causal lobe of the window is kappa u exp(-u / tau_syn), u = t_post - t_pre, so that a trace of
  two sums per synapse replaces the history: sum_f g_f and sum_f t_f g_f, both scaled by exp(t / tau_syn);
- the modulation is compared with a polynomial for the cosine, and fastmath is on.

Source: network and window of Kempter, Gerstner & van Hemmen 1999 (PRE 59:4498) [recalled]; expected drift and spread [derived].
"""

import math
import time
from typing import NamedTuple

import numpy as np
from numba import njit, uint64

N, CONSTANT = 50, 25
RATE, FREQUENCY = 10.0, 40.0  # Hz; the amplitude equals the rate
ETA, W_IN, W_OUT, KAPPA = 1e-5, 1.0, -1.0475, 1 / 1e-3 - 1 / 20e-3  # the last in 1/s
INITIAL = 0.02
HORIZON = 0.5  # s after which the scaled traces are brought back to scale one


class Result(NamedTuple):
    """What one run leaves: times (n_times,) s, weights (n_times, n_pre), output_rate Hz, and the events it took."""

    times: np.ndarray
    weights: np.ndarray
    output_rate: float
    n_pre_spikes: int
    n_post_spikes: int
    cpu_seconds: float

    @property
    def mean_weight(self):
        """(n_times,) average over synapses."""
        return self.weights.mean(axis=1)

    @property
    def separation(self):
        """(n_times,) mean of the modulated minus mean of the constant group."""
        return self.weights[:, CONSTANT:].mean(axis=1) - self.weights[:, :CONSTANT].mean(axis=1)


@njit(inline="always")
def _next(a, b, c, d):
    """One step of xoshiro256++ with its state in registers: a uniform number in [0, 1) and the new state."""
    z = a + d
    z = ((z << uint64(23)) | (z >> uint64(41))) + a
    shifted = b << uint64(17)
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << uint64(45)) | (d >> uint64(19))
    return (z >> uint64(11)) * (1.0 / 9007199254740992.0), a, b, c, d


@njit(inline="always", fastmath=True)
def _cosine(cycles):
    """cos(2 pi cycles) from its Taylor series half a cycle either side of zero, wrong by less than 1e-10."""
    q = cycles - math.floor(cycles + 0.5)
    q = (q * (2 * math.pi)) ** 2
    tail = 1 / 40320 + q * (-1 / 3628800 + q * (1 / 479001600 + q * (-1 / 87178291200 + q * (1 / 20922789888000))))
    tail += q**5 * (-1 / 6402373705728000 + q / 2432902008176640000)
    return 1 + q * (-1 / 2 + q * (1 / 24 + q * (-1 / 720 + q * tail)))


@njit(fastmath=True)
def _run(weight, record_every, recorded, seed):
    """Advance until `recorded` (n_times, n_pre) is full, a row each `record_every` seconds; returns the two spike counts."""
    a, b, c, d = seed[0], seed[1], seed[2], seed[3]
    first, second = (
        np.zeros(N),
        np.zeros(N),
    )  # sum exp(t_f/tau_syn), sum t_f exp(t_f/tau_syn), t_f counted from `origin`
    origin, scale = 0.0, 1.0  # scale = exp(-(now - origin) / tau_syn)
    rising, potential = 0.0, 0.0  # the two states of the alpha EPSP; potential is the intensity in Hz
    fast, slow = 0.0, 0.0  # postsynaptic traces, tau_plus and tau_minus
    constant = CONSTANT * RATE
    inputs = constant + (N - CONSTANT) * 2 * RATE
    total = inputs
    t, last, row, stop = 0.0, 0.0, 0, record_every
    n_pre_spikes, n_post_spikes = 0, 0
    while True:
        u, a, b, c, d = _next(a, b, c, d)
        t -= math.log(1.0 - u) / total
        while t >= stop:
            recorded[row] = weight
            row += 1
            stop = (row + 1) * record_every
            if row == len(recorded):
                return n_pre_spikes, n_post_spikes
        u, a, b, c, d = _next(a, b, c, d)
        u *= total
        source = 0
        if u < constant:
            source = int(u * (1 / RATE))
        elif u < inputs:
            v = (u - constant) * (1 / (2 * RATE))
            k = int(v)
            if 2 * (v - k) >= 1 + _cosine(FREQUENCY * t):
                continue
            source = CONSTANT + k
        gone = t - last
        e = math.exp(gone * (-1 / 20e-3))
        e2 = e * e
        e4 = e2 * e2
        e8 = e4 * e4
        potential = (potential + rising * (gone / 10e-3)) * e2
        rising *= e2
        slow *= e
        fast *= e4 * e8 * e8
        scale *= e4
        last = t
        if u < inputs:
            n_pre_spikes += 1
            rising += weight[source] * (1 / 10e-3)
            weight[source] += ETA * (W_IN + fast - slow)
            grown = 1 / scale
            first[source] += grown
            second[source] += (t - origin) * grown
            if t - origin > HORIZON:
                for j in range(N):
                    second[j] = (second[j] - (t - origin) * first[j]) * scale
                    first[j] *= scale
                origin, scale = t, 1.0
        elif u < inputs + potential:
            n_post_spikes += 1
            fast += 1
            slow += 1
            for j in range(N):
                weight[j] += ETA * W_OUT + ETA * KAPPA * scale * ((t - origin) * first[j] - second[j])
        total = inputs + potential + rising * math.exp(-1.0)


def simulate(duration, seed=1, record_every=None, initial=INITIAL):
    """Run the network for `duration` seconds and record the weights each `record_every` seconds (default: once, at the end).

    The first row of the result is the start. A negative weight is allowed, a negative intensity is not drawn from.
    """
    n_rows = 1 if record_every is None else round(duration / record_every)
    recorded = np.empty((n_rows, N))
    weight = np.full(N, float(initial))
    state = np.random.SeedSequence(seed).generate_state(4, np.uint64)
    started = time.process_time()
    n_pre_spikes, n_post_spikes = _run(weight, duration / n_rows, recorded, state)
    cpu = time.process_time() - started
    times = np.arange(n_rows + 1) * (duration / n_rows)
    weights = np.vstack([np.full(N, float(initial)), recorded])
    return Result(times, weights, n_post_spikes / duration, n_pre_spikes, n_post_spikes, cpu)


def expected(t, causal=True):
    """Mean weight, separation and output rate [Hz] at time t [s] of the averaged equation, from a start at INITIAL.

    Two coupled group means, integrated exactly: dJ_c/dt and dJ_m/dt of the learning equation, with k1 = 1e-4, k2 = -1e-4,
    k3 = 1e-5 * 10 * 19/27 (zero without the causal term) and Q = 6.837e-7 per second among modulated inputs [derived].
    """
    k1, k2, k3, q = ETA * W_IN * RATE, -1e-4, ETA * RATE * 19 / 27 * causal, 6.837e-7
    half = CONSTANT
    matrix = np.array([[half * k2 + k3, half * k2], [half * k2, half * (k2 + q) + k3]])
    rest = -np.linalg.solve(matrix, np.full(2, k1))
    values, vectors = np.linalg.eig(matrix)
    constant, modulated = rest + vectors @ (np.exp(values * t) * np.linalg.solve(vectors, INITIAL - rest))
    mean = (constant + modulated) / 2
    return mean, modulated - constant, N * RATE * mean


def main():
    """Print CPU microseconds per biological second and the state at the end beside theory."""
    simulate(1.0)
    runs = [simulate(20000.0, seed) for seed in range(8)]
    micro = [1e6 * r.cpu_seconds / 20000.0 for r in runs]
    print(f"CPU per biological second: median {np.median(micro):.1f} us, best {min(micro):.1f} us")
    found = np.array([(r.mean_weight[-1], r.separation[-1], r.output_rate) for r in runs])
    error = found.std(axis=0, ddof=1) / math.sqrt(len(runs))
    for name, mean, spread, theory in zip(
        ("mean weight", "separation", "output rate"), found.mean(axis=0), error, expected(20000.0), strict=True
    ):
        print(f"{name}: {mean:.5f} +- {spread:.5f}, theory {theory:.5f}")


if __name__ == "__main__":
    main()
