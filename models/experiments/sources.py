"""What may drive the neuron of an experiment: groups of trains by their sizes, each with the input part that makes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ...simulator.protocols import SMOOTHING, HebbscopeError, Hertz, Seconds, non_negative, part, positive, require
from ..inputs import (
    CommonSourcePoisson,
    HomogeneousPoisson,
    ModulatedPoisson,
    OrnsteinUhlenbeckPoisson,
    RecordedSpikes,
    read_spikes,
)

MOST_TRAINS = 1_000_000  # in a group; as many synapses take seconds to describe, and minutes to run
TOO_MANY = f"must be at most {MOST_TRAINS:,} trains"


def two_groups(first: str, last: str) -> tuple[property, Callable, Callable]:
    """n, groups and check of a source with n_<first> trains and, after them, n_<last>."""
    sizes = {first: f"n_{first}", last: f"n_{last}"}

    def groups(self) -> dict[str, int]:
        return {group: getattr(self, field) for group, field in sizes.items()}

    def n(self) -> int:
        return sum(self.groups().values())

    def check(self):
        """Sizes that make at least one train, and trains whose own parameters fit."""
        non_negative(self, *sizes.values())
        for field in sizes.values():
            require(getattr(self, field) <= MOST_TRAINS, self, field, TOO_MANY)
        require(self.n >= 1, self, sizes[last], "must leave at least one train in the two groups")
        self.trains().check(self.n)

    return property(n), groups, check


@part
class Modulated(NamedTuple):
    """Two groups of Poisson trains of the same mean rate; the second shares a sinusoidal modulation of its rate.

    n_constant    25      trains of constant rate, the group "constant"
    n_modulated   25      trains of modulated rate, the group "modulated"
    rate          10 Hz   mean rate of every train
    amplitude     10 Hz   of the modulation, at most the rate
    frequency     40 Hz   of the modulation

    Source: Kempter, Gerstner & van Hemmen, PRE 59:4498 (1999), Secs. IV and V [recalled].
    """

    n_constant: int = 25
    n_modulated: int = 25
    rate: Hertz = 10.0
    amplitude: Hertz = 10.0
    frequency: Hertz = 40.0

    n, groups, check = two_groups("constant", "modulated")  # type: ignore[misc]

    def trains(self) -> ModulatedPoisson:
        """The modulated trains come last."""
        return ModulatedPoisson(
            rate=self.rate, amplitude=self.amplitude, frequency=self.frequency, n_modulated=self.n_modulated
        )


@part
class OrnsteinUhlenbeck(NamedTuple):
    """Two groups of Poisson trains of the same mean rate; the second shares a modulation that is an Ornstein-Uhlenbeck process.

    n_constant    25      trains of constant rate, the group "constant"
    n_modulated   25      trains of modulated rate, the group "modulated"
    rate          10 Hz   mean rate of every train
    sd            3 Hz    of the modulation
    tau_c         20 ms   its correlation time
    """

    n_constant: int = 25
    n_modulated: int = 25
    rate: Hertz = 10.0
    sd: Hertz = 3.0
    tau_c: Seconds = 20e-3

    n, groups, check = two_groups("constant", "modulated")  # type: ignore[misc]

    def trains(self) -> OrnsteinUhlenbeckPoisson:
        """The modulated trains come last."""
        return OrnsteinUhlenbeckPoisson(rate=self.rate, sd=self.sd, tau_c=self.tau_c, n_modulated=self.n_modulated)


@part
class CommonSource(NamedTuple):
    """Two groups of Poisson trains of the same rate; the second copies spikes from one source.

    n_independent   25      independent trains, the group "independent"
    n_correlated    25      trains that share spikes, the group "correlated"
    rate            10 Hz   of every train
    c               0.1     part of its spikes that a pair shares, in [0, 1]
    jitter          0 s     mean delay of a copy; 0: exact coincidences
    """

    n_independent: int = 25
    n_correlated: int = 25
    rate: Hertz = 10.0
    c: float = 0.1
    jitter: Seconds = 0.0

    n, groups, check = two_groups("independent", "correlated")  # type: ignore[misc]

    def trains(self) -> CommonSourcePoisson:
        """The correlated trains come last."""
        return CommonSourcePoisson(rate=self.rate, c=self.c, jitter=self.jitter, n_correlated=self.n_correlated)


@part
class Homogeneous(NamedTuple):
    """Independent Poisson trains of one constant rate.

    n      50      trains
    rate   10 Hz   of every train
    """

    n: int = 50
    rate: Hertz = 10.0

    def check(self):
        positive(self, "n")
        require(self.n <= MOST_TRAINS, self, "n", TOO_MANY)
        self.trains().check(self.n)

    def groups(self) -> dict[str, int]:
        return {"all": self.n}

    def trains(self) -> HomogeneousPoisson:
        return HomogeneousPoisson(rate=self.rate)


@part
class Recorded(NamedTuple):
    """Spike trains from a file; they have no independent copy, hence no surrogate level.

    file         -      path of a SONATA HDF5 file, or of an .npz with t [s] and i
    population   -      its name, where the file has several
    n            50     trains
    loop         1      1: played over and over, 0: once
    duration     0 s    of the recording; 0: up to its last spike
    smoothing    50 ms  in which rules of rates count spikes, at the rate level
    """

    file: str = ""
    population: str = ""
    n: int = 50
    loop: int = 1
    duration: Seconds = 0.0
    smoothing: Seconds = SMOOTHING

    def check(self):
        positive(self, "n", "smoothing")
        require(self.n <= MOST_TRAINS, self, "n", TOO_MANY)
        require(bool(self.file), self, "file", "must be the path of a file with spikes")
        require(self.loop in (0, 1), self, "loop", "must be 0 or 1")
        non_negative(self, "duration")

    def groups(self) -> dict[str, int]:
        return {"all": self.n}

    def anywhere(self) -> Recorded:
        """With the whole path."""
        return self._replace(file=str(Path(self.file).resolve()))

    def trains(self) -> RecordedSpikes:
        spikes = read_spikes(self.file, self.population or None, self.duration or None, self.loop, self.smoothing)
        trains = int(spikes.sources.max(initial=0)) + 1
        if trains > self.n:
            raise HebbscopeError(f"inputs.n: must be at least {trains}, the trains in {self.file}, got {self.n}")
        return spikes
