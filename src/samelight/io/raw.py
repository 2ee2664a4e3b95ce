"""Camera raw files, developed by LibRaw: the extra `raw`."""

from pathlib import Path

from samelight.errors import PhotoError
from samelight.io.photo import Photo


def read_raw(path: str | Path) -> Photo:
    """Develop a raw file: the camera's white balance, sRGB, 16 bits, upright.

    Args:
        path: the file.

    Raises:
        PhotoError: if the extra is not installed, or the file is missing or no raw file.
    """
    if not Path(path).is_file():
        raise PhotoError(f"{path} is not a file: check the path")
    try:
        import rawpy
    except ImportError as missing:
        raise PhotoError(
            f'{path} is a camera raw file and needs extras: pip install "samelight[raw]"'
        ) from missing
    try:
        with rawpy.imread(str(path)) as raw:
            pixels = raw.postprocess(use_camera_wb=True, output_bps=16)
    except rawpy.LibRawError as failure:
        raise PhotoError(f"{path} is no raw file that LibRaw can read") from failure
    return Photo(pixels, notes=(f"{path} was developed: camera white balance, sRGB, 16 bits",))
