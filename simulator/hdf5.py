"""HDF5 files that may come from anywhere: refused where they would lead their reader astray.

HDF5 lets a file point out of itself, into itself, and promise more than it holds: soft and external links, datasets that are made of other datasets or lie in
other files, groups inside themselves. Who follows them reads another file, waits at a pipe for ever, or goes round until the process dies: libhdf5 2.0
overflows its stack on a virtual dataset that is made of itself, and goes round for ever in texts whose sizes were overwritten. No file that hebbscope or
SONATA writes has any of them.
"""

from __future__ import annotations

from mmap import ACCESS_READ, mmap
from typing import Any

PACKED = 1100  # times smaller than its numbers a file may be; deflate stops at 1032
SPARE = 2**24  # bytes that may be promised and not yet written
TEXTS = b"GCOL\x01"  # so begins a collection of texts


def check_contained(root: Any) -> None:
    """ValueError for an open file that holds anything but plain groups and datasets, each where it seems to be.

    By h5py's lower level, which takes a tenth of the time.
    """
    taken: list[tuple[int, int]] = []
    from h5py import h5l, h5o

    most = PACKED * root.id.get_filesize() + SPARE
    seen, waiting = {h5o.get_info(root.id).addr}, [("", h5o.open(root.id, b"/"))]
    while waiting:
        above, group = waiting.pop()
        for name in group:
            where = f"{above}/{name.decode(errors='replace')}"
            if group.links.get_info(name).type != h5l.TYPE_HARD:
                raise ValueError(f"{where} is a link")
            about = h5o.get_info(group, name)
            if about.type == h5o.TYPE_DATASET:
                dataset = h5o.open(group, name)
                _check_dataset(dataset, where, most)
                taken += _storage(dataset)
            elif about.type == h5o.TYPE_GROUP:
                if about.addr in seen:
                    raise ValueError(f"{where} is a group that is there twice")
                seen.add(about.addr)
                waiting.append((where, h5o.open(group, name)))
    _check_texts(root.filename, taken)


def _check_dataset(dataset: Any, where: str, most: int) -> None:
    from h5py import h5d

    made = dataset.get_create_plist()
    if made.get_layout() == h5d.VIRTUAL or made.get_external_count():
        raise ValueError(f"{where} lies elsewhere")
    if dataset.get_space().get_simple_extent_npoints() * dataset.get_type().get_size() > most:
        raise ValueError(f"{where} is larger than its file")


def _storage(dataset: Any) -> list[tuple[int, int]]:
    """From where to where [bytes] in its file a dataset has its numbers."""
    from h5py import h5d

    if dataset.get_create_plist().get_layout() == h5d.CHUNKED:
        chunks: list[tuple[int, int]] = []
        dataset.chunk_iter(lambda chunk: chunks.append((chunk.byte_offset, chunk.byte_offset + chunk.size)))
        return chunks
    start = dataset.get_offset()
    return [] if start is None else [(start, start + dataset.get_storage_size())]


def _check_texts(path: str, taken: list[tuple[int, int]]) -> None:
    """ValueError where numbers lie beyond the end, or a collection of texts, which lies between the datasets, has one that is as long as nothing."""
    with open(path, "rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        free, end = 0, len(data)
        if any(stop > end for _, stop in taken):
            raise ValueError("numbers lie beyond the end of the file")
        for start, stop in sorted([*taken, (end, end)]):
            at = data.find(TEXTS, free, start)
            while at >= 0:
                _check_collection(data, at)
                at = data.find(TEXTS, at + 1, start)
            free = max(free, stop)


def _check_collection(data: mmap, at: int) -> None:
    """A global heap collection of the HDF5 file format, III.E: after 16 bytes, of which the last 8 are its size, one object after another, each
    with its index in 2 bytes and its size in the last 8 of 16; index 0 is free space, whose size counts these 16."""
    end = min(at + int.from_bytes(data[at + 8 : at + 16], "little"), len(data))
    at += 16
    while at + 16 <= end:
        index, size = (int.from_bytes(data[at + a : at + b], "little") for a, b in ((0, 2), (8, 16)))
        step = (16 + (size + 7) // 8 * 8) % 2**64 if index else size
        if step == 0:
            raise ValueError("a text leads nowhere")
        at += step
