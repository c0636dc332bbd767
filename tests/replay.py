"""Given spikes through a rule's own hooks, without a neuron: the compiled loop's calls, in its order."""

import numpy as np

from hebbscope.simulator.cast import cast
from hebbscope.simulator.compile import compiled
from hebbscope.simulator.protocols import require_hooks
from hebbscope.simulator.smoothed import Smoothed
from hebbscope.simulator.synapses import initial_state, settled, synapses


def loop(rule, state, w, times, kinds, cells):
    """kinds: 0 a presynaptic spike of source cells[k], 1 a postsynaptic spike of target cells[k]."""
    for k in range(len(times)):
        rule.advance(state, w, times[k])
        if kinds[k] == 0:
            rule.settle(state, w, cells[k], times[k])
            rule.on_pre(state, w, cells[k], times[k])
        else:
            rule.on_post(state, w, cells[k], times[k])


def replay(rule, pre, post, w, seed=0):
    """Weights (n_post, n_pre) after the trains `pre` and `post` (lists of spike times [s]); coincident: presynaptic first. seed: of a rule that draws."""
    spikes = sorted(
        [(t, 0, j) for j, train in enumerate(pre) for t in train]
        + [(t, 1, i) for i, train in enumerate(post) for t in train]
    )
    w = np.array(w, float)
    rule = cast(rule)
    require_hooks(rule, "rule")
    rule.check()
    learned = synapses(w, rule.rule if isinstance(rule, Smoothed) else rule)
    state = initial_state(rule, w.shape[1], w.shape[0], (seed, "", 0))
    columns = [np.array(column) for column in zip(*spikes, strict=True)]
    times, kinds, cells = columns[0].astype(float), columns[1].astype(np.int64), columns[2].astype(np.int64)
    compiled(loop, (rule, state, learned))(rule, state, learned, times, kinds, cells)
    return settled(rule, state, learned, times[-1]).matrix()
