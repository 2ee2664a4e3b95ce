"""Small whole files of every kind that samelight reads, for tools/fuzz_readers.py to damage."""

import io
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from onnx import TensorProto, helper
from PIL import Image, PngImagePlugin

from samelight.color.code_points import Cicp, profile_of_cicp
from samelight.color.lut import identity_lut, write_cube
from samelight.correction.field import Correction
from samelight.io.metadata.record import Metadata, Own
from samelight.io.photo import Photo, write_photo
from samelight.models.spec import SPEC_KEY, ModelSpec, View
from samelight.types import Pixels

_HEIGHT, _WIDTH, _SIZE_PX = 24, 40, 16
# Photoshop's resource of a clipping path that is empty.
_PATH = b"8BIM" + struct.pack(">HHI", 2000, 0, 26) + bytes(26)
_P3, _SRGB_CURVE, _FULL_RANGE = 12, 13, 1


def photos() -> dict[str, bytes]:
    """Photos of every container, depth, coding and kind of metadata, by name."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (_HEIGHT, _WIDTH, 4), dtype=np.uint8)
    image = Image.fromarray(noise[..., :3])
    return dict([*_written_here(noise), *_written_by_pillow(image), *_written_by_tifffile(noise)])


def masks() -> dict[str, bytes]:
    """Gray pictures and cut-outs, by name."""
    rng = np.random.default_rng(1)
    gray = Image.fromarray(rng.integers(0, 256, (_HEIGHT, _WIDTH), dtype=np.uint8))
    cutout = Image.merge("RGBA", [gray, gray, gray, gray])
    pictures = {"gray.png": gray, "gray.jpg": gray, "bilevel.png": gray.convert("1")}
    pictures |= {"gray.tif": gray, "cutout.png": cutout, "cutout.webp": cutout}
    return {name: _saved(picture, Path(name).suffix) for name, picture in pictures.items()}


def corrections() -> dict[str, bytes]:
    """Corrections with and without a profile, by name."""
    wide = profile_of_cicp(Cicp(_P3, _SRGB_CURVE, 0, _FULL_RANGE))
    grids = {"srgb.npz": Correction.identity((2, 3)), "wide.npz": Correction.identity((4, 4))}
    grids["wide.npz"] = Correction(grids["wide.npz"].grid, wide)
    with tempfile.TemporaryDirectory() as folder:
        for name, correction in grids.items():
            correction.save(Path(folder) / name)
        return {name: (Path(folder) / name).read_bytes() for name in grids}


def cubes() -> dict[str, bytes]:
    """Tables of two sizes, by name."""
    with tempfile.TemporaryDirectory() as folder:
        for size in (2, 5):
            write_cube(Path(folder) / f"{size}.cube", identity_lut(size), "a table")
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def models() -> dict[str, bytes]:
    """A network of one node with what it says about itself, by name."""
    shape = [1, 3, _SIZE_PX, _SIZE_PX]
    inputs = [
        helper.make_tensor_value_info("composite", TensorProto.FLOAT, shape),
        helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1, 1, *shape[2:]]),
    ]
    outputs = [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)]
    nodes = [helper.make_node("Add", ["composite", "mask"], ["image"])]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    spec = ModelSpec(
        method="tiny", answer="picture", size_px=_SIZE_PX, views=(View(size_px=_SIZE_PX),)
    )
    helper.set_model_props(model, {SPEC_KEY: spec.to_json()})
    content: bytes = model.SerializeToString()
    return {"tiny.onnx": content}


def _written_here(noise: Pixels) -> Iterator[tuple[str, bytes]]:
    """By samelight, with all the metadata that a format holds."""
    exif = Image.Exif()
    exif[271], exif[274] = "a camera", 6
    exif.get_ifd(34665)[33434] = 0.004
    xmp = b'<x:xmpmeta hdrgm:Version="1.0" tiff:Orientation="6"><Container:Directory/></x:xmpmeta>'
    iptc = b"\x1c\x02\x19" + struct.pack(">H", 2) + b"kw"
    own = (
        Own("PNG", "cICP", bytes([_P3, _SRGB_CURVE, 0, _FULL_RANGE]), None),
        Own("PNG", "tEXt", b"parameters\0a prompt", "text"),
        Own("JPEG", "COM", b"a comment", "a comment"),
    )
    metadata = Metadata(
        exif.tobytes().removeprefix(b"Exif\0\0"),
        xmp,
        iptc,
        _PATH,
        (10.0, 10.0),
        own,
        associated_alpha=True,
    )
    icc = profile_of_cicp(Cicp(_P3, _SRGB_CURVE, 0, _FULL_RANGE))
    with tempfile.TemporaryDirectory() as folder:
        for depth, scale in ((np.uint8, 1), (np.uint16, 257)):
            values = noise.astype(depth) * depth(scale)
            photo = Photo(values[..., :3], values[..., 3], icc, metadata)
            for suffix in (".jpg", ".png", ".webp", ".tif", ".avif"):
                path = Path(folder) / f"full{8 * values.itemsize}{suffix}"
                write_photo(path, photo)
                yield path.name, path.read_bytes()


def _written_by_pillow(image: Image.Image) -> Iterator[tuple[str, bytes]]:
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", "<x/>", zip=True)
    several = {"save_all": True, "append_images": [image.rotate(180)]}
    yield "baseline.jpg", _saved(image, ".jpg")
    yield "progressive.jpg", _saved(image, ".jpg", progressive=True, restart_marker_rows=1)
    yield "cmyk.jpg", _saved(image.convert("CMYK"), ".jpg")
    yield "palette.png", _saved(image.quantize(16), ".png", pnginfo=text, transparency=3)
    yield "gray.png", _saved(image.convert("L"), ".png")
    yield "animated.png", _saved(image, ".png", **several)
    yield "animated.webp", _saved(image, ".webp", **several)
    yield "lossless.webp", _saved(image, ".webp", lossless=True)
    yield "plain.avif", _saved(image, ".avif")
    yield "animated.avif", _saved(image, ".avif", **several)
    for compression in ("tiff_lzw", "jpeg", "packbits"):
        yield f"{compression}.tif", _saved(image, ".tif", compression=compression)
    yield "group4.tif", _saved(image.convert("1"), ".tif", compression="group4")


def _written_by_tifffile(noise: Pixels) -> Iterator[tuple[str, bytes]]:
    kinds: dict[str, tuple[Pixels, dict[str, Any]]] = {
        "tiles": (noise[..., :3], {"photometric": "rgb", "tile": (16, 16)}),
        "big": (noise[..., :3], {"photometric": "rgb", "bigtiff": True, "byteorder": ">"}),
        "associated": (noise, {"photometric": "rgb", "extrasamples": ["assocalpha"]}),
        "lab": (noise[..., :3], {"photometric": "cielab"}),
        "pages": (np.stack([noise, noise]), {"photometric": "rgb"}),
    }
    for name, (values, options) in kinds.items():
        data = io.BytesIO()
        tifffile.imwrite(data, values, **options)
        yield f"{name}.tif", data.getvalue()


def _saved(image: Image.Image, suffix: str, **options: object) -> bytes:
    data = io.BytesIO()
    image.save(data, Image.registered_extensions()[suffix], **options)
    return data.getvalue()
