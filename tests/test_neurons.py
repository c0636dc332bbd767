"""The neurons of the clock-driven engine against closed forms, high-accuracy solutions of their equations, and renewal theory."""

import math

import naive
import numpy as np
import pytest
from interpreting import both_ways
from stepping import prepared, stepped

from hebbscope.models import (
    LIF,
    AdEx,
    AlphaSynapses,
    ConductanceLIF,
    DeltaSynapses,
    EscapeNoise,
    ExponentialPoisson,
    ExponentialSynapses,
    Izhikevich,
    LinearPoisson,
)
from hebbscope.models.experiments.catalogue import parts
from hebbscope.simulator.protocols import ParameterError, receptors_of

EXCITATORY, INHIBITORY = 0, 1
SYNAPSES = {
    "delta": DeltaSynapses(),
    "exponential": ExponentialSynapses(tau_ex=5e-3, tau_in=9e-3),
    "alpha": AlphaSynapses(tau_ex=4e-3, tau_in=20e-3),
}
NEURONS = [
    *(LIF(synapses=synapses) for synapses in SYNAPSES.values()),
    *(ConductanceLIF(synapses=SYNAPSES[kind]) for kind in ("exponential", "alpha")),
    *(AdEx(synapses=SYNAPSES[kind]) for kind in ("delta", "exponential")),
    *(Izhikevich(synapses=SYNAPSES[kind]) for kind in ("delta", "exponential")),
    *(EscapeNoise(synapses=synapses) for synapses in SYNAPSES.values()),
    LinearPoisson(),
    ExponentialPoisson(),
]
UNIT = {LIF: 1e-3, ConductanceLIF: 0.1, AdEx: 1e-12, Izhikevich: 1e-3, EscapeNoise: 1e-3, LinearPoisson: 0.1}


def named(neuron):
    return f"{type(neuron).__name__}-{type(getattr(neuron, 'synapses', None)).__name__}"


def unit(neuron):
    """A weight of ordinary size."""
    delta = isinstance(getattr(neuron, "synapses", None), DeltaSynapses)
    return 1e-3 if delta else UNIT.get(type(neuron), 0.1)


def order(errors):
    """The slope of log error over log dt, for steps that are halved each time."""
    return np.polyfit(np.arange(len(errors)), -np.log2(errors), 1)[0]


# What all do --------------------------------------------------------------------------------------------------------


def test_every_neuron_is_tried():
    assert {type(neuron) for neuron in NEURONS} == set(parts("neuron").values())


@pytest.mark.parametrize("neuron", NEURONS, ids=named)
def test_what_is_monitored_is_there(neuron):
    state = prepared(neuron, 1e-4, n=7)[1].state
    assert "v" in neuron.monitored or neuron.monitored == ("psp",)
    for name in neuron.monitored:
        assert getattr(state, name).shape == (7,)


def from_65_mV(state):
    """Away from where inhibition pulls."""
    if hasattr(state, "v"):
        state.v.fill(-65e-3)


@pytest.mark.parametrize("neuron", NEURONS, ids=named)
def test_ports(neuron):
    """An excitatory spike raises the potential, an inhibitory one lowers it, and both leave the other cells alone."""
    spikes, name = [(20, EXCITATORY, 0, unit(neuron)), (20, INHIBITORY, 1, unit(neuron))], neuron.monitored[0]
    trace = stepped(neuron, 40, spikes=spikes, n=3, record=[name], prepare=from_65_mV).traces[name]
    assert receptors_of(neuron) == ("excitatory", "inhibitory")
    assert (trace[:20] == trace[:20, 2:]).all()
    assert (trace[22:, 0] > trace[22:, 2]).all() and (trace[22:, 1] < trace[22:, 2]).all()


