"""What is simulated: inputs and neurons (here), and the published experiments (in `hebbscope.models.experiments`)."""

from . import inputs, neurons
from .inputs import *  # noqa: F403
from .neurons import *  # noqa: F403

__all__ = [*inputs.__all__, *neurons.__all__]
