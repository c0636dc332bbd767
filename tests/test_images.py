"""Images are read, refused with a reason, and become white patches."""

import numpy as np
import pytest
from PIL import Image as Pillow

from hebbscope.models.experiments import images
from hebbscope.models.experiments.images import Whitening, make_patches, read_images
from hebbscope.simulator.protocols import HebbscopeError


def photograph(rows=120, columns=140, seed=0):
    """Something with edges at all scales: overlapping discs of random grey."""
    random = np.random.default_rng(seed)
    plane, (y, x) = np.full((rows, columns), 0.5), np.mgrid[:rows, :columns]
    for _ in range(150):
        centre, radius = random.uniform(0, (rows, columns)), 3 + 25 * random.uniform() ** 3
        plane[np.hypot(y - centre[0], x - centre[1]) < radius] = random.uniform(0.05, 1)
    return plane


def save(path, plane):
    Pillow.fromarray((255 * plane).astype(np.uint8)).save(path)


@pytest.fixture
def folder(tmp_path):
    for k in range(3):
        save(tmp_path / f"{k}.png", photograph(seed=k))
    (tmp_path / "notes.txt").write_text("not a picture")
    return tmp_path


def test_the_seven_photographs_come_out_of_the_wheels():
    shipped = read_images()
    assert [image.name.split(".")[0] for image in shipped] == [
        "china",
        "flower",
        "coffee",
        "chelsea",
        "astronaut",
        "grass",
        "gravel",
    ]
    assert all(image.pixels.ndim == 2 and 0 <= image.pixels.min() < image.pixels.max() <= 1 for image in shipped)


def test_a_file_and_a_folder_of_ones_own(folder):
    assert [image.name for image in read_images(str(folder))] == ["0.png", "1.png", "2.png"]
    (one,) = read_images(str(folder / "1.png"))
    np.testing.assert_allclose(one.pixels, photograph(seed=1), atol=1 / 255)


def test_a_mat_file_old_and_new(tmp_path):
    import h5py
    from scipy.io import savemat

    stack = np.random.default_rng(0).normal(size=(60, 50, 4))
    savemat(tmp_path / "IMAGES.mat", {"IMAGES": stack, "n": 4})
    with h5py.File(tmp_path / "new.mat", "w") as file:
        file["IMAGES"] = stack.T
    for name in ("IMAGES.mat", "new.mat"):
        read = read_images(str(tmp_path / name))
        assert len(read) == 4
        np.testing.assert_array_equal(read[3].pixels, stack[:, :, 3])  # whitened images keep their scale


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.png", None, "no file or folder"),
        ("broken.png", b"\x89PNG nothing", "cannot read broken.png as a picture"),
        ("text.jpg", b"hello", "cannot read text.jpg as a picture"),
        ("broken.mat", b"MATLAB 5.0, but not quite", "cannot read broken.mat as a MATLAB file"),
    ],
)
def test_unreadable_files(tmp_path, name, content, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(HebbscopeError, match=words):
        read_images(str(tmp_path / name))


def test_folders_and_arrays_without_pictures(tmp_path):
    from scipy.io import savemat

    with pytest.raises(HebbscopeError, match="no picture in the folder"):
        read_images(str(tmp_path))
    savemat(tmp_path / "words.mat", {"text": "no numbers"})
    with pytest.raises(HebbscopeError, match="holds no array of pictures"):
        read_images(str(tmp_path / "words.mat"))
    save(tmp_path / "flat.png", np.full((80, 80), 0.5))
    with pytest.raises(HebbscopeError, match=r"flat.png has no contrast"):
        read_images(str(tmp_path / "flat.png"))
    savemat(tmp_path / "nan.mat", {"IMAGES": np.full((60, 60), np.nan)})
    with pytest.raises(HebbscopeError, match="not finite"):
        read_images(str(tmp_path / "nan.mat"))


def test_without_the_extra_the_error_says_how_to_install(monkeypatch):
    monkeypatch.setattr(images.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(HebbscopeError, match=r"pip install 'hebbscope\[images\]'"):
        read_images()


def test_images_smaller_than_the_patch(tmp_path):
    save(tmp_path / "small.png", photograph(54, 70))
    with pytest.raises(HebbscopeError, match=r"small\.png is 70 x 54 pixels; patches of 16 x 16 need at least 55 x 55"):
        make_patches(read_images(str(tmp_path / "small.png")), n=2000)
    save(tmp_path / "enough.png", photograph(55, 55))
    with pytest.raises(HebbscopeError, match="span fewer than 70 dimensions"):  # one place, over and over
        make_patches(read_images(str(tmp_path / "enough.png")), n=2000)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"offset": 1e18}, r"offset: must be at most 1e\+06, .*, got 1e\+18"),
        ({"window": 0.1}, r"window: must be at least 0\.3 pixels, got 0\.1"),
        ({"high_pass": 1e-9}, r"high_pass: must be at least 0\.3 pixels, got 1e-09"),
        ({"floor": 1e-50}, r"floor: must be in \[1e-06, 1e\+06\], got 1e-50"),
        ({"floor": 1e300}, r"floor: must be in \[1e-06, 1e\+06\], got 1e\+300"),
        ({"cutoff": 0.002}, r"inputs\.whitening\.cutoff: must be at least 0\.0143 cycles per pixel, one across 0\.png, got 0\.002"),
    ],
)  # fmt: skip
def test_whitening_that_leaves_nothing_of_a_picture(folder, settings, words):
    with pytest.raises(HebbscopeError, match=words):
        make_patches(read_images(str(folder)), size=8, n=500, whitening=Whitening(components=30, **settings))