@pytest.mark.parametrize("neuron", NEURONS, ids=named)
def test_a_cell_does_not_feel_the_others(neuron):
    """300 cells in two blocks, one of which is driven: it does what it does alone; the others are as without it."""
    name, times = neuron.monitored[0], range(5, 100, 7)
    many = stepped(neuron, 120, spikes=[(k, EXCITATORY, 270, unit(neuron)) for k in times], n=300, record=[name])
    alone = stepped(neuron, 120, spikes=[(k, EXCITATORY, 0, unit(neuron)) for k in times], record=[name])
    assert (many.traces[name][:, 270] == alone.traces[name][:, 0]).all()
    others = np.delete(many.traces[name], 270, axis=1)
    assert (others == others[:, :1]).all() and (others[-1, 0] != many.traces[name][-1, 270])


def after_a_spike(state):
    """With what a spike leaves."""
    for name, value in (("eta", -20e-3), ("z", 400e-12)):
        if hasattr(state, name):
            getattr(state, name).fill(value)


@pytest.mark.parametrize("neuron", NEURONS, ids=named)
def test_silence_is_not_denormal(neuron):
    """What decays is next to nothing after seventy time constants, and never a denormal number, which would slow every step."""
    names = {"g_ex", "g_in", "rise_ex", "rise_in", "rise", "psp", "eta", "z"}
    if "V_th" in neuron._fields:  # where the potential, too, decays to 0
        resting = {"E_L": 0.0, "V_th": 0.5, "V_reset": 0.1, "drive": 0.0}
        neuron = neuron._replace(**{name: value for name, value in resting.items() if name in neuron._fields})
        names.add("v")
    spikes = [(3, port, 0, unit(neuron)) for port in (EXCITATORY, INHIBITORY)]
    state = stepped(neuron, 40_000, spikes=spikes, prepare=after_a_spike).state
    for name in names & set(state._fields):
        left = np.abs(getattr(state, name))
        assert (np.finfo(np.float32).tiny < left).all() and (left < 1e-25).all(), name


PROGRAM = """
import numpy as np
from stepping import stepped
from test_neurons import NEURONS, unit
for neuron in NEURONS:
    rng = np.random.default_rng(5)
    spikes = [(int(k), int(k) % 2, int(k) % 3, 60 * unit(neuron)) for k in np.sort(rng.choice(300, 60))]
    course = stepped(neuron, 300, spikes=spikes, n=3, record=neuron.monitored)
    print(course.k.tobytes().hex(), *(trace.tobytes().hex() for trace in course.traces.values()), sep="")
"""


def test_the_jit_leaves_no_mark():
    compiled, plain = both_ways(PROGRAM)
    assert compiled == plain and len(plain.split()) == len(NEURONS)


@pytest.mark.parametrize(
    "neuron, field",
    [
        (LIF(V_reset=-40e-3), "LIF.V_reset: must be below V_th"),
        (LIF(synapses=3.0), "LIF.synapses: must be a synapses part, got 3"),
        (LIF(synapses=ExponentialSynapses(tau_in=0.0)), "ExponentialSynapses.tau_in: must be > 0 s"),
        (ConductanceLIF(V_reset=-50e-3), "ConductanceLIF.V_reset: must be below V_th"),
        (ConductanceLIF(synapses=DeltaSynapses()), "ConductanceLIF.synapses: must open conductances"),
        (AdEx(V_reset=30e-3), "AdEx.V_reset: must be below V_peak"),
        (AdEx(V_Trest=30e-3), "AdEx.V_Trest: must be below V_peak"),
        (Izhikevich(c=40e-3), "Izhikevich.c: must be below V_peak"),
    ],
)
def test_what_is_wrong_is_named(neuron, field):
    with pytest.raises(ParameterError, match=field.replace(".", r"\.")):
        neuron.check()


