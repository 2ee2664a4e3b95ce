"""Seconds and memory from 1 to 100 megapixels, beside the codec and Pillow's Color3DLUT filter.

`python studies/full_resolution.py PHOTO` enlarges or shrinks one photo to each size, gives it
a round soft mask over a third of the picture, and measures every stage in a process of its own.
It writes `results/full_resolution.json`, of which `tools/make_tables.py` makes the page's table.
"""

import argparse
import io
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from samelight.lab.evaluation.report import markdown_table

MEGAPIXELS = (1, 12, 24, 50, 100)
RESULTS = Path(__file__).parents[1] / "results" / "full_resolution.json"
_JPEG_QUALITY = 92
_RUNS = 5
_PROPORTIONS = 3 / 2


def main() -> None:
    """Run all sizes, or one of them when called by itself."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path, help="any photo; its size does not matter")
    parser.add_argument("--sizes", type=int, nargs="+", default=MEGAPIXELS, help="megapixels")
    parser.add_argument("--runs", type=int, default=_RUNS, help="of which the median is taken")
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stage:
        measured = STAGES[arguments.stage](arguments.photo, arguments.runs)
        sys.stdout.write(json.dumps(measured))
        return
    rows = _known_rows()
    for size in arguments.sizes:
        rows[size] = _measure_size(arguments.photo, size, arguments.runs)
        sys.stdout.write(json.dumps(rows[size]) + "\n")
        sizes = [rows[megapixels] for megapixels in sorted(rows)]
        report = {"machine": _machine(), "runs": arguments.runs, "sizes": sizes}
        RESULTS.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


def _known_rows() -> dict[int, dict[str, Any]]:
    if not RESULTS.is_file():
        return {}
    return {row["megapixels"]: row for row in json.loads(RESULTS.read_text("utf-8"))["sizes"]}


def _measure_size(photo: Path, megapixels: int, runs: int) -> dict[str, Any]:
    """Make the files of one size and measure each stage on them."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "photo.jpg"
        _make(photo, made, megapixels)
        row: dict[str, Any] = {"megapixels": megapixels}
        for stage in STAGES:
            command = [sys.executable, __file__, str(made), "--stage", stage, "--runs", str(runs)]
            row |= json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        return row


def _make(photo: Path, made: Path, megapixels: int) -> None:
    import numpy as np
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    height = round((megapixels * 1e6 / _PROPORTIONS) ** 0.5)
    size = (round(height * _PROPORTIONS), height)
    with Image.open(photo) as image:
        image.convert("RGB").resize(size, Image.Resampling.BICUBIC).save(
            made, quality=_JPEG_QUALITY
        )
    across = np.linspace(-1, 1, size[0], dtype=np.float32)
    down = np.linspace(-1, 1, size[1], dtype=np.float32)
    coverage = (20 * (0.66 - np.hypot(down[:, None], across))).clip(0, 1)
    Image.fromarray((coverage * 255).astype(np.uint8)).save(made.with_name("mask.png"))


def _median(work: Callable[[], Any], runs: int) -> float:
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return round(statistics.median(seconds), 4)


def _pillow(photo: Path, runs: int) -> dict[str, float]:
    """Decode, encode and Color3DLUT by Pillow."""
    from PIL import Image, ImageFilter

    Image.MAX_IMAGE_PIXELS = None

    def decode() -> Image.Image:
        image = Image.open(photo)
        image.load()
        return image

    image = decode()
    lut = ImageFilter.Color3DLUT.generate(33, lambda r, g, b: (0.9 * r, g, 0.1 + 0.8 * b))
    return {
        "pillow_decode": _median(decode, runs),
        "pillow_encode": _median(
            lambda: image.save(io.BytesIO(), "JPEG", quality=_JPEG_QUALITY), runs
        ),
        "color3dlut": _median(lambda: image.filter(lut), runs),
    }


def _samelight(photo: Path, runs: int) -> dict[str, float]:
    """Our stages, one by one; to predict is to run the network, and to fit if it paints."""
    import tempfile

    from samelight.harmonizer import Harmonizer
    from samelight.io.photo import read_photo, write_photo
    from samelight.mask.mask import Mask
    from samelight.render.apply import render
    from samelight.render.native import load_kernel

    harmonizer = Harmonizer()
    before, mask = read_photo(photo), Mask.of(photo.with_name("mask.png"))
    correction = harmonizer.predict(before.pixels, mask).correction
    render(before.pixels, mask.coverage, correction)
    stages = {
        "decode": lambda: read_photo(photo),
        "predict": lambda: harmonizer.predict(before.pixels, mask),
        "render": lambda: render(before.pixels, mask.coverage, correction),
    }
    measured = {name: _median(work, runs) for name, work in stages.items()}
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out.jpg"
        measured["encode"] = _median(lambda: write_photo(target, before), runs)
    return measured | {"compiled": load_kernel() is not None}


def _peak(photo: Path, runs: int) -> dict[str, float]:
    """Peak memory of `samelight harmonize` from JPEG to JPEG, a process of its own."""
    del runs
    from samelight.interfaces.cli.main import main as samelight

    sys.argv = ["samelight", "harmonize", str(photo), "--mask", str(photo.with_name("mask.png"))]
    sys.argv += ["--output", str(photo.with_name("out.jpg"))]
    stdout, sys.stdout = sys.stdout, io.StringIO()
    try:
        samelight()
    except SystemExit as exit_:
        if exit_.code:
            raise
    finally:
        sys.stdout = stdout
    return {"peak_mib": round(_peak_kib() / 1024)}


def _peak_kib() -> int:
    status = Path("/proc/self/status")
    if not status.exists():
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak // 1024 if sys.platform == "darwin" else peak
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1])


STAGES: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "pillow": _pillow,
    "samelight": _samelight,
    "peak": _peak,
}


def _machine() -> str:
    import numpy
    import onnxruntime
    import PIL

    versions = f"numpy {numpy.__version__}, onnxruntime {onnxruntime.__version__}"
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{versions}, Pillow {PIL.__version__}"
    )


def table(_: str) -> str:
    """The results as Markdown."""
    names = ("decode", "predict", "render", "encode")
    rows = []
    for size, row in _known_rows().items():
        ours = row["predict"] + row["render"]
        codec = row["pillow_decode"] + row["pillow_encode"]
        whole = ours + row["decode"] + row["encode"]
        cells = [str(size), *(f"{row[name]:.3f}" for name in names)]
        cells += [f"{codec:.3f}", f"{row['color3dlut']:.3f}", f"{ours / codec:.2f}"]
        cells += [f"{row['render'] / row['color3dlut']:.2f}", f"{1000 * whole / size:.1f}"]
        rows.append((*cells, str(row["peak_mib"])))
    heads = ("Pillow decode + encode", "Color3DLUT", "ours / codec", "render / LUT", "ms per MP")
    return markdown_table(("MP", *names, *heads, "peak MiB"), rows)


if __name__ == "__main__":
    main()
