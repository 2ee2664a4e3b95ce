"""Read files that were damaged at random (photos: and write them), and count what becomes of them.

    python tools/fuzz_readers.py --files 100000

Every file must be read, or refused in one line; in less than 5 seconds and 1 GiB. Files that are
not go to --keep. The table goes into docs/reliability.md. The same seed damages the same files.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import fuzz_seeds
import numpy as np
from guarded import Guarded, Outcome

from samelight.errors import SamelightError

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"
_START, _END = "<!-- fuzz -->\n", "<!-- end -->"
_WRITTEN = (".jpg", ".png", ".webp", ".tif", ".avif")
_ENDS_OF_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF)


class Reader(NamedTuple):
    """Something that reads files, and whole files for it."""

    seeds: Callable[[], dict[str, bytes]]
    read: Callable[[Path], object]


@dataclass
class Tally:
    """What became of a reader's files."""

    outcomes: Counter[str] = field(default_factory=Counter)
    slowest_seconds: float = 0.0
    peak_bytes: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one."""
        self.outcomes[outcome.kind] += 1
        self.slowest_seconds = max(self.slowest_seconds, outcome.seconds)
        self.peak_bytes = max(self.peak_bytes, outcome.peak_bytes)


def _read_photo(path: Path) -> object:
    """What was read is written as well: metadata may be odd and the picture whole."""
    from samelight.io.photo import read_photo, write_photo

    photo = read_photo(path)
    suffix = _WRITTEN[path.stat().st_size % len(_WRITTEN)]
    with tempfile.TemporaryDirectory() as folder:
        return write_photo(Path(folder) / f"after{suffix}", photo)


def _read_mask(path: Path) -> object:
    from samelight.mask.mask import Mask

    return Mask.of(path)


def _read_correction(path: Path) -> object:
    from samelight.correction.field import Correction

    return Correction.load(path)


def _read_cube(path: Path) -> object:
    from samelight.color.lut import read_cube

    return read_cube(path)


def _read_model(path: Path) -> object:
    from samelight.models.session import open_session

    return open_session(path, threads=1)


READERS = {
    "photos": Reader(fuzz_seeds.photos, _read_photo),
    "masks": Reader(fuzz_seeds.masks, _read_mask),
    "corrections": Reader(fuzz_seeds.corrections, _read_correction),
    ".cube tables": Reader(fuzz_seeds.cubes, _read_cube),
    "model files": Reader(fuzz_seeds.models, _read_model),
}
# Of every hundred files; what has more kinds and more native code gets more.
_SHARES = {"photos": 60, "masks": 10, "corrections": 10, ".cube tables": 10, "model files": 10}


def damaged(data: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    """Damage a file once to five times.

    Args:
        data: the whole file.
        others: files to take pieces from.
        rng: where the damage comes from.
    """
    damaged = bytearray(data)
    for _ in range(int(rng.integers(1, 6))):
        place = int(rng.integers(0, len(damaged) + 1))
        length = int(2 ** rng.uniform(0, 7))
        kind = rng.integers(0, 7)
        if kind == 0 and place < len(damaged):
            damaged[place] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1:
            damaged[place : place + length] = rng.bytes(length)
        elif kind == 2:
            damaged[place : place + 4] = bytes([int(rng.choice(_ENDS_OF_NUMBERS))]) * 4
        elif kind == 3:
            del damaged[place : place + length]
        elif kind == 4:
            damaged[place:place] = damaged[place : place + length]
        elif kind == 5:
            other = others[int(rng.integers(0, len(others)))]
            start = int(rng.integers(0, len(other)))
            damaged[place : place + length] = other[start : start + length]
        elif rng.random() < 0.2:
            del damaged[place:]
    return bytes(damaged)


def damaged_file(seeds: dict[str, bytes], seed: int, index: int) -> tuple[str, bytes]:
    """The file of a number: its ending, and what is in it."""
    rng = np.random.default_rng([seed, index])
    name = sorted(seeds)[int(rng.integers(0, len(seeds)))]
    return Path(name).suffix, damaged(seeds[name], list(seeds.values()), rng)


def read_damaged(name: str, seed: int, index: int) -> str:
    """Read the file of a number; say "read", "refused", "long line", or an exception's name."""
    reader = READERS[name]
    suffix, data = damaged_file(_seeds(name), seed, index)
    with tempfile.NamedTemporaryFile(suffix=suffix) as file:
        file.write(data)
        file.flush()
        try:
            reader.read(Path(file.name))
        except SamelightError as refusal:
            return "refused" if len(str(refusal).splitlines()) == 1 else "long line"
        except Exception as failure:  # whatever comes is what is looked for
            return type(failure).__name__
    return "read"


@cache
def _seeds(name: str) -> dict[str, bytes]:
    return READERS[name].seeds()


def run(name: str, files: int, seed: int, keep: Path) -> Tally:
    """Read damaged files with one reader, and keep those that it neither reads nor refuses."""
    read, tally = Guarded(partial(read_damaged, name, seed)), Tally()
    for index in range(files):
        outcome = read(index)
        tally.add(outcome)
        if outcome.kind not in ("read", "refused"):
            suffix, data = damaged_file(_seeds(name), seed, index)
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{outcome.kind}-{seed}-{index}{suffix}").write_bytes(data)
    read.close()
    return tally


def table(tallies: dict[str, Tally]) -> str:
    """Set out what became of the files."""
    bad = ("crash", "slow", "large")
    head = ["reader", "kinds of file", "damaged files", "read all the same", "refused in a line"]
    rows = [[*head, "other error", *bad, "slowest ms", "most MiB"]]
    rows.append(["---"] * len(rows[0]))
    for name, tally in tallies.items():
        known = [tally.outcomes[kind] for kind in ("read", "refused", *bad)]
        total = tally.outcomes.total()
        cells = [len(_seeds(name)), total, *known[:2], total - sum(known), *known[2:]]
        cells += [round(1000 * tally.slowest_seconds), tally.peak_bytes >> 20]
        rows.append([name, *(f"{cell:,}" for cell in cells)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def main() -> None:
    """Run all readers and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reader", choices=READERS, help="only this one, and no table")
    parser.add_argument("--keep", type=Path, default=Path("fuzz"))
    asked = parser.parse_args()
    names = [asked.reader] if asked.reader else list(READERS)
    tallies = {}
    for name in names:
        files = asked.files if asked.reader else asked.files * _SHARES[name] // 100
        tallies[name] = run(name, files, asked.seed, asked.keep)
        print(name, dict(tallies[name].outcomes), flush=True)  # noqa: T201
    if asked.reader is None:
        page = PAGE.read_text("utf-8")
        before, after = page.split(_START)[0], page.split(_END)[1]
        PAGE.write_text(f"{before}{_START}{table(tallies)}{_END}{after}", "utf-8")


if __name__ == "__main__":
    main()
