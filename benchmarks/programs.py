"""Programs that the benchmarks run beside themselves: each in a process of its own, a peer's in an environment of its own, made at the first run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = {
    # Brian2 2.9, the newest for Python 3.11, cannot be imported with numpy 2.4.
    "brian2": ("brian2>=2.9", "numpy<2.4"),
    "nest": ("nest-simulator>=3.10",),
    "annarchy": ("ANNarchy>=5.0.4",),
}
MODULES = {"brian2": "brian2", "nest": "nest", "annarchy": "ANNarchy"}


def environment(peer: str, python: str = sys.executable) -> Path:
    """The Python of a peer's environment; made with `python`, and anew where the peer cannot be imported."""
    folder = HERE / ".environments" / peer
    inside = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    probe = [inside, "-c", f"import {MODULES[peer]}"]
    if subprocess.run(probe, capture_output=True).returncode if inside.exists() else True:
        print(f"making an environment for {peer} ...", flush=True)
        subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([inside, "-m", "pip", "install", "-qq", *REQUIREMENTS[peer]], check=True)
    return inside


class Program:
    """A program that prints one JSON object when it is ready, `built`, and one for each line that it is sent."""

    def __init__(self, python: Path | str, script: Path, *arguments: object, folder: Path | str, **variables: str):
        self.name = script.stem
        self.command = [str(each) for each in (python, script, *arguments)]
        self.folder, self.variables = folder, variables
        own = Path(python).parent  # activated, for what a program compiles looks there for Python
        self.variables |= {"PATH": f"{own}{os.pathsep}{os.environ['PATH']}", "VIRTUAL_ENV": str(own.parent)}

    def __enter__(self) -> Program:
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=os.environ | self.variables,
        )
        self.built = self._answer()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def _answer(self) -> dict:
        for line in self.process.stdout:
            if line.startswith("{"):  # simulators have more to say
                return json.loads(line)
        raise SystemExit(f"{self.name} stopped; its message stands above")

    def ask(self, line: object = "") -> dict:
        """What it answers to one line."""
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self._answer()
