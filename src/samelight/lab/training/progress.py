"""What a run tells: a bar with images/s and time left, a CSV, TensorBoard."""

import csv
import json
import time
from pathlib import Path
from types import TracebackType

import torch
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from tensorboardX import SummaryWriter

LOG_EVERY_STEPS = 50


class Progress:
    """Reports a run; also a context manager.

    Args:
        run: folder for log.csv, figures.jsonl and TensorBoard's events.
        images: images of the whole recipe.
        images_seen: images of it that an earlier run has seen.
    """

    def __init__(self, run: Path, images: int, images_seen: int) -> None:
        self.run = run
        self.console = Console(stderr=True)
        self.bar = Bar(
            TextColumn("{task.completed:.0f}/{task.total:.0f} images"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[speed]:.1f} images/s"),
            TimeRemainingColumn(),
            TextColumn("loss {task.fields[loss]:.4f}"),
            console=self.console,
        )
        self.task = self.bar.add_task("train", total=images, completed=images_seen, speed=0, loss=0)
        self.writer = SummaryWriter(str(run / "tensorboard"))
        self.sums: dict[str, float] = {}
        self.steps = 0
        self.images_seen = images_seen
        self.since, self.seen = time.perf_counter(), images_seen
        self._forget_rows_after(images_seen)

    def __enter__(self) -> "Progress":
        """Show the bar."""
        self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar down and close the log."""
        self._flush()
        self.bar.stop()
        self.writer.close()

    def step(self, images_seen: int, terms: dict[str, torch.Tensor]) -> None:
        """Note one step; every 50 steps their mean goes to the log."""
        for name, value in terms.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(value)
        self.steps += 1
        self.images_seen = images_seen
        if self.steps == LOG_EVERY_STEPS:
            self._flush()

    def _flush(self) -> None:
        if self.steps == 0:
            return
        images_seen = self.images_seen
        means = {name: total / self.steps for name, total in self.sums.items()}
        now = time.perf_counter()
        speed = (images_seen - self.seen) / (now - self.since)
        self._write_row({"images": images_seen, "images_per_s": speed, **means})
        for name, mean in means.items():
            self.writer.add_scalar(name, mean, images_seen)
        self.bar.update(self.task, completed=images_seen, speed=speed, loss=means["total"])
        self.sums, self.steps, self.since, self.seen = {}, 0, now, images_seen

    def figures(self, images_seen: int, figures: dict[str, float]) -> None:
        """Note the figures of an evaluation."""
        with (self.run / "figures.jsonl").open("a") as file:
            file.write(json.dumps({"images": images_seen, **figures}) + "\n")
        for name, value in figures.items():
            self.writer.add_scalar(f"evaluation/{name}", value, images_seen)
        text = ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
        self.console.print(f"{images_seen} images: {text}")

    def pause(self, seconds: float) -> None:
        """Leave out of images/s what was not training: saving and evaluating."""
        self.since += seconds

    def _forget_rows_after(self, images_seen: int) -> None:
        """Drop what an interrupted run logged after its last checkpoint: it is trained again."""
        path = self.run / "log.csv"
        if path.exists():
            header, *rows = path.read_text().splitlines(keepends=True)
            kept = [row for row in rows if int(row.split(",")[0]) <= images_seen]
            path.write_text(header + "".join(kept))

    def _write_row(self, row: dict[str, float]) -> None:
        path = self.run / "log.csv"
        fresh = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            if fresh:
                writer.writeheader()
            writer.writerow({name: f"{value:.8g}" for name, value in row.items()})
