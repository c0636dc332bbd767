"""Files that change all at once: what HDF5 writes over waits in memory until `commit`, and goes to the disk by a journal.

HDF5 writes its metadata in no order that a kill leaves readable. What it writes behind the end that the file had at the last commit goes straight through: nothing
leads there yet. What lay before that end stays as it was until a commit has all that is new in a journal beside the file, with a checksum; then it is written
over, and the journal removed. A kill before the journal is whole leaves the file as it was; after that, `recover` finishes what was begun, however often it
is killed itself.

    run.h5.journal    magic; size, head, number of blocks, and offset and length of each (uint64); the blocks; CRC-32 of all that
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from io import SEEK_END, SEEK_SET, FileIO
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

PAGE = 4096
HEAD = 65_536  # bytes at the beginning of a file by which a journal knows that it is its own
MAGIC = b"hebbscope journal 1\n"
MOST = 2**63 - 1  # bytes that a file can have


class Changes(NamedTuple):
    """What a commit does to a file: blocks (offset, bytes) are written over, in order, and it gets a size [bytes]."""

    size: int
    blocks: list[tuple[int, bytes]]

    def apply(self, disk: FileIO) -> None:
        """Doing so again changes nothing."""
        for offset, data in self.blocks:
            _put(disk, offset, data)
        disk.truncate(self.size)

    def head(self, disk: FileIO) -> int:
        """A checksum of how the file is to begin, the same before and after they are applied, and in between."""
        head = _get(disk, 0, min(HEAD, self.size))
        for offset, data in self.blocks:
            part = data[: max(0, len(head) - offset)]
            head[offset : offset + len(part)] = part
        return crc32(head)

    def packed(self, disk: FileIO) -> bytes:
        """As a journal has them."""
        table = [self.size, self.head(disk), len(self.blocks)]
        table += [number for offset, data in self.blocks for number in (offset, len(data))]
        body = b"".join([MAGIC, struct.pack(f"<{len(table)}Q", *table), *(data for _, data in self.blocks)])
        return body + struct.pack("<I", crc32(body))


def beside(path: Path) -> Path:
    """Where the journal of a file is."""
    return path.with_name(path.name + ".journal")


def waiting(path: Path) -> Changes | None:
    """Those that a kill kept from a file; None where there are none, or their journal was not yet whole, or is that of another file."""
    if not (beside(path).is_file() and path.is_file()):
        return None
    try:
        found = _unpacked(beside(path).read_bytes())
        with FileIO(path) as disk:
            return found[0] if found is not None and found[0].head(disk) == found[1] else None
    except FileNotFoundError:  # by now
        return None


def _unpacked(content: bytes) -> tuple[Changes, int] | None:
    """The changes of a journal, and its checksum of the head of its file; None for anything else."""
    body, start = content[:-4], len(MAGIC) + 24
    if not body.startswith(MAGIC) or struct.pack("<I", crc32(body)) != content[-4:]:
        return None
    try:
        size, head, n = struct.unpack_from("<3Q", body, len(MAGIC))
        table = struct.unpack_from(f"<{2 * n}Q", body, start)
    except struct.error:
        return None
    blocks, start = [], start + 16 * n
    for offset, length in zip(table[::2], table[1::2], strict=True):
        blocks.append((offset, body[start : start + length]))
        start += length
    fits = start == len(body) and size <= MOST and all(offset + len(data) <= size for offset, data in blocks)
    return (Changes(size, blocks), head) if fits else None


def recover(path: Path) -> None:
    """Finish the commit that a kill broke off, if it was begun, and remove its journal. Who calls has the right to write the file."""
    changes = waiting(path)
    if changes is not None:
        with FileIO(path, "r+") as disk:
            changes.apply(disk)
    remove(path)


def remove(path: Path) -> None:
    """Take the journal of a file away."""
    beside(path).unlink(missing_ok=True)


class Journaled:
    """A file as h5py takes it, at `path`, where it is new or there already.

    Whatever the disk refuses is told by `commit` and kept from HDF5, which has no way back from it: what it writes stays in memory then. What was cut off and
    is within the file again may be anything until it is written.
    """

    def __init__(self, path: Path, new: bool = False):
        self.path = path
        self._disk = FileIO(path, "w+" if new else "r+")
        self._size = self.stat().st_size
        self._fresh = _whole_pages(self._size)  # from here on nothing leads anywhere
        self._at = 0
        self._pages: dict[int, bytearray] = {}
        self._refused: OSError | None = None

    def stat(self) -> os.stat_result:
        """Of the file that is open, whatever has its name by now."""
        return os.fstat(self._disk.fileno())

    # What h5py calls ------------------------------------------------------------------------------------------------

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        self._at = offset + (self._size if whence == SEEK_END else 0)
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int) -> bytes:
        data = bytearray(size)
        self.readinto(data)
        return bytes(data)

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        n = len(view)
        view[:] = _get(self._disk, self._at, n)
        for page, within, start, stop in _pieces(self._at, n):
            if page in self._pages:
                view[start:stop] = self._pages[page][within : within + stop - start]
        self._at += n
        return n

    def write(self, data: Any) -> int:
        view, n = memoryview(data), len(data)
        old = min(n, max(0, self._fresh - self._at))
        if self._refused is None and old < n:
            try:
                _put(self._disk, self._at + old, view[old:])
            except OSError as refused:
                self._refused = refused
        self._keep(self._at, view if self._refused else view[:old])
        self._at += n
        self._size = max(self._size, self._at)
        return n

    def truncate(self, size: int) -> int:
        self._size = size
        self._pages = {page: kept for page, kept in self._pages.items() if page * PAGE < size}
        return size

    def flush(self) -> None:
        """HDF5 says so also when the file is not whole yet: `commit` does it."""

    # What a run file calls ------------------------------------------------------------------------------------------

    def commit(self) -> None:
        """Let the file be what HDF5 has written, which has just flushed or closed it. OSError where the disk refuses; it stays as it was then."""
        if self._refused is not None:
            raise self._refused
        changes = Changes(self._size, [*self._blocks()])
        if changes.blocks:
            try:
                with FileIO(beside(self.path), "w") as file:
                    _put(file, 0, changes.packed(self._disk))
            except OSError:
                remove(self.path)
                raise
        changes.apply(self._disk)
        remove(self.path)
        self._pages.clear()
        self._fresh = _whole_pages(self._size)

    def sync(self) -> None:
        """Have what was committed on the disk, past the system's own buffers."""
        os.fsync(self._disk.fileno())

    def give_up(self) -> None:
        """Leave the file as it was at the last commit: whatever HDF5 still writes stays in memory."""
        self._refused = OSError("given up")

    def close(self) -> None:
        self._disk.close()

    def _keep(self, offset: int, data: memoryview) -> None:
        for page, within, start, stop in _pieces(offset, len(data)):
            if page not in self._pages:
                self._pages[page] = bytearray(PAGE) if stop - start == PAGE else _get(self._disk, page * PAGE, PAGE)
            self._pages[page][within : within + stop - start] = data[start:stop]

    def _blocks(self) -> Iterator[tuple[int, bytes]]:
        """The pages in order, those that follow each other as one."""
        pages = sorted(self._pages)
        begins = [page for page in pages if page - 1 not in self._pages]
        ends = [page + 1 for page in pages if page + 1 not in self._pages]
        for begin, end in zip(begins, ends, strict=True):
            data = b"".join(self._pages[page] for page in range(begin, end))
            yield begin * PAGE, data[: self._size - begin * PAGE]


def _pieces(offset: int, n: int) -> Iterator[tuple[int, int, int, int]]:
    """Page by page of n bytes at an offset: the page, where in it they begin, and from where to where they are among the n."""
    start = 0
    while start < n:
        page, within = divmod(offset + start, PAGE)
        stop = min(n, start + PAGE - within)
        yield page, within, start, stop
        start = stop


def _whole_pages(size: int) -> int:
    return -(-size // PAGE) * PAGE


def _get(disk: FileIO, offset: int, n: int) -> bytearray:
    """n bytes from an offset, with zeros where the file has ended."""
    found = bytearray(n)
    view = memoryview(found)
    disk.seek(offset)
    while view:
        got = disk.readinto(view)
        if not got:
            break
        view = view[got:]
    return found


def _put(disk: FileIO, offset: int, data: Any) -> None:
    view = memoryview(data)
    disk.seek(offset)
    while view:
        view = view[disk.write(view) :]
