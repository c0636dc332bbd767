"""Ways to spoil what a user hands in: descriptions, settings, run files, checkpoints and journals. Every choice comes from the `Random` that is passed."""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any
from zlib import crc32

import h5py
import numpy as np

# Texts --------------------------------------------------------------------------------------------------------------

NUMBERS = (
    "0", "-0.0", "-1", "1", "3", "0.5", "7", "1e-3", "1e308", "-1e308", "1e309", "5e-324", "1e-300", "1e9", "1e12", "1e18", "nan", "inf",
    "-inf", "+inf", "NaN", "Infinity", "1_000", "0x10", "0o7", "1e", "--1", "+-1", "1.2.3", "1,5", "9223372036854775807",
    "9223372036854775808", "1" + 400 * "0", 5000 * "9", "１２", "١٢", "−5", "1/0", "½", "1e+400", ".5", "5.", "0.1e", "3j",
)  # fmt: skip
UNITS = (
    "s",
    "ms",
    "us",
    "µs",
    "μs",
    "ns",
    "min",
    "h",
    "d",
    "days",
    "Hz",
    "kHz",
    "MHz",
    "1/s",
    "/s",
    "mV",
    "%",
    "k",
    "m",
    "M",
    "ſ",
    "°",
    "ms ms",
    "s2",
    "",
)
WORDS = (
    "", " ", "none", "None", "null", "true", "True", "false", "yes", "SpikeHebb", "KempterWindow", "DoubleExponential", "TabulatedWindow",
    "LinearPoisson", "ExponentialPoisson", "Modulated", "Homogeneous", "Recorded", "CommonSource", "OrnsteinUhlenbeck", "Triplet",
    "SlidingThreshold", "FixedThreshold", "L2", "PushPull", "Experiment", "kempter1999", "natural_images", "shuffled", "noise", "object",
    "__class__", "../../etc/passwd", "/dev/null", "/dev/zero", ".", "/", "~", "~nobody", "spikes.npz", "spikes.h5", "picture.png", "mine.toml",
    "network", "network.toml", "song2000", "LIF", "PairSTDP", "Static", "AllToAll", "OneToOne", "FixedInDegree", "Given", "L1", "Free", "inputs", "exc", "inh",
    "feed", "excitatory", "inhibitory", "auto", "event", "clock",
    "%s%n", "{0}", "$(id)", "`id`", "\\", "'", '"', "\n", "\t", "\r", "\x00", "\x1b[31m", "\ud800", "\u202e", "\ufeff", "é" * 50, "🧠",
    "x" * 300, "x" * 100_000, "[", "]", "[]", "[1]", "[1, 2]", "[1, 2, 3]", "[[1, 2], [3, 4]]", "[[1, 2], [3]]", "[nan, 1]", "[,]", "[1,,2]",
    "[0.5 s, 1 s]", "{}", "{", "[" * 3000, "." * 50, "=", "#", "--help", "-1 s", "a.b", "1:3",
)  # fmt: skip
TOML_VALUES = (
    "[]", "[[]]", "[1]", "[1, 2]", "[1.0, 'a']", "[[1, 2], [3]]", "{}", "{ a = 1 }", "{ type = 'SpikeHebb' }", "{ type = {} }", "{ type = 1 }",
    "{ type = 'KempterWindow', tau_plus = 1 }",
    "{ type = 'Given', pre = [0, 1], post = [1, 2] }", "{ type = 'Given', pre = [0, -1], post = [1] }", "{ v = -0.06 }", "{ v = [1] }", "{ near = 30 }",
    "[3, 3]", "{ n = 2, model = 'LIF' }", "{ source = 'exc', target = 'inh' }", "{ type = 'LIF', synapses = 'AlphaSynapses' }", "true", "false", "1979-05-27", "1979-05-27T07:32:00Z", "07:32:00", "''", '""', '"""\n\n"""',
    "'''x'''", '"\\u0000"', '"\\U0010ffff"', '"a\\nb"', "nan", "-nan", "inf", "0x7f", "0b1", "1e400", "-9223372036854775809", "1__0",
    "[" * 2000 + "]" * 2000, "[" * 200 + "]" * 200, "{ a = " * 300 + "1" + " }" * 300, "'" + "y" * 50_000 + "'", "\u00a05", "", "=", "\x00",
)  # fmt: skip
LINES = (
    "[rule]", "[[rule]]", "[rule.window]", "[rule.window.type]", "[inputs]", "[]", "[.]", "[a..b]", "[ rule . window ]", "['rule']", '["rule.eta"]',
    "[" + ".".join(["a"] * 3000) + "]", ".".join(["rule"] * 1000) + " = 1", "rule = 1", "rule.window.window.window = 1", "inputs = 'Recorded'",
    "inputs = []", "duration = []", "type = 'x'", "experiment = 1", "experiment = ''", "experiment = ['kempter1999']", "'' = 1", '"a.b" = 2',
    "type.type.type = 1", "rule.type.type = 'SpikeHebb'", "weights.initial.x = 2", "\ufeff", "\x00", "# \x07", "= 3", "x", "x =", "neuron = 'none'",
    "rule.window = 'none'", "rule.threshold = 'none'", "rule = 'Triplet'", "seeds = [1]", "name = 'x'", "model_config = 1", "levels = []",
    "[populations]", "[populations.exc]", "[populations.more]", "[populations.exc.initial]", "[projections.more]", "[projections.feed.rule]",
    "populations = {}", "projections = 1", "populations.more.n = 2", "populations.'' = {n = 1}", "projections.'a.b'.source = 'exc'", "n = 0", "n = 3000000000",
    "source = 'inh'", "target = 'inputs'", "receptor = 'inhibitory'", "engine = 'event'", "engine = 'clock'", "dt = '1 ms'", "delay = '1 h'", "delay = [1e-3]",
)  # fmt: skip