# Leaky integrate-and-fire -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dt", [1e-4, 1e-3, 7e-3])
@pytest.mark.parametrize("tau_m", [20e-3, 10e-3, 9e-3])
@pytest.mark.parametrize("kind", SYNAPSES)
def test_the_membrane_is_exact_for_any_time_step(kind, tau_m, dt):
    """Sums of closed-form responses; with tau_m = 9 ms that of inhibition has a double pole."""
    rng, n_steps = np.random.default_rng(3), 100
    neuron = LIF(tau_m=tau_m, V_th=1.0, drive=3e-3, synapses=SYNAPSES[kind])
    spikes = [
        (int(k), int(port), 0, a)
        for k, port, a in zip(
            rng.integers(0, n_steps, 40), rng.integers(0, 2, 40), rng.uniform(0, 5e-3, 40), strict=True
        )
    ]
    names = neuron.monitored
    traces = stepped(neuron, n_steps, dt, spikes, record=names).traces
    t = (np.arange(n_steps) + 1) * dt
    v = neuron.E_L + neuron.drive + (neuron.V_reset - neuron.E_L - neuron.drive) * np.exp(-t / tau_m)
    g = [np.zeros(n_steps), np.zeros(n_steps)]
    for k, port, _, a in spikes:
        tau = getattr(neuron.synapses, ("tau_ex", "tau_in")[port], 0.0)
        since = t - (k + 1) * dt
        late = since > -0.5 * dt
        v[late] += (1.0, -1.0)[port] * a * naive.membrane(np.abs(since[late]), kind, tau, tau_m)
        if kind != "delta":
            g[port][late] += a * naive.course(np.abs(since[late]), kind, tau)
    np.testing.assert_allclose(traces["v"][:, 0], v, rtol=0, atol=1e-13)
    for name, expected in zip(names[1:], g, strict=False):
        np.testing.assert_allclose(traces[name][:, 0], expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("refractory, n_held", [(0.0, 0), (1e-4, 0), (2e-3, 19)])
@pytest.mark.parametrize("drive", [20.5e-3, 22e-3, 40e-3])
def test_lif_fires_at_the_rate_of_the_closed_form(drive, refractory, n_held):
    """Threshold is reached tau_m ln(drive / (drive - 20 mV)) after reset, noticed at the next step; reset stands for the rest of its own step."""
    neuron = LIF(drive=drive, refractory=refractory)
    n_up = math.ceil(neuron.tau_m * math.log(drive / (drive - 20e-3)) / 1e-4)
    k = stepped(neuron, 10_000).k
    assert (k == n_up - 1 + (n_held + n_up) * np.arange(len(k))).all() and len(k) == (10_000 + n_held) // (
        n_held + n_up
    )


def test_lif_fires_where_it_is_at_threshold():
    neuron = LIF(tau_m=1e20, E_L=0.0, V_reset=0.0, V_th=0.5, drive=0.0)
    assert stepped(neuron, 10, spikes=[(3, EXCITATORY, 0, 0.5)]).k.tolist() == [4]
    assert stepped(neuron, 10, spikes=[(3, EXCITATORY, 0, np.nextafter(0.5, 0))]).k.tolist() == []


@pytest.mark.parametrize("kind", SYNAPSES)
def test_a_refractory_cell_is_deaf_and_its_synapses_are_not(kind):
    """Fired in step k and held for 2 ms, it is at V_reset in steps k to k + 19. A jump in between is gone with the next step, a current goes on."""
    neuron = LIF(drive=0.0, synapses=SYNAPSES[kind])
    strong = 40e-3 * (1 if kind == "delta" else 200)
    spikes = [(9, EXCITATORY, 0, strong), (20, EXCITATORY, 0, 1e-3)]
    course = stepped(neuron, 60, spikes=spikes, record=neuron.monitored)
    v, k = course.traces["v"][:, 0], course.k[0]
    assert k == (13 if kind == "alpha" else 10) and (np.delete(v, 20)[k : k + 19] == neuron.V_reset).all()
    if kind == "delta":
        assert v[20] == neuron.V_reset + 1e-3 and (v[21:] == neuron.V_reset).all() and len(course.k) == 1
    else:
        alone = stepped(neuron._replace(V_th=1e3), 60, spikes=spikes, record=["g_ex"])
        assert course.k[1] == k + 20 and (course.traces["g_ex"] == alone.traces["g_ex"]).all()


