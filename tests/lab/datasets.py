"""Miniatures of the public data sets, with their real file rules."""

from pathlib import Path

import numpy as np
from PIL import Image

SUBSETS = {"HCOCO": "c1_10", "HAdobe5k": "a1_1", "HFlickr": "f1_1", "Hday2night": "d1-x_1"}


def picture(colour: tuple[int, int, int], side: int = 40) -> Image.Image:
    return Image.new("RGB", (side, side), colour)


def corner_mask(side: int = 40) -> Image.Image:
    """The upper left quarter, in three channels as iHarmony4's masks are."""
    mask = np.zeros((side, side, 3), np.uint8)
    mask[: side // 2, : side // 2] = 255
    return Image.fromarray(mask)


def write_iharmony4(root: Path, *, lists: str = "root") -> Path:
    """Four sub-datasets; composite 1 of each is for testing, 2 for training."""
    whole: dict[str, list[str]] = {"train": [], "test": []}
    for subset, with_mask in SUBSETS.items():
        for folder in ("composite_images", "masks", "real_images"):
            (root / subset / folder).mkdir(parents=True)
        for number, split in ((1, "test"), (2, "train")):
            name = f"{with_mask}_{number}.jpg"
            picture((120, 100, 80)).save(root / subset / "composite_images" / name)
            whole[split].append(f"{subset}/composite_images/{name}")
            if lists == "own":
                (root / subset / f"{subset}_{split}.txt").write_text(name + "\n")
        corner_mask().save(root / subset / "masks" / f"{with_mask}.png")
        real = with_mask.rsplit("_", 1)[0]
        picture((110, 100, 90)).save(root / subset / "real_images" / f"{real}.jpg")
    if lists == "root":
        for split, names in whole.items():
            (root / f"IHD_{split}.txt").write_text("\r\n".join(names) + "\r\n")
    return root


def write_ccharmony(root: Path) -> Path:
    """Lists name foregrounds; the masks' folder has its own name."""
    for folder in ("composite_images", "foreground_masks", "real_images"):
        (root / folder).mkdir(parents=True)
    for name in ("IMG_0001_a_1", "IMG_0001_a_2", "8D5U1_b_1"):
        picture((120, 100, 80)).save(root / "composite_images" / f"{name}.jpg")
    for name in ("IMG_0001_a", "8D5U1_b"):
        corner_mask().save(root / "foreground_masks" / f"{name}.png")
    for name in ("IMG_0001", "8D5U1"):
        picture((110, 100, 90)).save(root / "real_images" / f"{name}.jpg")
    (root / "test_list.txt").write_text("IMG_0001_a\n")
    (root / "train_list.txt").write_text("8D5U1_b\n")
    return root


def write_realhm(root: Path) -> Path:
    """Two folders with one item each."""
    for number, name in ((1, "7"), (2, "photo_2")):
        folder = root / f"vendor_testing_{number}"
        folder.mkdir(parents=True)
        files = {"": (200, 0, 0), "_small": (200, 0, 0), "_fore": (0, 0, 200), "_gt": (90, 90, 90)}
        for end, colour in files.items():
            picture(colour).save(folder / f"{name}{end}.jpg", quality=95, subsampling=0)
        corner_mask().save(folder / f"{name}_mask.jpg", quality=95)
    return root
