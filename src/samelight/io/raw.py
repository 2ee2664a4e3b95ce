"""Camera raw files, developed by LibRaw: the extra `raw`."""

from pathlib import Path

from samelight.errors import PhotoError, missing_extra
from samelight.types import Pixels


def read_raw(path: str | Path) -> Pixels:
    """Develop a raw file: the camera's white balance, sRGB, 16 bits, upright.

    Args:
        path: the file.

    Returns:
        (H,W,3) uint16.

    Raises:
        PhotoError: if the extra is not installed, or the file is missing or no raw file.
    """
    if not Path(path).is_file():
        raise PhotoError(f"{path} is not a file: check the path")
    try:
        import rawpy
    except ImportError as missing:
        raise PhotoError(
            f"{path} is a camera raw file and needs {missing_extra('raw')}"
        ) from missing
    try:
        with rawpy.imread(str(path)) as raw:
            pixels: Pixels = raw.postprocess(use_camera_wb=True, output_bps=16)
    except rawpy.LibRawError as failure:
        raise PhotoError(f"{path} is no raw file that LibRaw can read") from failure
    return pixels