def test_a_picture_of_which_whitening_leaves_nothing(tmp_path):
    """All its contrast is where patches are not taken."""
    framed = np.full((120, 140), 0.5)
    framed[0] = framed[:, 0] = 1.0
    pictures = [images.Image(framed - 0.5 - 1e-12, "framed")]
    with pytest.raises(HebbscopeError, match=r"inputs\.images: framed has no contrast that whitening leaves"):
        make_patches(pictures, size=8, n=500)


def test_the_bounds_of_whitening_still_make_patches(folder):
    """What is just allowed gives white patches, not numbers beyond a float's."""
    for bound in ({"offset": 1e6}, {"window": 0.3}, {"high_pass": 0.3}, {"floor": 1e-6}, {"floor": 1e6}):
        settings = Whitening(**{"components": 20, "step": 1} | bound)
        white = make_patches(read_images(str(folder)), size=8, n=500, n_held_out=100, whitening=settings)
        values = np.linalg.eigvalsh(np.cov(white.patches, rowvar=False))
        np.testing.assert_allclose(values[-20:], 64 / 20 * 500 / 499, rtol=1e-4)


@pytest.mark.parametrize("control", images.CONTROLS)
def test_patches_are_white_in_their_subspace(folder, control):
    white = make_patches(
        read_images(str(folder)), size=8, n=3000, n_held_out=500, control=control, whitening=Whitening(components=30)
    )
    assert white.patches.shape == (3000, 64)
    assert white.held_out.shape == (500, 64)
    assert white.patches.dtype == white.held_out.dtype == np.float32
    values = np.linalg.eigvalsh(np.cov(white.patches, rowvar=False))
    np.testing.assert_allclose(values[-30:], 64 / 30, rtol=1e-3)
    np.testing.assert_allclose(values[:-30], 0, atol=1e-4)
    assert abs(white.patches.mean()) < 1e-4


def test_photographs_are_sparse_and_controls_are_not(folder):
    pictures = read_images(str(folder))

    def kurtosis(control):
        white = make_patches(pictures, size=8, n=3000, control=control, whitening=Whitening(components=30))
        values = white.patches.astype(float)
        return np.mean(values**4) / np.mean(values**2) ** 2 - 3

    assert kurtosis("none") > 1
    assert all(abs(kurtosis(control)) < 0.5 for control in ("shuffled", "scrambled", "noise"))


def test_the_same_seed_gives_the_same_patches(folder):
    pictures = read_images(str(folder))
    a, b, c = (
        make_patches(pictures, size=8, n=500, whitening=Whitening(components=30), seed=seed).patches
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_whitened_images_skip_the_photographic_steps():
    random = np.random.default_rng(0)
    whitened = images.Image(random.normal(size=(40, 40)), "whitened")
    plane = images.whiten(whitened, 16, Whitening(), "none", random)
    assert plane.shape == (28, 28)  # margin only, no subsampling
    assert plane.std() == pytest.approx(1)