# Conductances -------------------------------------------------------------------------------------------------------


def with_conductances(g_ex, g_in):
    def prepare(state):
        state.g_ex.fill(g_ex)
        state.g_in.fill(g_in)

    return prepare


@pytest.mark.parametrize("g_ex, g_in, refractory", [(0.5, 0.0, 0.0), (0.5, 0.7, 2e-3), (2.0, 1.0, 5e-3)])
def test_conductance_lif_fires_at_the_rate_of_constant_conductances(g_ex, g_in, refractory):
    neuron = ConductanceLIF(refractory=refractory, synapses=ExponentialSynapses(1e12, 1e12), drive=2e-3)
    total = 1.0 + g_ex + g_in
    v_end = (neuron.E_L + neuron.drive + g_ex * neuron.E_ex + g_in * neuron.E_in) / total
    up = neuron.tau_m / total * math.log((v_end - neuron.V_reset) / (v_end - neuron.V_th))
    n_each = math.ceil(up / 1e-4) + max(round(refractory / 1e-4) - 1, 0)
    k = stepped(neuron, 10_000, prepare=with_conductances(g_ex, g_in)).k
    assert len(k) > 10 and (np.diff(k) == n_each).all()


@pytest.mark.parametrize("kind", ["exponential", "alpha"])
def test_conductance_lif_is_of_second_order(kind):
    neuron = ConductanceLIF(V_th=1.0, drive=4e-3, E_in=-80e-3, synapses=SYNAPSES[kind])
    spikes = [(2e-3, 0, 1.5), (4e-3, 1, 4.0), (4e-3, 0, 0.7), (10e-3, 0, 3.0)]
    exact = naive.solved(
        naive.conductance_slope(neuron, kind, spikes), [neuron.V_reset], 0.0, 16e-3, [2e-3, 4e-3, 10e-3]
    )[0]
    errors = []
    for dt in (5e-4, 2.5e-4, 1.25e-4, 6.25e-5):
        given = [(round(t / dt) - 1, port, 0, a) for t, port, a in spikes]
        v = stepped(neuron, round(16e-3 / dt), dt, given, record=["v"]).traces["v"][-1]
        errors.append(abs(v - exact)[0])
    assert order(errors) == pytest.approx(2.0, abs=0.1) and errors[-1] < 2e-5


def test_conductance_lif_is_of_third_order_at_constant_conductances():
    neuron = ConductanceLIF(V_th=1.0, synapses=ExponentialSynapses(1e12, 1e12))
    errors = []
    for dt in (5e-4, 2.5e-4, 1.25e-4, 6.25e-5):
        v = stepped(neuron, round(8e-3 / dt), dt, record=["v"], prepare=with_conductances(2.0, 1.0)).traces["v"][-1, 0]
        end = (neuron.E_L + 2.0 * neuron.E_ex + neuron.E_in) / 4.0
        errors.append(abs(v - end - (neuron.V_reset - end) * math.exp(-4.0 * 8e-3 / neuron.tau_m)))
    assert order(errors) == pytest.approx(3.0, abs=0.1)


def test_no_conductance_is_too_strong():
    """At 10,000 times the leak, where an explicit scheme explodes, v goes straight to where it is pulled and not beyond."""
    neuron = ConductanceLIF(V_th=1.0, synapses=ExponentialSynapses(1.0, 1.0))
    for g_ex, g_in, end in ((0.0, 1e4, neuron.E_in), (1e4, 0.0, neuron.E_ex), (1e4, 1e4, 0.5 * neuron.E_in)):
        v = stepped(neuron, 20, 1e-3, record=["v"], prepare=with_conductances(g_ex, g_in)).traces["v"][:, 0]
        low, high = sorted([neuron.V_reset, end])
        assert (v > low - 1e-4).all() and (v < high + 1e-4).all() and v[-1] == pytest.approx(end, abs=1e-4)


# Adaptive exponential -----------------------------------------------------------------------------------------------


