"""Plain twins of the rules and the neurons, written from the papers' equations as sums over all pairs and triplets of spikes.

They take spike trains (lists of times, one per cell) and know nothing of traces, hooks or engines. A presynaptic spike counts as the
earlier of two coincident ones. Twins of the neurons are closed forms, or their equations solved by scipy.
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
    nearest=0,
):
    """Weights (n_post, n_pre) after all spikes; a spike's own slow trace is read before the spike adds to it. nearest: only the last spike is in a trace."""
    w = np.array(w, float)

    def trace(train, t, tau, own):
        earlier = [u for u in train if (u < t if own else u <= t)]
        return sum(math.exp(-(t - u) / tau) for u in (earlier[-1:] if nearest else earlier))

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


def paired(scheme, earlier, own, t):
    """Of spikes `earlier` of the other side, those that a spike at t is paired with; own: earlier spikes of its own side. Presynaptic spikes first."""
    if scheme == "all-to-all" or not earlier:
        return earlier
    last = earlier[-1]
    if scheme == "nearest symmetric":
        return [last]
    return [last] if not own or last > own[-1] else []


def stdp(pre, post, w, scheme, f_plus, f_minus, tau_plus, tau_minus, w_min, w_max, noise=None, scale=None):
    """Weights (n_post, n_pre) after all spikes, with amplitudes f_plus(w) and f_minus(w), by the schemes of Morrison et al. 2008, Fig. 7.

    noise: of the number of synapses of a spike, a random factor for each, on its weight and the root of the sum of the squares of what its pairs are worth.
    scale: of the earlier spikes of the target, and the time of a presynaptic one, what multiplies f_minus.
    """
    w = np.array(w, float)
    for t, kind, cell in in_order(pre, post):
        n = len(post if kind == 0 else pre)
        random = noise(n) if noise is not None else np.zeros(n)
        for other in range(n):
            j, i = (cell, other) if kind == 0 else (other, cell)
            before = [u for u in pre[j] if (u < t if kind == 0 else u <= t)]
            after = [u for u in post[i] if u < t]
            if kind == 0:
                # each presynaptic spike with the last postsynaptic one; reduced: unless a presynaptic one came in between
                hidden = scheme == "reduced symmetric" and before and after and before[-1] > after[-1]
                found = paired("all-to-all" if scheme == "all-to-all" else "nearest symmetric", after, before, t)
                worth = [math.exp((u - t) / tau_minus) for u in ([] if hidden else found)]
                change = -f_minus(w[i, j]) * sum(worth) * (1.0 if scale is None else scale(after, t))
            else:
                fresh = [u for u in before if not after or u > after[-1]]
                found = fresh if scheme == "presynaptic-centred" else paired(scheme, before, after, t)
                worth = [math.exp((u - t) / tau_plus) for u in found]
                change = f_plus(w[i, j]) * sum(worth)
            change += w[i, j] * random[other] * math.sqrt(sum(e**2 for e in worth))
            w[i, j] = min(max(w[i, j] + change, w_min), w_max)
    return w


def vogels(pre, post, w, eta, rho_0, tau, w_min=0.0, w_max=math.inf):
    """Weights (n_post, n_pre) after all spikes: pairs strengthen in any order, each presynaptic spike takes 2 rho_0 tau."""
    w = np.array(w, float)
    for t, kind, cell in in_order(pre, post):
        if kind == 0:
            for i, train in enumerate(post):
                pairs = sum(math.exp((u - t) / tau) for u in train if u < t)
                w[i, cell] = min(max(w[i, cell] + eta * (pairs - 2 * rho_0 * tau), w_min), w_max)
        else:
            for j, train in enumerate(pre):
                pairs = sum(math.exp((u - t) / tau) for u in train if u <= t)
                w[cell, j] = min(max(w[cell, j] + eta * pairs, w_min), w_max)
    return w