def number(chance: Random) -> str:
    """A number that is none, or none that fits."""
    return chance.choice(NUMBERS) if chance.random() < 0.7 else f"{chance.uniform(-10, 10):.{chance.randrange(6)}e}"


def quantity(chance: Random) -> str:
    """A number with a unit, mostly a wrong one."""
    return f"{number(chance)}{chance.choice((' ', '', '  ', chr(0xA0)))}{chance.choice(UNITS)}"


def value(chance: Random) -> str:
    """What may stand after KEY=."""
    return chance.choice((number, quantity, quantity, lambda chance: chance.choice(WORDS)))(chance)


def resized(chance: Random, text: str) -> str:
    """A value of the right kind, one number in it smaller, larger, or of another sign."""
    places = list(re.finditer(r"-?\d+(\.\d+)?(e[+-]?\d+)?", text))
    if not places:
        return text
    place = chance.choice(places)
    old = float(place[0])
    new = chance.choice(
        (
            0.0,
            1.0,
            2.0,
            -old,
            old + 1,
            old - 1,
            *(old * 10.0**k for k in (-300, -30, -9, -3, -1, 1, 2, 3, 6, 9, 30, 300)),
        )
    )
    whole = "." not in place[0] and new.is_integer() and abs(new) < 2**63
    return text[: place.start()] + (str(int(new)) if whole else repr(new)) + text[place.end() :]


def misspelt(chance: Random, key: str) -> str:
    """A key with a letter or a part too many, too few, or another."""
    at = chance.randrange(len(key) + 1)
    return chance.choice(
        (
            key[:at] + key[at + 1 :],
            key[:at] + chance.choice(". -_xé'\"[]\x00") + key[at:],
            key.upper(),
            key + ".type",
            key + "." + key,
            key.rpartition(".")[0],
            key.rpartition(".")[2],
            "." + key,
            key * 200,
        )
    )


def setting(chance: Random, keys: dict[str, str]) -> str:
    """One KEY=VALUE of keys and their values, of which at least one half is spoilt."""
    key = chance.choice(list(keys))
    new = resized(chance, keys[key]) if chance.random() < 0.4 else value(chance)
    if chance.random() < 0.15:
        key = misspelt(chance, key)
    text = f"{key}={new}"
    return flipped(chance, text) if chance.random() < 0.1 else text


