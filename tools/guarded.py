"""Do something to many files in a process of its own, with limits on time and memory."""

import multiprocessing
import resource
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

MOST_SECONDS, MOST_BYTES = 5.0, 1 << 30
# Starting a process and importing what it needs is not what is measured.
_START_SECONDS = 120.0

ItemT = TypeVar("ItemT")


class Outcome(NamedTuple):
    """What became of one item."""

    kind: str
    """What the function said, or "slow", "large", "crash"."""
    seconds: float = 0.0
    peak_bytes: int = 0


class Guarded(Generic[ItemT]):
    """A process that works on one item after the other, and its replacements."""

    def __init__(
        self, function: Callable[[ItemT], str], *, most_seconds: float = MOST_SECONDS
    ) -> None:
        """Start the process.

        Args:
            function: says in a word what became of an item; can be pickled.
            most_seconds: what it may take.
        """
        self._function, self._most_seconds = function, most_seconds
        self._start()

    def __call__(self, item: ItemT) -> Outcome:
        """Work on an item; a process that does not answer is ended and replaced."""
        self._pipe.send(item)
        try:
            if self._pipe.poll(self._most_seconds):
                outcome: Outcome = self._pipe.recv()
                if outcome.peak_bytes <= MOST_BYTES:
                    return outcome
                outcome = outcome._replace(kind="large")
            else:
                outcome = Outcome("slow", self._most_seconds)
        except EOFError:
            outcome = Outcome("crash")
        self._process.kill()
        self._process.join()
        self._start()
        return outcome

    def close(self) -> None:
        """End the process."""
        self._pipe.send(None)
        self._process.join()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, self._function))
        self._process.start()
        theirs.close()
        if not self._pipe.poll(_START_SECONDS):
            raise TimeoutError("the process does not start")
        self._pipe.recv()


def _work(pipe: "Connection[Any, Any]", function: Callable[[Any], str]) -> None:
    """Take items from a pipe and send back what became of them."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (8 * MOST_BYTES, hard))
    pipe.send(None)
    while (item := pipe.recv()) is not None:
        before = time.perf_counter()
        kind = function(item)
        seconds = time.perf_counter() - before
        pipe.send(Outcome(kind, seconds, _peak_bytes()))


def _peak_bytes() -> int:
    """The most memory this process has held; `getrusage` would count its parent's too (Linux)."""
    status = Path("/proc/self/status").read_text("ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return 1024 * int(line.split()[1])
