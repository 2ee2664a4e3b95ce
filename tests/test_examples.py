"""The examples run."""

import runpy
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_the_python_api(tmp_path, capsys):
    example = runpy.run_path(str(EXAMPLES / "python_api.py"))
    example["main"](tmp_path / "after.png")
    said = capsys.readouterr().out.splitlines()
    assert (tmp_path / "after.png").is_file()
    shape = example["from_arrays"]().shape
    assert said[0] == str([shape] * 4)
    assert [line.partition(":")[0] for line in said[1:]] == [
        "nowhere.jpg is not a file",
        "the image is an array of shape (4, 4)",
        "the image is a NoneType",
        "the mask is a list",
    ]
