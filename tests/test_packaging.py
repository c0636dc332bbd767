"""What a wheel and a source distribution will hold, told from the files that say so; building them needs the network."""

from __future__ import annotations

import pkgutil
import tomllib
from pathlib import Path

import hebbscope

ROOT = Path(hebbscope.__file__).parent
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


def test_every_package_is_in_the_wheel():
    inside = [module.name for module in pkgutil.walk_packages(hebbscope.__path__, "hebbscope.") if module.ispkg]
    assert sorted(SETUPTOOLS["packages"]) == sorted(["hebbscope", *inside])


def test_type_checkers_find_our_types_in_the_wheel():
    assert "py.typed" in SETUPTOOLS["package-data"]["hebbscope"] and (ROOT / "py.typed").is_file()


def test_the_source_distribution_has_texts_and_tests():
    named = [line.split() for line in (ROOT / "MANIFEST.in").read_text().splitlines() if line[:1] not in ("", "#")]
    paths = {path for command, *paths in named if command in ("include", "graft") for path in paths}
    assert paths >= {"CHANGELOG.md", "CITATION.cff", "docs", "tests"}
    assert not [path for path in paths if not (ROOT / path).exists()]
