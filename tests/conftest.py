"""Twins and helpers of the tests stand beside them."""

import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

# As many tests run at once as there are cores: threads of a matrix product would wait for each other. Before numpy is there.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))

SLOW = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("default", max_examples=40, derandomize=True, database=None, **SLOW)
settings.register_profile("thorough", max_examples=2000, print_blob=True, **SLOW)
settings.load_profile("default")