def flipped(chance: Random, text: str) -> str:
    """With some letters deleted, doubled, or replaced by any others."""
    letters = list(text)
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(letters) + 1)
        letters[at : at + chance.randrange(3)] = chance.choice(
            ([], [chr(chance.randrange(1, 0x250))], letters[at : at + 1] * 2, list(chance.choice(WORDS)[:40]))
        )
    return "".join(letters)


def _lines(chance: Random, text: str) -> str:
    """Lines deleted, doubled, swapped, joined, or put in."""
    lines = text.splitlines()
    one, other = (chance.randrange(len(lines)) for _ in range(2))
    change = chance.randrange(6)
    if change == 0:
        del lines[one]
    elif change == 1:
        lines.insert(other, lines[one])
    elif change == 2:
        lines[one], lines[other] = lines[other], lines[one]
    elif change == 3:
        lines[one] += " " + lines[other]
    elif change == 4:
        lines.insert(one, chance.choice(LINES))
    else:
        del lines[one:]
    return "\n".join(lines) + "\n"


def _values(chance: Random, text: str) -> str:
    """Another value after the equals sign of one line."""
    places = list(re.finditer(r"(?m)(?<== ).*$", text))
    if not places:
        return text
    place = chance.choice(places)
    new = chance.choice(
        (
            number(chance),
            json.dumps(quantity(chance)),
            json.dumps(chance.choice(WORDS)),
            chance.choice(TOML_VALUES),
            chance.choice(places)[0],
            resized(chance, place[0]),
            resized(chance, place[0]),
            resized(chance, place[0]),
        )
    )
    return text[: place.start()] + new + text[place.end() :]


def _keys(chance: Random, text: str) -> str:
    """Another key in one line, or another table."""
    places = list(re.finditer(r"(?m)^\[?[\w.]+", text))
    if not places:
        return text
    place = chance.choice(places)
    new = misspelt(chance, place[0]) if chance.random() < 0.5 else chance.choice(places)[0]
    return text[: place.start()] + new + text[place.end() :]