def test_adex_is_of_second_order_between_spikes():
    """After a spike: threshold high, after-current and adaptation on, and an excitatory and an inhibitory current."""
    neuron = AdEx(drive=0.5e-9, synapses=ExponentialSynapses(5e-3, 9e-3))
    start = [-55e-3, 50e-12, 400e-12, -45e-3]

    def prepare(state):
        for name, value in zip(("v", "w", "z", "V_T"), start, strict=True):
            getattr(state, name).fill(value)

    def current(t):
        late = max(t - 4e-3, 0.0)
        return neuron.drive + (0.5e-9 * math.exp(-late / 5e-3) - 0.3e-9 * math.exp(-late / 9e-3) if t > 4e-3 else 0.0)

    exact = naive.solved(naive.adex_slope(neuron, current), start, 0.0, 16e-3, [4e-3])[0]
    errors = []
    for dt in (4e-4, 2e-4, 1e-4, 5e-5):
        given = [(round(4e-3 / dt) - 1, EXCITATORY, 0, 0.5e-9), (round(4e-3 / dt) - 1, INHIBITORY, 0, 0.3e-9)]
        traces = stepped(neuron, round(16e-3 / dt), dt, given, record=["v", "w", "z", "V_T"], prepare=prepare).traces
        errors.append([abs(traces[name][-1, 0] - value) for name, value in zip(traces, exact, strict=True)])
    errors = np.array(errors)
    assert order(errors[:, 0]) == pytest.approx(2.0, abs=0.1) and errors[-1, 0] < 1e-5
    assert order(errors[:, 1]) == pytest.approx(2.0, abs=0.1) and errors[-1, 1] < 1e-15
    assert (errors[:, 2] < 1e-22).all() and (errors[:, 3] < 1e-14).all()  # these are exact


@pytest.mark.parametrize("drive", [0.8e-9, 1.5e-9])
def test_adex_fires_when_its_equations_do(drive):
    """Each spike is noticed about a step late, so that the k-th is late by k of them, and half as late with steps half as long."""
    lateness = []
    for dt in (4e-5, 2e-5):
        neuron = AdEx(drive=drive, refractory=2e-3 + dt)
        exact = naive.adex_spikes(neuron, drive, 0.5, 2e-3)
        found = (stepped(neuron, round(0.5 / dt), dt).k + 1) * dt
        assert len(exact) >= 5 and len(found) == len(exact)
        late = (found - exact) / (dt * np.arange(1, len(exact) + 1))
        assert (late > 0.0).all() and (late < 1.6).all()
        lateness.append(late[-1])
    assert lateness[0] == pytest.approx(lateness[1], rel=0.5)


def test_the_spike_of_adex_lasts_and_leaves_its_traces():
    """2 ms at V_spike, 20 steps of it; then from V_reset, with threshold and after-current as they are after a spike; adaptation grew by b."""
    neuron = AdEx(drive=1e-9)
    course = stepped(neuron, 1000, record=neuron.monitored)
    v, V_T, w, z = (course.traces[name][:, 0] for name in neuron.monitored)
    k = course.k[0]
    assert (v[k : k + 20] == neuron.V_spike).all() and v[k - 1] < neuron.V_peak
    assert (V_T[k : k + 20] == neuron.V_Tmax).all() and (z[k : k + 20] == neuron.I_sp).all()
    assert v[k + 20] == pytest.approx(neuron.V_reset, abs=1e-3) and neuron.V_Trest < V_T[k + 20] < neuron.V_Tmax
    assert z[k + 20] == pytest.approx(neuron.I_sp * math.exp(-1e-4 / neuron.tau_z), rel=1e-12)
    assert w[k] - w[k - 1] == pytest.approx(neuron.b, rel=0.01)


# The simple model ---------------------------------------------------------------------------------------------------

CELLS = {  # a, b, c, d and the input of the paper's cells
    "regular spiking": (0.02, 0.2, -65.0, 8.0, 10.0),
    "chattering": (0.02, 0.2, -50.0, 2.0, 10.0),
    "fast spiking": (0.1, 0.2, -65.0, 2.0, 10.0),
}