def voltage_stdp(
    u,
    arrivals,
    dt,
    w,
    A_LTD,
    A_LTP,
    theta_minus,
    theta_plus,
    tau_x,
    tau_minus,
    tau_plus,
    n_late,
    w_min,
    w_max,
    scale=None,
):
    """Weights (n_post, n_pre) after all steps of dt, one step and one synapse at a time.

    u (n_steps, n_post): the potential, which stands through each step; arrivals: of each source the steps of its spikes; n_late: steps by which averages
    are late; scale (n_steps, n_post): of depression. The averages of earlier times are theta_minus.
    """
    w = np.array(w, float)
    ages = np.arange(len(u))

    def average(i, k, tau):
        past, kept = u[: max(k - n_late, 0), i], math.exp(-dt / tau)
        weights = (1.0 - kept) * kept ** ages[: len(past)][::-1]
        return theta_minus * kept ** len(past) + (weights * past).sum()

    for k in range(len(u)):
        for i in range(len(w)):
            low, high = average(i, k, tau_minus), average(i, k, tau_plus)
            for j, train in enumerate(arrivals):
                for _ in range(train.count(k)):
                    loss = A_LTD * max(low - theta_minus, 0.0) * (1.0 if scale is None else scale[k, i])
                    w[i, j] = max(w[i, j] - loss, w_min)
                trace = sum(math.exp((s - k) * dt / tau_x) for s in train if s <= k) / tau_x
                gain = A_LTP * trace * max(u[k, i] - theta_plus, 0.0) * max(high - theta_minus, 0.0)
                w[i, j] = min(w[i, j] + gain * dt, w_max)
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


def pair_changes(arrivals, returns, w, A_plus, A_minus, tau_plus, tau_minus, w_min, w_max, apart=False):
    """One synapse after presynaptic spikes that arrive and postsynaptic spikes that return, each a list of times: additive, all-to-all; apart: but for
    pairs at one time."""
    for t, kind, _ in in_order([arrivals], [returns]):
        if kind == 0:
            w -= A_minus * sum(math.exp((s - t) / tau_minus) for s in returns if s < t)
        else:
            w += A_plus * sum(math.exp((s - t) / tau_plus) for s in arrivals if s < t or (s == t and not apart))
        w = min(max(w, w_min), w_max)
    return w


def delta_network(n_steps, dt, sizes, injected, cells, links):
    """A network of leaky integrate-and-fire cells with delta synapses, one synapse and one step at a time; spikes and weights at the end.

    sizes: population -> cells; injected: population -> {step: [cells that spike]} for inputs; cells: population -> dict of tau_m, E_L, V_th, V_reset,
    n_held (steps), v (initial list); links: list of dicts of source, target, sign, and synapses as lists pre, post, w, delay and dendrite (steps), and
    rule, a dict of the arguments of `pair_changes` or None. The order in a step: cells move, spikes arrive, spikes return, cells reset. What
    arrives in the n_held steps from a cell's spike on is lost.
    Returns spikes (population -> list of (step, cell)) and the weights of each link, in its own order.
    """
    v = {name: list(of["v"]) for name, of in cells.items()}
    spikes = {name: [] for name in sizes}
    fired = {name: {} for name in sizes}  # step -> cells
    weights = [list(link["w"]) for link in links]
    last = {name: [-(10**9)] * sizes[name] for name in cells}
    due = {}  # step -> [(population, cell, amount)] on their way down a dendrite
    for k in range(n_steps):
        for name, of in injected.items():
            fired[name][k] = sorted(of.get(k, []))
        for name, of in cells.items():
            fired[name][k] = []
            for i in range(sizes[name]):
                v[name][i] = of["E_L"] + (v[name][i] - of["E_L"]) * math.exp(-dt / of["tau_m"])
                if k - last[name][i] < of["n_held"]:
                    v[name][i] = of["V_reset"]
                elif v[name][i] >= of["V_th"]:
                    fired[name][k].append(i)
                    last[name][i] = k
        for name, now in fired.items():
            spikes[name] += [(k, i) for i in now.get(k, [])]
        for link, w in zip(links, weights, strict=True):
            for n, (j, i) in enumerate(zip(link["pre"], link["post"], strict=True)):
                for nth in range(fired[link["source"]].get(k - link["delay"][n], []).count(j)):
                    if link["rule"] is not None:
                        w[n] = learned(link, n, spikes, k, dt, nth)
                    due.setdefault(k + link["dendrite"][n], []).append((link["target"], i, link["sign"] * w[n]))
        for name, i, amount in due.pop(k, []):
            if k - last[name][i] >= cells[name]["n_held"]:
                v[name][i] += amount
        for name, of in cells.items():
            for i in fired[name][k]:
                v[name][i] = of["V_reset"]
    for link, w in zip(links, weights, strict=True):
        if link["rule"] is not None:
            w[:] = [learned(link, n, spikes, n_steps - 1, dt) for n in range(len(w))]
    return spikes, weights


