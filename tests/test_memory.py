"""A 24-megapixel photo is harmonized in modest memory."""

import subprocess
import sys

import numpy as np
import pytest
import pyvips

WIDTH, HEIGHT = 6000, 4000
MOST_MIB = 600

MEASURE = """
import re, resource, sys
from pathlib import Path
from samelight.interfaces.cli.main import main
try:
    code = main()
except SystemExit as exit_:
    code = exit_.code
# Linux counts the process that forked into ru_maxrss; VmHWM is of this program alone.
status = Path("/proc/self/status")
if status.exists():
    peak_kib = int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1])
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak_kib = peak // 1024 if sys.platform == "darwin" else peak
print(peak_kib, file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs the resource module")
def test_peak_memory_of_24_megapixels(tiny_model, tmp_path):
    across = np.linspace(0, 255, WIDTH).astype(np.uint8)
    pixels = np.repeat(np.tile(across, (HEIGHT, 1))[..., None], 3, axis=2)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[200:3800, 300:5700] = 255
    pyvips.Image.new_from_array(pixels).jpegsave(str(tmp_path / "photo.jpg"))
    pyvips.Image.new_from_array(mask).pngsave(str(tmp_path / "mask.png"), compression=1)
    arguments = ["harmonize", "photo.jpg", "--mask", "mask.png", "--output", "out.jpg"]
    finished = subprocess.run(
        [sys.executable, "-c", MEASURE, *arguments, "--model", str(tiny_model)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr
    peak_mib = int(finished.stderr.split()[-1]) / 1024
    print(f"peak {peak_mib:.0f} MiB")  # noqa: T201 - read with pytest -s
    assert peak_mib < MOST_MIB
