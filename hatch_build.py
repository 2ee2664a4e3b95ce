"""Compile the pixel loops while samelight is built, if the machine can; go on without if not.

`python hatch_build.py` does the same in a source tree. The environment variable CC names the
compiler, SAMELIGHT_KERNEL=required makes a failure an error, as the release build wants.
"""

import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parent / "src" / "samelight" / "render"
_ENDINGS = {"win32": "dll", "darwin": "dylib"}
# Nothing here reads errno or floating-point traps, and without them comparisons vectorise.
_FLAGS = ["-O3", "-std=c11", "-shared", "-fPIC", "-fvisibility=hidden"]
_FLAGS += ["-fno-math-errno", "-fno-trapping-math"]


def compile_kernel() -> Path | None:
    """Compile `kernel.c` beside itself.

    Returns:
        The compiled file; None if there is no compiler or it fails.
    """
    target = _FOLDER / f"kernel.{_ENDINGS.get(sys.platform, 'so')}"
    partial = target.with_name(f"{target.stem}.{os.getpid()}{target.suffix}")
    command = [*_compiler(), *_FLAGS, str(_FOLDER / "kernel.c"), "-o", str(partial)]
    try:
        subprocess.run(command, check=True, capture_output=True)
        partial.replace(target)
    except (OSError, subprocess.CalledProcessError) as failure:
        if os.environ.get("SAMELIGHT_KERNEL") == "required":
            raise
        target.unlink(missing_ok=True)
        sys.stderr.write(f"samelight: the pixel loops stay in numpy ({failure})\n")
        return None
    finally:
        partial.unlink(missing_ok=True)
    return target


def _compiler() -> list[str]:
    named = os.environ.get("CC") or ("gcc" if sys.platform == "win32" else "cc")
    return shlex.split(named)


def _platform_tag() -> str:
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return f"py3-none-{platform}"


if __name__ == "__main__":
    sys.exit(0 if compile_kernel() else 1)
else:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class KernelHook(BuildHookInterface[Any]):
        """Puts the compiled file into the wheel, which is then one of this platform."""

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            """Compile, and name what hatch shall pack.

            Args:
                version: of the build: standard or editable.
                build_data: hatch reads from it what this hook adds.
            """
            if self.target_name != "wheel":
                return
            library = compile_kernel()
            if library is None:
                return
            build_data["pure_python"] = False
            build_data["tag"] = _platform_tag()
            build_data["artifacts"].append(f"/src/samelight/render/{library.name}")