def learned(link, n, spikes, k, dt, n_arrived=None):
    """The weight of a link's n-th synapse after step k; or within it, after n_arrived of the spikes that arrive in it and before any returns."""
    j, i = link["pre"][n], link["post"][n]
    arrivals = [s + link["delay"][n] for s, cell in spikes[link["source"]] if cell == j]
    returns = [s + link["dendrite"][n] for s, cell in spikes[link["target"]] if cell == i]
    if n_arrived is not None:
        arrivals = [s for s in arrivals if s < k] + [k] * n_arrived
        returns = [s for s in returns if s < k]
    times = [[s * dt for s in train if s <= k] for train in (arrivals, returns)]
    return pair_changes(*times, link["w"][n], **link["rule"])


# Neurons of the clock-driven engine ---------------------------------------------------------------------------------


def course(s, kind, tau):
    """The input by one spike of weight 1, a time s >= 0 after it: an exponential from 1, or an alpha function with a peak of 1 at tau."""
    return np.exp(-s / tau) if kind == "exponential" else s / tau * np.exp(1.0 - s / tau)


def membrane(s, kind, tau, tau_m):
    """What a spike of weight 1 leaves in tau_m dv/dt = -v + input, a time s >= 0 after it (kind "delta": a jump of v)."""
    if kind == "delta":
        return np.exp(-s / tau_m)
    if kind == "exponential":
        if tau == tau_m:
            return s / tau * np.exp(-s / tau)
        return tau / (tau - tau_m) * (np.exp(-s / tau) - np.exp(-s / tau_m))
    if tau == tau_m:
        return math.e * s**2 / (2.0 * tau**2) * np.exp(-s / tau)
    k = 1.0 / tau_m - 1.0 / tau
    return math.e / (tau * tau_m) * (np.exp(-s / tau) * (k * s - 1.0) + np.exp(-s / tau_m)) / k**2


def solved(slope, start, begin, end, breaks=(), events=None):
    """The solution of dx/dt = slope(t, x) from `begin` to `end`, begun anew at each of the breaks, and scipy's result for the last piece."""
    from scipy.integrate import solve_ivp

    x = np.asarray(start, float)
    edges = [begin, *(t for t in sorted(breaks) if begin < t < end), end]
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        result = solve_ivp(slope, (low, high), x, method="DOP853", rtol=1e-12, atol=1e-15, events=events, max_step=1e-3)
        x = result.y[:, -1]
    return x, result


def conductance_slope(cell, kind, spikes):
    """dv/dt of a conductance-based cell; spikes: (t, port, weight)."""

    def slope(t, v):
        g = [0.0, 0.0]
        for t_spike, port, weight in spikes:
            tau = (cell.synapses.tau_ex, cell.synapses.tau_in)[port]
            g[port] += weight * course(t - t_spike, kind, tau) if t >= t_spike else 0.0
        return (cell.E_L - v + cell.drive + g[0] * (cell.E_ex - v) + g[1] * (cell.E_in - v)) / cell.tau_m

    return slope


def adex_slope(cell, current):
    """d/dt of (v, w, z, V_T) of the adaptive exponential cell, with an input current(t)."""

    def slope(t, x):
        v, w, z, V_T = x
        upswing = cell.g_L * cell.Delta_T * np.exp((v - V_T) / cell.Delta_T)
        dv = (-cell.g_L * (v - cell.E_L) + upswing - w + z + current(t)) / cell.C
        dw = (cell.a * (v - cell.E_L) - w) / cell.tau_w
        return [dv, dw, -z / cell.tau_z, (cell.V_Trest - V_T) / cell.tau_VT]

    return slope


