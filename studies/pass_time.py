"""How long one pass of each shipped network takes: docs/methods/samelight.md has our own.

`python studies/pass_time.py` runs each on a random picture, on as many threads as in use.
"""

import argparse
import statistics
import sys
import time

import numpy as np

from samelight.models.registry import list_models
from samelight.models.session import Session, open_session


def main() -> None:
    """Print a line per model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=20, help="of which the median is taken")
    runs = parser.parse_args().runs
    for name in list_models():
        session = open_session(name)
        sys.stdout.write(
            f"{name}, {session.spec.size_px} px: {milliseconds(session, runs):.0f} ms\n"
        )


def milliseconds(session: Session, runs: int) -> float:
    """The median of some passes; the first few, which find memory, are not counted."""
    composite = np.random.default_rng(0).random(
        (session.spec.size_px, session.spec.size_px, 3), np.float32
    )
    mask = np.ones(composite.shape[:2], np.float32)
    run = session.picture if session.spec.answer == "picture" else session.correction
    times = []
    for _ in range(runs + 3):
        start = time.perf_counter()
        run(composite, mask)
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times[3:])


if __name__ == "__main__":
    main()