def simple_model(a, b, c, d, current):
    return Izhikevich(a=1e3 * a, b=1e3 * b, c=1e-3 * c, d=d, drive=current)


@pytest.mark.parametrize("cell", CELLS)
def test_izhikevich_does_what_the_published_script_does(cell):
    """In steps of 1 ms; the overshoot at a spike amplifies rounding, so that it is the same for a while only."""
    fired, traces = naive.izhikevich_script(*CELLS[cell], n_steps=100)
    course = stepped(simple_model(*CELLS[cell]), 100, 1e-3, record=["v", "u"])
    assert course.k.tolist() == fired and len(fired) >= 3
    np.testing.assert_allclose(1e3 * course.traces["v"][:, 0], traces[:, 0], rtol=0, atol=1e-6)
    np.testing.assert_allclose(course.traces["u"][:, 0], traces[:, 1], rtol=0, atol=1e-6)


def test_izhikevich_is_of_first_order_between_spikes():
    neuron, errors = Izhikevich(drive=3.5), []
    exact = naive.solved(naive.izhikevich_slope(3.5), [-65.0, -13.0], 0.0, 16.0)[0]
    for dt in (4e-4, 2e-4, 1e-4, 5e-5):
        traces = stepped(neuron, round(16e-3 / dt), dt, record=["v", "u"]).traces
        errors.append([abs(1e3 * traces["v"][-1, 0] - exact[0]), abs(traces["u"][-1, 0] - exact[1])])
    assert order(np.array(errors)[:, 0]) == pytest.approx(1.0, abs=0.1)
    assert order(np.array(errors)[:, 1]) == pytest.approx(1.0, abs=0.1)
    assert errors[-1][0] < 0.02


# Escape noise -------------------------------------------------------------------------------------------------------


def certain(state):
    """No spike for long, so that the hazard shows what has been run down."""
    state.hazard.fill(1e3)


@pytest.mark.parametrize("drive, tau_eta", [(18e-3, 20e-3), (22e-3, 60e-3)])
def test_escape_noise_fires_at_the_rate_of_renewal_theory(drive, tau_eta):
    """400 cells, each interval on its own: its mean within 3 standard errors. A spike is noticed half a step late on average."""
    neuron = EscapeNoise(drive=drive, tau_eta=tau_eta)
    course = stepped(neuron, 100_000, n=400)
    intervals = 1e-4 * np.concatenate([np.diff(course.k[course.i == i]) for i in range(400)])

    def hazard(s):
        v = neuron.E_L + drive + neuron.eta_0 * np.exp(-s / tau_eta)
        return neuron.rho_0 * np.exp((v - neuron.V_th) / neuron.Delta_u)

    mean, sd = naive.escape_interval(hazard, 1.9e-3 + 0.5e-4)
    assert len(intervals) > 30_000
    assert abs(intervals.mean() - mean) < 3 * sd / math.sqrt(len(intervals))
    assert intervals.std() == pytest.approx(sd, rel=0.05)
    assert intervals.min() >= 2e-3


def test_the_escape_rate_is_of_second_order():
    """Of the integral of rho along a potential that a current drives up and down, by what is run down of the hazard."""
    neuron = EscapeNoise(drive=10e-3, synapses=ExponentialSynapses(5e-3, 9e-3))
    spikes = [(4e-3, EXCITATORY, 30e-3), (8e-3, INHIBITORY, 20e-3)]
    t = np.linspace(0.0, 24e-3, 2_400_001)
    v = np.full(len(t), neuron.E_L + neuron.drive)
    for (when, port, w), tau in zip(spikes, neuron.synapses, strict=True):
        late = t > when
        v[late] += (1, -1)[port] * w * naive.membrane(t[late] - when, "exponential", tau, neuron.tau_m)
    exact = np.trapezoid(neuron.rho_0 * np.exp((v - neuron.V_th) / neuron.Delta_u), t)
    errors = []
    for dt in (1e-3, 5e-4, 2.5e-4):
        given = [(round(when / dt) - 1, port, 0, w) for when, port, w in spikes]
        state = stepped(neuron, round(24e-3 / dt), dt, given, prepare=certain).state
        errors.append(abs(1e3 - state.hazard[0] - exact))
    assert order(errors) == pytest.approx(2.0, abs=0.1) and errors[-1] < 0.01 * exact


