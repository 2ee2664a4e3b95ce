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


def train(folder, devices):
    script = folder / "train.py"
    script.write_text(SCRIPT)
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(script), str(folder / f"run{devices}"), str(devices)]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert finished.returncode == 0, finished.stderr
    return folder / f"run{devices}"


def test_two_processes_end_where_one_does_and_one_of_them_writes(tmp_path):
    one, two = train(tmp_path, 1), train(tmp_path, 2)
    wanted, found = (state_of(run / "weights.safetensors") for run in (one, two))
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value, atol=1e-6, rtol=0)
    counts = [len((run / "log.csv").read_text().splitlines()) for run in (one, two)]
    assert counts[0] == counts[1] > 1
