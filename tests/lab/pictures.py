"""Small photos and composites on disk, as the lab reads them."""

from pathlib import Path

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 72, 96


def smooth_photo(rng: np.random.Generator, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """A soft random picture, (H,W,3) uint8."""
    coarse = rng.integers(20, 236, (4, 5, 3), dtype=np.uint8)
    resized = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(resized)


def disc(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """A disc in the middle, (H,W) uint8, 255 inside."""
    down, across = np.mgrid[:height, :width]
    inside = (down - height / 2) ** 2 + (across - width / 2) ** 2 < (height / 3) ** 2
    return np.where(inside, 255, 0).astype(np.uint8)


def write_photos(root: Path, seed: int = 0) -> Path:
    """Three photos; "a_cat" and "dog" have masks, "sky" has none."""
    rng = np.random.default_rng(seed)
    (root / "photos").mkdir(parents=True)
    (root / "masks").mkdir()
    for name in ("a_cat", "dog", "sky"):
        Image.fromarray(smooth_photo(rng)).save(root / "photos" / f"{name}.png")
    for name in ("a_cat_1", "a_cat_2", "dog_1"):
        Image.fromarray(disc()).save(root / "masks" / f"{name}.png")
    (root / "index.csv").write_text("file,source,licence\na_cat.png,zoo,CC0\nsky.png,field,CC-BY\n")
    return root


def write_pairs(root: Path, count: int = 2) -> Path:
    """Composites in iHarmony4's layout: the real image's disc, darkened; names p0, p1, ..."""
    rng = np.random.default_rng(1)
    for folder in ("composite_images", "masks", "real_images"):
        (root / folder).mkdir(parents=True)
    inside = disc()[..., None] > 0
    for number in range(count):
        real = smooth_photo(rng)
        composite = np.where(inside, (real * 0.6).astype(np.uint8), real)
        Image.fromarray(composite).save(root / "composite_images" / f"p{number}_1_1.png")
        Image.fromarray(disc()).save(root / "masks" / f"p{number}_1.png")
        Image.fromarray(real).save(root / "real_images" / f"p{number}.png")
    (root / "index.csv").write_text("name,family\np0,dark\n")
    return root