def toml(chance: Random, text: str) -> bytes:
    """A description, spoilt in one place or in several."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        if text.strip():
            text = chance.choice((_values, _values, _values, _keys, _lines, flipped))(chance, text)
    data = text.encode("utf-8", "surrogatepass")
    return spoilt_bytes(chance, data) if chance.random() < 0.1 else data


# Bytes --------------------------------------------------------------------------------------------------------------

SIGNATURES = re.compile(
    rb"\x89HDF|OHDR|OCHK|TREE|SNOD|HEAP|GCOL|FRHP|FHDB|FHIB|FSHD|FSSE|BTHD|BTLF|BTIN|FADB|FAHD|EAHD|EAIB|EASB|EADB|PK\x03\x04|PK\x01\x02|PK\x05\x06|NUMPY"
)


def spoilt_bytes(chance: Random, data: bytes) -> bytes:
    """Bits flipped, blocks overwritten, moved, cut off or put in; often near a structure that a reader relies on."""
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        _spoil(chance, found, [match.start() for match in SIGNATURES.finditer(data)] or [0])
    return bytes(found)


def _spoil(chance: Random, data: bytearray, places: list[int]) -> None:
    if not data:
        return
    near = chance.random() < 0.7
    at = min((chance.choice(places) + chance.randrange(96)) if near else chance.randrange(len(data)), len(data) - 1)
    length = chance.choice((1, 1, 2, 4, 8, 64, 512))
    change = chance.randrange(8)
    if change <= 1:
        data[at] ^= 1 << chance.randrange(8)
    elif change == 2:
        data[at : at + length] = chance.randbytes(len(data[at : at + length]))
    elif change == 3:
        data[at : at + length] = bytes([chance.choice((0, 255))]) * len(data[at : at + length])
    elif change == 4:
        data[at : at + 8] = chance.choice((0, 1, 48, len(data), 2**31, 2**63 - 1)).to_bytes(8, "little")[
            : len(data) - at
        ]
    elif change == 5:
        start = chance.randrange(len(data))
        data[at : at + length] = data[start : start + length]
    elif chance.random() < 0.3:
        del data[at:]
    else:
        data[at:at] = chance.randbytes(length) if chance.random() < 0.5 else b""


# HDF5 ---------------------------------------------------------------------------------------------------------------


def hdf5(chance: Random, path: Path) -> None:
    """Spoil an HDF5 file in its place: its bytes, or, through h5py, its structure."""
    if chance.random() < 0.5:
        path.write_bytes(spoilt_bytes(chance, path.read_bytes()))
        return
    with h5py.File(path, "r+", locking=False) as root:
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            names = sorted(_names(root))
            if names:
                chance.choice(STRUCTURAL)(chance, root, chance.choice(names))


def _names(root: h5py.File) -> list[str]:
    names: list[str] = []
    root.visit(names.append)
    return [name for name in names if isinstance(root.get(name, getlink=True), h5py.HardLink)]


def _place(root: h5py.File, name: str) -> tuple[Any, str]:
    above, _, last = name.rpartition("/")
    return root[above or "/"], last


def _delete(chance: Random, root: h5py.File, name: str) -> None:
    del root[name]


def _move(chance: Random, root: h5py.File, name: str) -> None:
    to = chance.choice(
        (name + "x", "spikes/extra", "levels/extra", "report/extra", "extra", chance.choice(_names(root)) + "/extra")
    )
    above, last = _place(root, name)
    try:
        root[to] = root[name]
        del above[last]
    except (ValueError, KeyError, RuntimeError, OSError, TypeError):
        pass  # there is no such place


def _link(chance: Random, root: h5py.File, name: str) -> None:
    other = chance.choice(_names(root))
    links = (
        h5py.SoftLink("/" + other), h5py.SoftLink("/" + name), h5py.SoftLink("/nowhere"), h5py.SoftLink("."), h5py.SoftLink("/"),
        h5py.ExternalLink(Path(root.filename).name, "/" + other), h5py.ExternalLink("nowhere.h5", "/x"),
        h5py.ExternalLink("/dev/zero", "/x"), h5py.ExternalLink("/etc/passwd", "/"), h5py.ExternalLink("elsewhere.h5", "/" + other),
        h5py.ExternalLink("pipe", "/x"),
    )  # fmt: skip
    above, last = _place(root, name)
    del above[last]
    above[last] = chance.choice(links)


def _loop(chance: Random, root: h5py.File, name: str) -> None:
    groups = ["/", *(each for each in _names(root) if isinstance(root.get(each), h5py.Group))]
    place = root[chance.choice(groups)]
    if "again" not in place:
        place["again"] = root[chance.choice(groups)]


DTYPES = ("f4", ">f8", "f2", "i1", "u8", ">i4", "c16", "?", "S5", "O", "V7", [("a", "i4"), ("b", "f8")], ("f8", (3,)))


def _values_of(chance: Random, shape: tuple[int, ...]) -> dict[str, Any]:
    """What create_dataset takes for a dataset of about this shape and of any type."""
    dtype = chance.choice(DTYPES)
    kind: Any = h5py.string_dtype() if dtype == "O" else np.dtype(dtype)
    shapes = (shape, (), (0,), (1,), shape[:-1], (*shape, 2), (2, 2), tuple(max(1, n // 2) for n in shape), None)
    return {"shape": chance.choice(shapes), "dtype": kind}


def _dataset(chance: Random, root: h5py.File, name: str) -> None:
    """Another dataset, or a group, where there was one."""
    old = root[name]
    shape = old.shape if isinstance(old, h5py.Dataset) else (3,)
    attrs = {key: item for key, item in old.attrs.items() if key in ("units", "level", "sorting", "seed")}
    above, last = _place(root, name)
    del above[last]
    made = _made(chance, above, last, shape or ())
    for key, item in attrs.items():
        if chance.random() < 0.7:
            made.attrs[key] = item


def _made(chance: Random, above: Any, name: str, shape: tuple[int, ...]) -> Any:
    choice = chance.randrange(7)
    if choice == 0:
        return above.create_group(name)
    if choice == 1:  # vast, with nothing in it
        vast = tuple(chance.choice((max(1, n), 2**20, 2**33)) for n in shape) or (2**40,)
        return above.create_dataset(name, shape=vast, dtype="f8", chunks=tuple(min(n, 16) for n in vast))
    if choice == 2:
        where = chance.choice(("/dev/zero", "/etc/passwd", "nowhere.bin", "pipe"))
        return above.create_dataset(
            name, shape=(max(1, int(np.prod(shape or (1,)))),), dtype="f8", external=[(where, 0, h5py.h5f.UNLIMITED)]
        )
    if choice == 3:
        layout = h5py.VirtualLayout(shape=shape or (3,), dtype="f8")
        layout[...] = h5py.VirtualSource(
            chance.choice((".", "nowhere.h5", "elsewhere.h5")), f"{above.name}/{name}", shape=shape or (3,)
        )
        return above.create_virtual_dataset(name, layout)
    if choice == 4:
        data = np.resize([chance.choice((np.nan, np.inf, -1e300, 0.0, 1e300, -1.0))], shape)
        return above.create_dataset(name, data=data)
    return above.create_dataset(name, **_values_of(chance, shape))


def _numbers(chance: Random, root: h5py.File, name: str) -> None:
    """Numbers that a run would never write."""
    item = root[name]
    if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "fiu" or not item.shape or not item.size:
        return
    values = item[()]
    flat = values.reshape(-1)
    bad = (
        (np.nan, np.inf, -np.inf, 1e300, -1e300)
        if item.dtype.kind == "f"
        else (np.iinfo(item.dtype).max, np.iinfo(item.dtype).min, 10**6)
    )
    if chance.random() < 0.3:
        flat[:] = flat[::-1].copy()
    else:
        with np.errstate(all="ignore"):
            flat[chance.randrange(len(flat)) :: chance.choice((1, 7, 10**9))] = np.array(chance.choice(bad)).astype(
                item.dtype
            )
    item[()] = values


def _resize(chance: Random, root: h5py.File, name: str) -> None:
    item = root[name]
    if isinstance(item, h5py.Dataset) and item.chunks:
        axis = chance.randrange(len(item.shape))
        most = item.maxshape[axis]
        n = chance.choice((0, 1, item.shape[axis] + 1, item.shape[axis] * 2, 10**7, 2**40))
        item.resize(n if most is None else min(n, most), axis=axis)


ATTRIBUTES: tuple[Any, ...] = (
    0, -1, 1, 2**62, np.nan, np.inf, "", "x", b"\xff\xfe", "spike", "rate", "{", "{" * 20_000, '{"a":' * 20_000, "[1", "é", "x" * 60_000, np.zeros(0), np.ones((2, 2)),
    np.zeros(3, dtype="S2"), np.bool_(True), 1 + 2j, h5py.Empty("f8"), h5py.Empty("S3"), np.array(["a", "b"], dtype=object), np.void(b"xyz"),
    np.array((1, 2.0), dtype=[("a", "i4"), ("b", "f8")]), "experiment = 'kempter1999'\nduration = 1e300\n", "experiment = 'natural_images'\n", "experiment = 'network'\n", "experiment = 'song2000'\n",
    "experiment = 'kempter1999'\ninputs = 'Recorded'\n", "experiment = 'kempter1999'\nrule.window = 'DoubleExponential'\n", "a\nb", "\x1b[31m",
)  # fmt: skip


def _attribute(chance: Random, root: h5py.File, name: str) -> None:
    """An attribute less, one more, or one that is something else."""
    item = root if chance.random() < 0.4 else root[name]
    keys = sorted(item.attrs)
    key = chance.choice([*keys, "extra"])
    new: Any = chance.choice(ATTRIBUTES)
    if chance.random() < 0.3 and key in keys:
        del item.attrs[key]
        return
    if chance.random() < 0.1:
        new = item.ref
    elif isinstance(item.attrs.get(key), str) and chance.random() < 0.3:
        new = toml(chance, item.attrs[key]).decode("utf-8", "replace").replace("\x00", "")
    if isinstance(new, str):
        new = new.replace("\x00", "")
    with suppress(OSError, RuntimeError, TypeError, ValueError):  # HDF5 has no room for it
        item.attrs[key] = new


def _compressed(chance: Random, root: h5py.File, name: str) -> None:
    """The same numbers behind a filter."""
    item = root[name]
    if isinstance(item, h5py.Dataset) and item.shape and item.size and item.dtype.kind in "fiu":
        data, (above, last) = item[()], _place(root, name)
        del above[last]
        above.create_dataset(
            last,
            data=data,
            chunks=True,
            compression=chance.choice(("gzip", "lzf")),
            shuffle=True,
            fletcher32=chance.random() < 0.5,
        )


STRUCTURAL: tuple[Callable[[Random, h5py.File, str], None], ...] = (
    _delete, _move, _link, _loop, _dataset, _dataset, _numbers, _resize, _attribute, _attribute, _attribute, _compressed,
)  # fmt: skip


# Checkpoints and recordings -----------------------------------------------------------------------------------------

JSON_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1, 10**6, 10**30, 1.5, float("nan"), float("inf"), "", "x", "spike", "rate", [], [1], ["spike"], ["x"], [[]], {}, {"a": 1}, "x" * 10_000,
)  # fmt: skip


def archive(chance: Random, path: Path) -> None:
    """Spoil a zip archive of arrays in its place: its bytes, a member, or the JSON text in it."""
    choice = chance.random()
    if choice < 0.4:
        path.write_bytes(spoilt_bytes(chance, path.read_bytes()))
        return
    with zipfile.ZipFile(path) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    if "about.npy" in members and choice < 0.8:
        members["about.npy"] = _other_json(chance, members["about.npy"])
    else:
        _other_member(chance, members)
    with zipfile.ZipFile(path, "w", chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as packed:
        for name, data in members.items():
            packed.writestr(name, data)


def _other_json(chance: Random, member: bytes) -> bytes:
    about = json.loads(np.load(io.BytesIO(member)).tobytes())
    place, key = about, chance.choice(sorted(about))
    while isinstance(place[key], dict) and place[key] and chance.random() < 0.6:
        place, key = place[key], chance.choice(sorted(place[key]))
    if chance.random() < 0.2:
        del place[key]
    elif isinstance(place[key], str) and chance.random() < 0.5:
        place[key] = toml(chance, place[key]).decode("utf-8", "replace") if place[key] else "x"
    else:
        place[key] = chance.choice(JSON_VALUES)
    text = json.dumps(about if chance.random() < 0.95 else chance.choice(JSON_VALUES))
    return _npy(np.frombuffer(text.encode(), np.uint8))


def _other_member(chance: Random, members: dict[str, bytes]) -> None:
    name = chance.choice(sorted(members))
    array = np.load(io.BytesIO(members[name]))
    choice = chance.randrange(7)
    if choice == 0:
        del members[name]
    elif choice == 1:
        members[name + "x"] = members.pop(name)
    elif choice == 2:
        members[name] = spoilt_bytes(chance, members[name])
    elif choice == 3:
        members[name] = members[name].replace(
            b"'shape': (", b"'shape': (" + chance.choice((b"9" * 13, b"9" * 30, b"-1", b"()", b"(" * 300)) + b", "
        )
    elif choice == 4:
        members[name] = _npy(np.resize(array, (*array.shape, 2)))
    elif choice == 5:
        members[name] = _npy(array.astype(chance.choice(("f4", "c16", "S3", "?", "i2"))))
    elif array.dtype.kind in "fi" and array.size:
        members[name] = _npy(np.full_like(array, chance.choice((0, -1, 10**6, 2**62))))


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def journal(chance: Random, path: Path) -> None:
    """Spoil a journal in its place: its bytes, or one of the numbers before its blocks, under a checksum that fits."""
    data = bytearray(spoilt_bytes(chance, path.read_bytes()) if chance.random() < 0.5 else path.read_bytes())
    if chance.random() < 0.6:
        at = JOURNAL_NUMBERS + 8 * chance.randrange(8)
        old = int.from_bytes(data[at : at + 8], "little")
        new = chance.choice((0, 1, old - 1, old + 1, old + 4096, 2**63, 2**64 - 1))
        data[at : at + 8] = (new % 2**64).to_bytes(8, "little")
        data[-4:] = crc32(data[:-4]).to_bytes(4, "little")
    path.write_bytes(data)


JOURNAL_NUMBERS = len(
    b"hebbscope journal 1\n"
)  # where they begin: size, head, how many blocks, and offset and length of each


def pipe(folder: Path) -> None:
    """A named pipe that nobody writes to: whoever opens it to read waits for ever."""
    os.mkfifo(folder / "pipe")
