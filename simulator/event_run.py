"""Runs the event-driven loop: one state per seed, and the spikes that somebody listens to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from . import event
from .compile import content_hash, loop_of
from .dispatch import classes_of
from .network import Network, Population, Projection
from .results import Spikes
from .streams import start
from .synapses import initial_state, settled, synapses

BUFFER = 65536  # spikes that a recorder holds before it is emptied


NO_BUFFER = event.Recorder(np.empty(0), np.empty(0, np.int64), np.zeros(1, np.int64), np.full(2, np.inf))


class SeedRun:
    """One seed at the spike or surrogate level: its parts, its state, and the spikes that are listened to."""

    restless = False  # spikes come to no rest

    def __init__(
        self, network: Network, seed: int, level: str, windows: Mapping[str, tuple[float, float]], max_rate: float
    ):
        projection, source, target = network.projection, network.input, network.neuron
        self.seed, self.windows, self.ran_away, self.reached = seed, windows, False, 0.0
        self.names = (source.name, target.name)
        self.max_rate = float(max_rate) * target.n
        self.parts = event.parts_of(projection)
        copies = 2 if level == "surrogate" else 1
        self.state = event.State(
            inputs=self.parts.inputs.init(source.n, copies),
            neuron=self.parts.neuron.init(target.n),
            norm=self.parts.normalisation.init(source.n, target.n),
            rule=initial_state(self.parts.rule, source.n, target.n, (seed, projection.name, 0)),
            w=synapses(projection.initial_weights(seed), projection.rule),
            times=np.array([0.0, -1.0, self.parts.normalisation.every, 0.0]),
            counts=np.zeros(2, np.int64),
            outputs=np.zeros(target.n, np.int64),
            rng_input=start(seed, f"input/{source.name}"),
            rng_latent=start(seed, f"latent/{source.name}"),
            rng_output=start(seed, f"output/{target.name}"),
            seen_input=_buffer(windows.get(source.name), copies * source.n),
            seen_output=_buffer(windows.get(target.name), 1),
        )
        self.heard: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in windows}
        self.loop = loop_of(event.advance, self.parts, self.state)

    @property
    def kept(self) -> event.State:
        """What a checkpoint keeps: all but the buffers of spikes, which are empty between calls."""
        return self.state._replace(seen_input=NO_BUFFER, seen_output=NO_BUFFER)

    @property
    def sources(self) -> str:
        """A hash of the files that decide on what the loop does."""
        return content_hash(event.advance, tuple(classes_of((self.parts, self.state))))

    @property
    def about(self) -> dict[str, Any]:
        return {"engine": "event"}

    @property
    def time(self) -> float:
        return float(self.state.times[0])

    @property
    def weights(self) -> np.ndarray:
        """(n_post, n_pre), at the time that it has gone on to."""
        return settled(self.parts.rule, self.state.rule, self.state.w, max(self.reached, self.time)).matrix()

    @property
    def other_weights(self) -> dict[str, np.ndarray]:
        """None: one layer has one projection."""
        return {}

    @property
    def outputs(self) -> np.ndarray:
        """(n_post,) output spikes so far."""
        return self.state.outputs

    def weights_of(self, projection: Projection) -> np.ndarray:
        """(n_post, n_pre) of the one projection."""
        return self.weights

    def spikes_of(self, population: Population) -> np.ndarray:
        """(n_post,) spikes so far of the one population of neurons."""
        return self.outputs

    def to(self, t: float) -> bool:
        """Go on to time t [s]; False when the rate ran away."""
        if self.ran_away:
            return False
        while (status := self.loop(float(t), self.max_rate)) == event.FULL:
            self._empty()
        self._empty()
        self.ran_away = status == event.RUNAWAY
        self.reached = self.time if self.ran_away else float(t)
        return not self.ran_away

    def _empty(self) -> None:
        for name, recorder in zip(self.names, (self.state.seen_input, self.state.seen_output), strict=True):
            if name in self.windows and recorder.count[0]:
                n = recorder.count[0]
                self.heard[name].append((recorder.t[:n].copy(), recorder.i[:n].copy()))
                recorder.count[0] = 0

    def take_spikes(self) -> dict[str, Spikes]:
        """What was heard since the last call."""
        taken = {}
        for name, pieces in self.heard.items():
            t, i = (
                (np.concatenate(column) for column in zip(*pieces, strict=True))
                if pieces
                else (np.empty(0), np.empty(0))
            )
            taken[name] = Spikes(t, i)
            pieces.clear()
        return taken


def _buffer(window: tuple[float, float] | None, burst: int) -> event.Recorder:
    size = 0 if window is None else max(BUFFER, 2 * burst)
    listened = np.array((np.inf, np.inf) if window is None else window, dtype=float)
    return event.Recorder(np.empty(size), np.empty(size, np.int64), np.zeros(1, np.int64), listened)
