"""Plain twins of the rules and the neuron, written from the papers' equations as sums over all pairs and triplets of spikes.

They take spike trains (lists of times, one per cell) and know nothing of traces, hooks or engines. A presynaptic spike counts as the
earlier of two coincident ones.
"""

import math

import numpy as np


def kempter_window(s, A_plus=1.0, A_minus=-1.0, tau_plus=1e-3, tau_minus=20e-3, tau_syn=5e-3):
    """W(s) with s = t_pre - t_post."""
    if s <= 0:
        slope_plus = 1 / tau_syn + 1 / tau_plus
        slope_minus = 1 / tau_syn + 1 / tau_minus
        return math.exp(s / tau_syn) * (A_plus * (1 - s * slope_plus) + A_minus * (1 - s * slope_minus))
    return A_plus * math.exp(-s / tau_plus) + A_minus * math.exp(-s / tau_minus)


def double_exponential(s, A_plus, A_minus, tau_plus, tau_minus):
    """W(s) with s = t_pre - t_post."""
    return A_plus * math.exp(s / tau_plus) if s <= 0 else -A_minus * math.exp(-s / tau_minus)


def in_order(pre, post):
    """All spikes as (t, kind, cell), sorted by time, a presynaptic spike (kind 0) before a postsynaptic one (kind 1)."""
    spikes = [(t, 0, j) for j, train in enumerate(pre) for t in train]
    spikes += [(t, 1, i) for i, train in enumerate(post) for t in train]
    return sorted(spikes)


def spike_hebb(pre, post, w, window, eta, w_in, w_out, w_min=-math.inf, w_max=math.inf):
    """Weights (n_post, n_pre) after all spikes: each spike, and each pair when its later spike comes, changes them at once."""
    w = np.array(w, float)
    for t, kind, cell in in_order(pre, post):
        if kind == 0:
            for i, train in enumerate(post):
                change = w_in + sum(window(t - t_post) for t_post in train if t_post < t)
                w[i, cell] = min(max(w[i, cell] + eta * change, w_min), w_max)
        else:
            for j, train in enumerate(pre):
                change = w_out + sum(window(t_pre - t) for t_pre in train if t_pre <= t)
                w[cell, j] = min(max(w[cell, j] + eta * change, w_min), w_max)
    return w


def triplet(
    pre,
    post,
    w,
    A2_plus,
    A3_plus,
    A2_minus,
    A3_minus,
    tau_plus,
    tau_minus,
    tau_x,
    tau_y,
    eta=1.0,
    w_min=0.0,
    w_max=math.inf,
):
    """Weights (n_post, n_pre) after all spikes; a spike's own slow trace is read before the spike adds to it."""
    w = np.array(w, float)

    def trace(train, t, tau, own):
        return sum(math.exp(-(t - u) / tau) for u in train if (u < t if own else u <= t))

    for t, kind, cell in in_order(pre, post):
        if kind == 0:
            r2 = trace(pre[cell], t, tau_x, own=True)
            for i, train in enumerate(post):
                o1 = trace(train, t, tau_minus, own=True)  # a coincident postsynaptic spike comes after this one
                w[i, cell] = min(max(w[i, cell] - eta * o1 * (A2_minus + A3_minus * r2), w_min), w_max)
        else:
            o2 = trace(post[cell], t, tau_y, own=True)
            for j, train in enumerate(pre):
                r1 = trace(train, t, tau_plus, own=False)
                w[cell, j] = min(max(w[cell, j] + eta * r1 * (A2_plus + A3_plus * o2), w_min), w_max)
    return w


def alpha_potential(t, pre, weights, tau):
    """u(t) = sum over earlier spikes of J_j (t - t_j) / tau^2 exp(-(t - t_j) / tau)."""
    return sum(
        weight * (t - u) / tau**2 * math.exp(-(t - u) / tau)
        for weight, train in zip(weights, pre, strict=True)
        for u in train
        if u < t
    )


def alpha_potential_integral(start, stop, pre, weights, tau):
    """int_start^stop u(t) dt, from the antiderivative 1 - (1 + x) exp(-x), x = (t - t_j) / tau, of one EPSP."""

    def area(x):
        return 1 - (1 + x) * math.exp(-x) if x > 0 else 0.0

    return sum(
        weight * (area((stop - u) / tau) - area((start - u) / tau))
        for weight, train in zip(weights, pre, strict=True)
        for u in train
        if u < stop
    )
