"""Strides of a run: short on the clock from the first on, whatever a network costs, and never stuck."""

import math
import signal
import subprocess
import sys
import time

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as some

from hebbscope.simulator import checkpoint
from hebbscope.simulator.pace import FIRST, LONGER, STRIDE, Pace

COSTS = some.floats(-6.0, 5.0).map(lambda exponent: 10.0**exponent)  # s on the clock for 1 s of biological time


@given(cost=COSTS, beside=some.floats(0.0, 1e-3))
def test_no_stride_is_longer_on_the_clock_than_is_wanted(cost, beside):
    """Whatever a second costs, and a call by itself: from the first stride on, and after few of them nearly so long."""
    pace, now, clock = Pace(), 0.0, []
    for _ in range(40):
        end = pace.end(now, math.inf)
        clock.append(beside + cost * (end - now))
        pace.took(end - now, clock[-1])
        now = end
    assert max(clock) <= (STRIDE + beside) * (1 + 1e-9)
    assert clock[-1] > 0.9 * STRIDE


@given(cheap=COSTS, factor=some.floats(1.0, 1e6))
def test_a_network_that_gets_busy_is_met_by_shorter_strides(cheap, factor):
    pace, now = Pace(), 0.0
    for cost in 20 * [cheap] + 80 * [cheap * factor]:
        end = pace.end(now, math.inf)
        pace.took(end - now, cost * (end - now))
        now = end
    assert pace.length <= max(FIRST, STRIDE / (cheap * factor)) * LONGER


@given(now=some.floats(0.0, 1e300), clock=some.floats(0.0, 1e6), lengths=some.integers(0, 400))
@example(now=1e15, clock=1e6, lengths=400)
def test_it_always_gets_on(now, clock, lengths):
    """Also where every call takes long and time is so late that a microsecond is lost in it."""
    pace = Pace()
    for _ in range(lengths):
        end = pace.end(now, math.inf)
        assert end > now
        pace.took(end - now, clock)
        now = end
    assert pace.end(now, np.nextafter(now, math.inf)) == np.nextafter(now, math.inf)


STOPPED_EARLY = """
from hebbscope.simulator import checkpoint
from hebbscope.models.experiments.kempter1999 import Kempter1999
checkpoint.EVERY, Kempter1999.inputs_kept = 0.0, 0.0
from hebbscope.cli import main
main()
"""


def test_a_stop_waits_for_no_second_of_biological_time(tmp_path):
    """Two thousand million spikes a second take minutes; who says stop in the first instants is heeded long before."""
    busy = {
        "inputs": "Homogeneous",
        "inputs.n": 20_000,
        "inputs.rate": "100000 Hz",
        "weights.initial": 0,
        "rule.w_in": 0,
    }
    settings = [word for key, value in busy.items() for word in ("--set", f"{key}={value}")]
    command = [sys.executable, "-c", STOPPED_EARLY, "run", "kempter1999", *settings]
    command += ["--level", "spike", "--seeds", "1", "--duration", "100", "--no-figure", "--out", "run.h5"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    kept = tmp_path / "run.h5.checkpoint"
    while process.poll() is None and not (kept.exists() and checkpoint.load(kept).about["level"]):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said = process.communicate()[1]
    assert process.returncode == 130, said
    assert said == "hebbscope: stopped; `hebbscope resume run.h5` goes on from there\n"
    reached = checkpoint.load(kept).arrays["seed 1/times"][0]
    assert 0.0 < reached < 1.0
