import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import numpy as np
from samelight.lab.training.memory import keep_freed_memory

def faults_of_a_step():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    [np.ones(8 << 20, np.uint8) for _ in range(12)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

if sys.argv[1] == "keep":
    assert keep_freed_memory()
faults_of_a_step()
print(faults_of_a_step())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="set for the GNU C library only")
def test_a_step_finds_the_memory_of_the_last_one():
    given_back, kept = (
        int(subprocess.check_output([sys.executable, "-c", FAULTS, what]))
        for what in ("give back", "keep")
    )
    assert kept < given_back / 10
