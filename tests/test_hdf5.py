"""Files that would lead their reader astray are refused before anything in them is read."""

import os

import h5py
import numpy as np
import pytest
from test_runfile import path  # noqa: F401

from hebbscope.models.experiments.images import read_images
from hebbscope.models.inputs import read_spikes
from hebbscope.simulator.hdf5 import check_contained
from hebbscope.simulator.protocols import HebbscopeError
from hebbscope.simulator.runfile import describe, read, read_arrays


def virtual(file, name, source):
    """A dataset that is made of another one, perhaps of itself, which overflows the stack of libhdf5 2.0."""
    layout = h5py.VirtualLayout(shape=(4,), dtype="f8")
    layout[...] = h5py.VirtualSource(source, name, shape=(4,))
    file.create_virtual_dataset(name, layout)


def external(file, name, where):
    file.create_dataset(name, shape=(4,), dtype="f8", external=[(where, 0, h5py.h5f.UNLIMITED)])


def put(file, name, item):
    file[name] = item


ASTRAY = {
    "a soft link": lambda file: put(file, "theory/x", h5py.SoftLink("/levels")),
    "a link that goes round": lambda file: put(file, "theory/x", h5py.SoftLink("/theory/x")),
    "an external link": lambda file: put(file, "theory/x", h5py.ExternalLink("/etc/passwd", "/")),
    "a link to a pipe": lambda file: put(file, "theory/x", h5py.ExternalLink("pipe", "/")),
    "a group in itself": lambda file: put(file, "theory/x", file["theory"]),
    "the root in a group": lambda file: put(file, "theory/x", file["/"]),
    "a dataset made of itself": lambda file: virtual(file, "theory/x", "."),
    "a dataset made of others": lambda file: virtual(file, "theory/x", "elsewhere.h5"),
    "a dataset in another file": lambda file: external(file, "theory/x", "/dev/zero"),
    "a dataset in a pipe": lambda file: external(file, "theory/x", "pipe"),
    "more than a file can hold": lambda file: file.create_dataset("theory/x", shape=(2**40,), chunks=(16,), dtype="f8"),
}


@pytest.mark.parametrize("kind", ASTRAY)
def test_a_run_file_that_leads_astray_is_refused(kind, path, monkeypatch):  # noqa: F811
    monkeypatch.chdir(path.parent)
    os.mkfifo("pipe")
    with h5py.File(path, "r+", locking=False) as file:
        ASTRAY[kind](file)
    for reader in (read, describe, lambda path: read_arrays(path, "theory")):
        with pytest.raises(HebbscopeError, match=r"damaged, cannot be read as a run file \(/theory/x .*\)") as error:
            reader(path)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("spoil", [virtual, external])
def test_a_recording_that_leads_astray_is_refused(spoil, tmp_path):
    with h5py.File(tmp_path / "spikes.h5", "w") as file:
        file["spikes/a/timestamps"] = np.arange(4.0)
        file["spikes/a/timestamps"].attrs["units"] = "ms"
        spoil(file, "spikes/a/node_ids", ".")
    with pytest.raises(
        HebbscopeError, match=r"spikes.h5: damaged, cannot be read \(/spikes/a/node_ids lies elsewhere\)"
    ):
        read_spikes(tmp_path / "spikes.h5")


@pytest.mark.parametrize("spoil", [virtual, external])
def test_images_of_matlab_that_lead_astray_are_refused(spoil, tmp_path):
    with h5py.File(tmp_path / "IMAGES.mat", "w") as file:
        spoil(file, "IMAGES", ".")
    with pytest.raises(HebbscopeError, match=r"cannot read IMAGES.mat as a MATLAB file \(/IMAGES lies elsewhere\)"):
        read_images(str(tmp_path / "IMAGES.mat"))


def test_two_names_for_one_dataset_are_fine(path):  # noqa: F811
    with h5py.File(path, locking=False) as file:
        assert (
            file["report/inputs_to_neuron/mapping/index_pointer"]
            == file["report/inputs_to_neuron/mapping/index_pointers"]
        )
        check_contained(file)


def texts(where):
    """A file with texts of many lengths, some taken back, and one collection's first bytes among its numbers."""
    with h5py.File(where, "w") as file:
        for k in range(300):
            file.attrs[f"text {k % 40}"] = k * "x"
        file.create_dataset("names", data=[k * "y" for k in range(300)], dtype=h5py.string_dtype())
        numbers = np.zeros(4096, dtype=np.uint8)
        numbers[:5] = list(b"GCOL\x01")
        file["plain"] = numbers
        file.create_dataset("packed", data=numbers, chunks=(512,), maxshape=(None,))
    return where


def test_texts_of_all_lengths_are_fine(tmp_path):
    with h5py.File(texts(tmp_path / "texts.h5")) as file:
        check_contained(file)


@pytest.mark.parametrize("size", [258, 2**64 - 16])
def test_a_text_that_leads_nowhere_is_refused(tmp_path, size):
    """libhdf5 2.0 never comes back from reading it: the next text begins where there is nothing, or at itself."""
    spoilt = tmp_path / "spikes.h5"
    with h5py.File(spoilt, "w") as file:
        file.attrs["units"] = "ms"
    data = bytearray(spoilt.read_bytes())
    place = data.index(b"GCOL") + 24
    assert data[place : place + 8] == (2).to_bytes(8, "little")
    data[place : place + 8] = size.to_bytes(8, "little")
    spoilt.write_bytes(data)
    with h5py.File(spoilt) as file, pytest.raises(ValueError, match="a text leads nowhere"):
        check_contained(file)


@pytest.mark.parametrize("where", [2**20, 2**63])
def test_numbers_beyond_the_end_are_refused(tmp_path, where):
    """libhdf5 asks a chunk where it is when it is read, and not before."""
    spoilt = tmp_path / "spikes.h5"
    with h5py.File(spoilt, "w") as file:
        offset = file.create_dataset("numbers", data=np.arange(4.0), chunks=(4,)).id.get_chunk_info(0).byte_offset
    data, place = spoilt.read_bytes(), offset.to_bytes(8, "little")
    assert data.count(place) == 1
    spoilt.write_bytes(data.replace(place, where.to_bytes(8, "little")))
    with h5py.File(spoilt) as file, pytest.raises(ValueError, match="numbers lie beyond the end of the file"):
        check_contained(file)
