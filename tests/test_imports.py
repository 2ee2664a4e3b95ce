"""The core never needs the lab."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import samelight
from samelight.interfaces.cli.main import FILES

PACKAGE = Path(samelight.__file__).parent
CORE = sorted(path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] != "lab")
LAZY = [PACKAGE / "interfaces" / "cli" / f"{name}.py" for name, file in FILES.items() if file.extra]


def imported_modules(tree: ast.AST, *, inside_functions: bool):
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "." * node.level
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if inside_functions or not is_function:
            yield from imported_modules(node, inside_functions=inside_functions)


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_core_imports_neither_torch_nor_the_lab(path):
    tree = ast.parse(path.read_text("utf-8"))
    # A command of the lab imports it in its own body, and only there.
    modules = set(imported_modules(tree, inside_functions=path not in LAZY))
    forbidden = ("torch", "samelight.lab")
    assert not {m for m in modules if m in forbidden or m.startswith(("torch.", "samelight.lab."))}


def run_python(code: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True
    )


def test_harmonizing_works_where_torch_cannot_be_imported(tiny_model, tmp_path):
    Image.new("RGB", (40, 30), (90, 120, 60)).save(tmp_path / "photo.png")
    Image.fromarray(np.full((30, 40), 255, np.uint8)).save(tmp_path / "mask.png")
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from samelight.interfaces.cli.main import main\n"
        "sys.exit(main())"
    )
    arguments = ["harmonize", tmp_path / "photo.png", "--mask", tmp_path / "mask.png"]
    arguments += ["--output", tmp_path / "out.png", "--model", tiny_model]
    finished = run_python(code, *arguments)
    assert finished.returncode == 0, finished.stderr
    assert (tmp_path / "out.png").is_file()