def adex_spikes(cell, drive, duration, held):
    """Spike times of the adaptive exponential cell from rest under a constant current; the spike lasts `held`.

    A spike is where v passes 0 mV, from where the upswing takes another nanosecond or so to any peak.
    """
    slope = adex_slope(cell, lambda t: drive)

    def peak(t, x):
        return x[0]

    peak.terminal = True
    t, x, spikes = 0.0, [cell.E_L, 0.0, 0.0, cell.V_Trest], []
    while t < duration:
        x, result = solved(slope, x, t, duration, events=peak)
        if not len(result.t_events[0]):
            break
        spikes.append(result.t_events[0][0])
        w_end = cell.a * (cell.V_reset - cell.E_L)
        w = w_end + (x[1] + cell.b - w_end) * math.exp(-held / cell.tau_w)
        t, x = spikes[-1] + held, [cell.V_reset, w, cell.I_sp, cell.V_Tmax]
    return np.array(spikes)


def izhikevich_script(a, b, c, d, current, n_steps):
    """Steps of 1 ms in which the cell fires, v and u after each, in mV and ms: the published loop, fired cells being reset at once."""
    v, u = c, b * c
    fired, traces = [], []
    for k in range(n_steps):
        v += 0.5 * (0.04 * v**2 + 5 * v + 140 - u + current)
        v += 0.5 * (0.04 * v**2 + 5 * v + 140 - u + current)
        u += a * (b * v - u)
        if v >= 30:
            fired.append(k)
            v, u = c, u + d
        traces.append((v, u))
    return fired, np.array(traces)


def izhikevich_slope(current):
    """d/dt of (v, u) of the regular spiking cell, in mV and ms."""

    def slope(t, x):
        v, u = x
        return [0.04 * v**2 + 5 * v + 140 - u + current, 0.02 * (0.2 * v - u)]

    return slope


def escape_interval(rate, dead):
    """(mean, standard deviation) of the intervals of a renewal process that is silent for `dead` and then has the hazard rate(s)."""
    s = np.linspace(0.0, 3.0, 3_000_001)
    hazard = rate(s)
    total = np.concatenate([[0.0], np.cumsum(0.5 * (hazard[1:] + hazard[:-1]) * (s[1] - s[0]))])
    survivor = np.exp(-total)
    mean = np.trapezoid(survivor, s)
    square = np.trapezoid(2.0 * s * survivor, s)
    return dead + mean, math.sqrt(square - mean**2)


# Rules of rates -----------------------------------------------------------------------------------------------------


def rates_learned(rule, shown, T, w, output):
    """Weights (n_post, n_pre) after rates (n_holds, n_pre), each held for T: one equation for each rule, as its paper has it.

    output(w, x): the output rates (n_post,). Deviations are from the mean over all holds so far, and later from one that forgets with rule.tau.
    """
    w, sliding = np.array(w, float), None
    means, frozen, total = None, None, None
    for k, x in enumerate(shown):
        y = output(w, x)
        if hasattr(rule, "tau"):
            rates = np.concatenate([x, y])
            means = rates if k == 0 else means + max(1.0 / (k + 1), 1.0 - math.exp(-T / rule.tau)) * (rates - means)
            X, Y = np.split(rates - means, [len(x)])
        match type(rule).__name__:
            case "Hebb":
                change = rule.eta * np.outer(y, x)
            case "Covariance":
                change = rule.eta * np.outer(Y, X)
            case "Oja":
                change = rule.eta * (np.outer(Y, X) - (Y**2)[:, None] * w)
            case "Sanger":
                change = rule.eta * (np.outer(Y, X) - np.tril(np.outer(Y, Y)) @ w)
            case "Linsker":
                change = rule.k1 + (rule.k2 * w.sum(axis=1, keepdims=True) + rule.eta * np.outer(Y, X)) / len(x)
            case "NonlinearHebb":
                change = rule.eta * np.outer([rule.nonlinearity.of_rate(each) for each in y], x)
            case "BCM":
                sliding = np.full(len(y), rule.threshold.rho_0**2) if sliding is None else sliding
                change = rule.eta * np.outer(y * (y - rule.theta * sliding / rule.threshold.rho_0**2), x)
                sliding = y**2 + (sliding - y**2) * math.exp(-T / rule.threshold.tau)
            case "Miller":
                low, high = rule.w_min * rule.arbor, rule.w_max * rule.arbor
                w = np.clip(w, low, high)
                frozen, total = (w <= low) | (w >= high), w.sum(axis=1) if k == 0 else total
                grown = np.where(frozen, 0.0, rule.arbor * rule.eta * np.outer(rule.interaction @ Y, X))
                free = np.where(frozen, 0.0, rule.arbor)
                lost = (w + T * grown).sum(axis=1) - total
                change = grown - free * (lost / np.maximum(free.sum(axis=1), 1e-300))[:, None] / T
                w = np.clip(w + T * change, low, high)
                continue
        w = np.clip(w + T * change, rule.w_min, rule.w_max)
    return w


