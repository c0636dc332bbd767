"""What the documentation says that comes from the code is what the code says."""

import subprocess
import sys
from pathlib import Path

import hebbscope

DOCS = Path(hebbscope.__file__).parent / "docs"


def test_the_catalogue_of_errors_is_that_of_the_code():
    """After `python docs/errors.py` nothing has changed; it has every field that a part checks."""
    program = "import errors; print(errors.catalogue(), end='')"
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", program], cwd=DOCS, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (DOCS / "errors.md").read_text(encoding="utf-8"), "run python docs/errors.py"
    for line in (
        "KempterWindow.tau_plus: must be finite and > 0",
        "CommonSourcePoisson.c: must be finite and in [0.0, 1.0]",
    ):
        assert f"- `{line}`" in done.stdout