# Poisson ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dt", [1e-4, 7e-3])
@pytest.mark.parametrize("neuron", [LinearPoisson(tau=8e-3), ExponentialPoisson(tau=8e-3)], ids=named)
def test_the_epsps_of_poisson_neurons_are_exact_for_any_time_step(neuron, dt):
    spikes = [(2, EXCITATORY, 0, 0.7), (9, EXCITATORY, 0, 0.2), (11, INHIBITORY, 0, 0.4)]
    psp = stepped(neuron, 60, dt, spikes, record=["psp"]).traces["psp"][:, 0]
    expected = sum((1, -1)[port] * w * neuron.epsp((np.arange(60) - k) * dt) for k, port, _, w in spikes)
    np.testing.assert_allclose(psp, expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("dt", [1e-4, 5e-3])
@pytest.mark.parametrize("neuron", [LinearPoisson(tau=8e-3), ExponentialPoisson(tau=8e-3)], ids=named)
def test_a_poisson_neuron_runs_down_the_exact_integral_of_its_intensity(neuron, dt):
    """base rate and the areas of all EPSPs, each of which is w once it is over; an inhibitory one takes away as much."""
    neuron = neuron._replace(base_rate=30.0, gain=1.5, threshold=4.0)
    spikes = [(2, EXCITATORY, 0, 0.7), (9, EXCITATORY, 0, 0.2), (9, INHIBITORY, 0, 0.1)]
    state = stepped(neuron, round(1.0 / dt), dt, spikes, prepare=certain).state
    assert 1e3 - state.hazard[0] == pytest.approx(1.5 * (26.0 * 1.0 + 0.8), rel=1e-11)


@pytest.mark.parametrize("dt", [1e-4, 5e-3])
@pytest.mark.parametrize("neuron", [LinearPoisson(), ExponentialPoisson()], ids=named)
def test_poisson_neurons_fire_as_poisson_processes(neuron, dt):
    """1,000 cells of 40 Hz and an EPSP of 0.1 each 10 ms: counts in 2 s have mean and variance 100 within 3 standard errors, also in long steps."""
    n_steps = round(2.0 / dt)
    spikes = [(k, EXCITATORY, i, 0.1) for k in range(0, n_steps, round(10e-3 / dt)) for i in range(1000)]
    counts = np.bincount(stepped(neuron._replace(base_rate=40.0), n_steps, dt, spikes, n=1000).i, minlength=1000)
    expected = 2.0 * 40.0 + 200 * 0.1
    assert abs(counts.mean() - expected) < 3 * math.sqrt(expected / 1000)
    assert abs(counts.var(ddof=1) - expected) < 3 * expected * math.sqrt(2 / 999)


def test_an_intensity_below_zero_is_none():
    state = stepped(LinearPoisson(), 1000, spikes=[(5, INHIBITORY, 0, 3.0)], prepare=certain).state
    assert state.hazard[0] == 1e3


@pytest.mark.parametrize("neuron", [LinearPoisson(), ExponentialPoisson(), EscapeNoise()], ids=named)
def test_first_hazards_are_exponential_and_each_seed_has_its_own(neuron):
    """Of 10,000 cells: mean and variance 1 within 3 standard errors."""
    first, again, other = (prepared(neuron, 1e-4, 10_000, seed)[1].state.hazard for seed in (1, 1, 2))
    assert abs(first.mean() - 1.0) < 3 / 100 and abs(first.var(ddof=1) - 1.0) < 3 * math.sqrt(8 / 10_000)
    assert (first == again).all() and (first != other).all()