def smoothed_learned(rule, pre, post, w, smoothing, t_end):
    """Weights (n_post, n_pre) that a rule of rates makes of spike trains (lists of times [s]), looked at five times in a smoothing time, at the end of each hold."""
    T = smoothing / 5
    ends = T * np.arange(1, int(t_end / T + 1e-9) + 1)

    def rates(trains):
        """(n_holds, n) Hz, by the spikes before."""
        return np.array(
            [[sum(math.exp((s - t) / smoothing) for s in train if s < t) / smoothing for train in trains] for t in ends]
        )

    y = iter(rates(post))
    return rates_learned(rule, rates(pre), T, w, lambda w, x: next(y))


def network_learned(network, t_end, T):
    """Projection -> weights (n_post, n_pre) of Poisson neurons without noise after the holds that are over by t_end: rules of Oja and Hebb, covariance; L1 and L2.

    Inputs show patterns in order, each for T, or rates that stay. Rates of cells are relaxed by halves.
    """
    w = {each.name: each.initial_weights(1) for each in network.projections}
    norms = [each for each in network.projections if each.normalisation.every < math.inf]
    edges = {
        round(k * every, 9) for every in (T, *(each.normalisation.every for each in norms)) for k in range(1, 1000)
    }
    means, y, now = {}, {each.name: np.zeros(each.n) for each in network.populations}, 0.0
    for t in sorted(edge for edge in edges if edge <= t_end):
        y |= {each.name: _shown(each, now, T) for each in network.populations if each.is_input}
        for _ in range(300):
            y |= {
                each.name: 0.5 * (y[each.name] + _come_of(network, each, w, y))
                for each in network.populations
                if not each.is_input
            }
        for each in network.learning:
            rule, rates = each.rule, np.concatenate([y[each.source.name], y[each.target.name]])
            share = max((t - now) / t, 1.0 - math.exp(-(t - now) / getattr(rule, "tau", math.inf)))
            before = means.get(each.name, 0.0 * rates)
            means[each.name] = before + share * (rates - before)
            X, Y = np.split(rates - means[each.name], [each.source.n])
            change = {
                "Hebb": rule.eta * np.outer(y[each.target.name], y[each.source.name]),
                "Covariance": rule.eta * np.outer(Y, X),
                "Oja": rule.eta * (np.outer(Y, X) - (Y**2)[:, None] * w[each.name]),
            }[type(rule).__name__]
            w[each.name] = np.clip(w[each.name] + (t - now) * change, rule.w_min, rule.w_max)
        for each in norms:
            if abs(round(t / each.normalisation.every) * each.normalisation.every - t) < 1e-6:
                order = {"L1": 1, "L2": 2}[type(each.normalisation).__name__]
                length = np.linalg.norm(w[each.name], order, axis=1, keepdims=True)
                w[each.name] = np.clip(
                    w[each.name] * each.normalisation.norm / length, each.rule.w_min, each.rule.w_max
                )
        now = t
    return w


def _shown(population, t, T):
    """(n,) Hz."""
    model = population.model
    if not hasattr(model, "patterns"):
        return model.mean_rates(population.n)
    return model.patterns[int(t / T + 1e-6) % len(model.patterns)]


def _come_of(network, population, w, y):
    """(n,) Hz: what the rates y make of cells."""
    arriving = np.zeros(population.n)
    for each in network.projections:
        if each.target is population:
            arriving += (-1.0 if each.receptor == "inhibitory" else 1.0) * w[each.name] @ y[each.source.name]
    return np.maximum(population.model.gain * (population.model.base_rate + arriving), 0.0)
