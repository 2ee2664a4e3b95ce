"""Two processes that share each batch train the network that one process does."""

import os
import subprocess
import sys
from pathlib import Path

import torch

from tests.lab.tiny import state_of

ROOT = Path(__file__).parents[3]
SCRIPT = """
import sys
from pathlib import Path

import torch

from samelight.lab.training.loop import RunOptions, Trainer
from tests.lab.tiny import RandomView, TinyNetwork, TinyObjective, tiny_recipe

run, devices = Path(sys.argv[1]), int(sys.argv[2])
run.mkdir(exist_ok=True)
torch.manual_seed(0)
options = RunOptions(workers=0, precision="32-true", accelerator="cpu", devices=devices)
Trainer(TinyObjective(TinyNetwork()), tiny_recipe(64), run, options).fit(None, RandomView())
"""


def train_with_two(folder):
    script = folder / "train.py"
    script.write_text(SCRIPT)
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, str(script), str(folder / "two"), "2"]
    finished = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=600,  # two that wait for each other
    )
    assert finished.returncode == 0, finished.stderr
    return folder / "two"


def test_two_processes_end_where_one_does_and_one_of_them_writes(tmp_path, monkeypatch):
    one, two = tmp_path / "one", train_with_two(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train.py", str(one), "1"])
    exec(SCRIPT, {})
    wanted, found = (state_of(run / "weights.safetensors") for run in (one, two))
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value, atol=1e-6, rtol=0)
    counts = [len((run / "log.csv").read_text().splitlines()) for run in (one, two)]
    assert counts[0] == counts[1] > 1
