"""HDF5 files that may come from anywhere: refused where they would lead their reader astray.

HDF5 lets a file point out of itself, into itself, and promise more than it holds: soft and external links, datasets that are made of other datasets or lie in
other files, groups inside themselves. Who follows them reads another file, waits at a pipe for ever, or goes round until the process dies: libhdf5 2.0
overflows its stack on a virtual dataset that is made of itself. No file that hebbscope or SONATA writes has any of them.
"""

from __future__ import annotations

from typing import Any

PACKED = 1100  # times smaller than its numbers a file may be; deflate stops at 1032
SPARE = 2**24  # bytes that may be promised and not yet written


def check_contained(root: Any) -> None:
    """ValueError for an open file that holds anything but plain groups and datasets, each where it seems to be.

    By h5py's lower level, which takes a tenth of the time.
    """
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
                _check_dataset(h5o.open(group, name), where, most)
            elif about.type == h5o.TYPE_GROUP:
                if about.addr in seen:
                    raise ValueError(f"{where} is a group that is there twice")
                seen.add(about.addr)
                waiting.append((where, h5o.open(group, name)))


def _check_dataset(dataset: Any, where: str, most: int) -> None:
    from h5py import h5d

    made = dataset.get_create_plist()
    if made.get_layout() == h5d.VIRTUAL or made.get_external_count():
        raise ValueError(f"{where} lies elsewhere")
    if dataset.get_space().get_simple_extent_npoints() * dataset.get_type().get_size() > most:
        raise ValueError(f"{where} is larger than its file")
