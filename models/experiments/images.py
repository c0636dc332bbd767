"""Photographs, and the whitened patches that are cut from them.

The steps follow Olshausen & Field (Nature 381:607, 1996; Vision Res 37:3311, 1997), who whiten photographs with the filter f exp(-(f / f0)^4),
and Brito & Gerstner (PLoS Comput Biol 12:e1005070, 2016), who whiten the patches; local contrast normalisation is added.
Filter whitening alone leaves low frequencies that win; whitening of patches without the high-pass gives steps of half a field.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from ...simulator.hdf5 import check_contained
from ...simulator.protocols import HebbscopeError, first_line, non_negative, part, positive, require, within
from ...simulator.streams import generator

Control = Literal["none", "shuffled", "scrambled", "noise"]
CONTROLS = ("none", "shuffled", "scrambled", "noise")
PHOTOGRAPHS = "photographs"
WHEELS = (
    ("sklearn", "datasets/images", ("china.jpg", "flower.jpg")),
    ("skimage", "data", ("coffee.png", "chelsea.png", "astronaut.png", "grass.png", "gravel.png")),
)
NARROWEST = 0.3  # pixels of a filter; below it leaves a picture as it is
WIDEST = 200  # pixels of a filter; no photograph is so large that it wants more
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".pgm", ".ppm", ".webp", ".mat")


class Image(NamedTuple):
    """pixels (rows, columns) float64, name: where it came from. A picture with negative pixels counts as whitened already."""

    pixels: np.ndarray
    name: str


class Patches(NamedTuple):
    """patches (n, size * size) float32 to learn from, held_out (n_held_out, size * size) to test on; unit variance."""

    patches: np.ndarray
    held_out: np.ndarray


@part
class Whitening(NamedTuple):
    """From photographs to patches: the parameters.

    offset      0.05   grey values in [0, 1] become log(grey + offset)
    blur        0.8    [pixels] Gaussian before subsampling
    step        2      every step-th pixel is kept
    cutoff      0.4    [cycles per pixel] filter f exp(-(f / cutoff)^4)
    margin      6      [pixels] cut off at each side after filtering
    window      5      [pixels] Gaussian window of the local standard deviation
    floor       0.3    contrast is divided by (local sd + floor * its mean), patches by (their sd + floor)
    high_pass   1.5    [pixels] a Gaussian mean of this width is subtracted
    components  70     principal components of the patches that are kept and whitened
    """

    offset: float = 0.05
    blur: float = 0.8
    step: int = 2
    cutoff: float = 0.4
    margin: int = 6
    window: float = 5.0
    floor: float = 0.3
    high_pass: float = 1.5
    components: int = 70

    def check(self):
        positive(self, "offset", "step", "cutoff", "window", "high_pass", "components")
        non_negative(self, "blur", "margin")
        require(self.offset <= 1e6, self, "offset", "must be at most 1e+06, beside grey values in [0, 1]")
        for name in ("blur", "step", "margin", "window", "high_pass"):
            require(getattr(self, name) <= WIDEST, self, name, f"must be at most {WIDEST} pixels")
        for name in ("window", "high_pass"):
            require(getattr(self, name) >= NARROWEST, self, name, f"must be at least {NARROWEST} pixels")
        within(self, "floor", 1e-6, 1e6)  # flat patches are divided by it, in single precision


# Reading ------------------------------------------------------------------------------------------------------------


def read_images(where: str = PHOTOGRAPHS) -> list[Image]:
    """The seven photographs inside the scikit-image and scikit-learn wheels, or those of a file, a folder or a .mat file.

    Grey values are scaled to [0, 1]. Nothing is downloaded. Raises HebbscopeError where there is nothing to read.
    """
    if where == PHOTOGRAPHS:
        return [_read_picture(path) for path in _shipped()]
    path = Path(where).expanduser()
    if not path.exists():
        raise HebbscopeError(f"inputs.images: no file or folder {where}")
    if path.is_file():
        return _read_file(path)
    if not path.is_dir():
        raise HebbscopeError(f"inputs.images: {where} is neither a file nor a folder")
    images = [image for file in sorted(path.iterdir()) if file.suffix.lower() in SUFFIXES for image in _read_file(file)]
    if not images:
        raise HebbscopeError(f"inputs.images: no picture in the folder {where} (looked for {', '.join(SUFFIXES)})")
    return images


def _shipped() -> list[Path]:
    paths = []
    for package, folder, names in WHEELS:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            raise HebbscopeError(
                "inputs.images: the photographs come with scikit-image and scikit-learn; install them with "
                "pip install 'hebbscope[images]', or give your own with inputs.images=PATH"
            )
        paths += [Path(spec.origin).parent / folder / name for name in names]
    return paths


def _read_file(path: Path) -> list[Image]:
    return _read_mat(path) if path.suffix.lower() == ".mat" else [_read_picture(path)]


def _read_picture(path: Path) -> Image:
    from PIL import Image as Pillow

    try:
        with Pillow.open(path) as picture:
            deep = picture.mode in ("I", "F", "I;16", "I;16B")
            pixels = np.asarray(picture if deep else picture.convert("L"), dtype=float)
    except (OSError, ValueError, SyntaxError, Pillow.DecompressionBombError) as error:
        raise HebbscopeError(f"inputs.images: cannot read {path.name} as a picture ({type(error).__name__})") from None
    return _scaled(pixels, path.name, None if deep else 255.0)


def _read_mat(path: Path) -> list[Image]:
    """The largest numeric array of a MATLAB file: (rows, columns) or (rows, columns, n_images)."""
    arrays = [array for array in _mat_arrays(path) if array.ndim in (2, 3) and array.dtype.kind in "fiu"]
    if not arrays:
        raise HebbscopeError(f"inputs.images: {path.name} holds no array of pictures (rows, columns, n_images)")
    stack = np.atleast_3d(max(arrays, key=lambda array: array.size)).astype(float)
    return [_scaled(stack[:, :, k], f"{path.name}[{k}]", None) for k in range(stack.shape[2])]


def _mat_arrays(path: Path) -> list[np.ndarray]:
    import h5py
    from scipy.io import loadmat

    try:
        if h5py.is_hdf5(path):  # version 7.3, whose arrays lie transposed
            with h5py.File(path, "r") as file:
                check_contained(file)
                return [np.asarray(item).T for item in file.values() if isinstance(item, h5py.Dataset)]
        return [np.asarray(value) for key, value in loadmat(path).items() if not key.startswith("__")]
    except Exception as error:  # scipy raises what it meets: ValueError, struct.error, zlib.error, ...
        raise HebbscopeError(f"inputs.images: cannot read {path.name} as a MATLAB file ({first_line(error)})") from None


def _scaled(pixels: np.ndarray, name: str, top: float | None) -> Image:
    if not np.all(np.isfinite(pixels)):
        raise HebbscopeError(f"inputs.images: {name} has pixels that are not finite")
    if np.ptp(pixels) == 0:
        raise HebbscopeError(f"inputs.images: {name} has no contrast")
    if pixels.min() < 0:
        return Image(pixels, name)
    return Image(pixels / (top or pixels.max()), name)


# Whitening ----------------------------------------------------------------------------------------------------------


def make_patches(
    images: list[Image],
    *,
    size: int = 16,
    n: int = 60_000,
    n_held_out: int = 4_000,
    control: Control = "none",
    whitening: Whitening = Whitening(),
    seed: int = 0,
) -> Patches:
    """Whitened patches of size x size pixels at random places of the images, each place as likely as any other.

    The whitening is measured on the n patches to learn from and applied to the held-out ones as it is. The same seed gives the same
    patches. Raises HebbscopeError where an image is too small, or the patches span too few dimensions to be whitened.
    """
    whitening.check()
    random = generator(seed, "patches")
    planes = [whiten(image, size, whitening, control, random) for image in images]
    raw = _cut(planes, n + n_held_out, size, random)
    raw -= raw[:n].mean(axis=0)
    flat = raw @ _zca(raw[:n], whitening.components)
    flat /= flat[:n].std()
    flat /= flat.std(axis=1, keepdims=True) + np.float32(whitening.floor)
    flat -= flat[:n].mean(axis=0)
    flat = flat @ _zca(flat[:n], whitening.components)
    flat /= flat[:n].std()
    return Patches(flat[:n], flat[n:])


def whiten(image: Image, size: int, p: Whitening, control: Control, random: np.random.Generator) -> np.ndarray:
    """(rows, columns) float64 of unit variance: one image, whitened and with its local contrast made even."""
    from scipy.ndimage import gaussian_filter

    raw = image.pixels.min() >= 0
    step = p.step if raw else 1
    least = (size - 1 + 2 * p.margin) * step + 1
    if min(image.pixels.shape) < least:
        rows, columns = image.pixels.shape
        raise HebbscopeError(
            f"inputs.images: {image.name} is {columns} x {rows} pixels; patches of {size} x {size} need at least {least} x {least}"
        )
    plane = _controlled(np.log(image.pixels + p.offset) if raw else image.pixels, control, random)
    if raw:
        plane = gaussian_filter(plane, p.blur)[::step, ::step]
        lowest = 1.0 / max(plane.shape)
        if p.cutoff < lowest:
            raise HebbscopeError(
                f"inputs.whitening.cutoff: must be at least {lowest:.3g} cycles per pixel, one across {image.name}, got {p.cutoff:g}"
            )
        plane = _filtered(plane - plane.mean(), p.cutoff)
    plane = plane[p.margin : plane.shape[0] - p.margin, p.margin : plane.shape[1] - p.margin]
    mean = gaussian_filter(plane, p.window)
    sd = np.sqrt(np.maximum(gaussian_filter(plane**2, p.window) - mean**2, 0.0))
    if not sd.mean() > 0.0:
        raise HebbscopeError(f"inputs.images: {image.name} has no contrast that whitening leaves")
    plane = plane / (sd + p.floor * sd.mean())
    plane = plane - gaussian_filter(plane, p.high_pass)
    return plane / plane.std()


def _controlled(plane: np.ndarray, control: Control, random: np.random.Generator) -> np.ndarray:
    """What a picture without its structure looks like: pixels shuffled, phases scrambled, or noise alone."""
    if control == "shuffled":
        return random.permutation(plane.ravel()).reshape(plane.shape)
    if control == "noise":
        return random.normal(size=plane.shape)
    if control == "scrambled":
        phases = np.angle(np.fft.rfft2(random.normal(size=plane.shape)))
        return np.fft.irfft2(np.abs(np.fft.rfft2(plane)) * np.exp(1j * phases), plane.shape)
    return plane


def _filtered(plane: np.ndarray, cutoff: float) -> np.ndarray:
    rows, columns = plane.shape
    f = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None, :])
    return np.fft.irfft2(np.fft.rfft2(plane) * f * np.exp(-((f / cutoff) ** 4)), plane.shape)


def _cut(planes: list[np.ndarray], n: int, size: int, random: np.random.Generator) -> np.ndarray:
    """(n, size * size) float32."""
    patches = np.empty((n, size, size), dtype=np.float32)  # first: no long draws where there is no memory
    windows = [np.lib.stride_tricks.sliding_window_view(plane, (size, size)) for plane in planes]
    places = np.array([view.shape[0] * view.shape[1] for view in windows], dtype=float)
    which = random.choice(len(planes), n, p=places / places.sum())
    for k, view in enumerate(windows):
        here = np.flatnonzero(which == k)
        patches[here] = view[
            random.integers(view.shape[0], size=here.size), random.integers(view.shape[1], size=here.size)
        ]
    return patches.reshape(n, size * size)


def _zca(patches: np.ndarray, components: int) -> np.ndarray:
    """(pixels, pixels) float32: whitens the leading principal components, drops the others, and turns back to pixels."""
    values, vectors = np.linalg.eigh(np.cov(patches, rowvar=False))
    values, vectors = values[-components:], vectors[:, -components:]
    if len(values) < components or values[0] <= 1e-6 * values[-1]:
        raise HebbscopeError(
            f"inputs.images: the patches span fewer than {components} dimensions; give more or larger images, or fewer components"
        )
    return ((vectors / np.sqrt(values)) @ vectors.T).astype(np.float32)
