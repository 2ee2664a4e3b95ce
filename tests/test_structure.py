"""Who may import whom: no circles, a core without the lab, faces that nobody needs."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import samelight

PACKAGE = Path(samelight.__file__).parent
FILES = {
    ".".join(("samelight", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
# It needs an optional package.
OPTIONAL = {"samelight.lab.color.chart_detection": "colour_checker_detection"}


def imported(tree: ast.AST) -> Iterator[str]:
    """Names of modules, and of what is taken from them; at any depth, but for type checkers."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        yield from imported(node)


def module_of(name: str) -> str | None:
    """The module of samelight that a dotted name is, or is in."""
    while name and name not in FILES:
        name = name.rpartition(".")[0]
    return name or None


TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in FILES.items()}
ALL = {name: set(imported(tree)) for name, tree in TREES.items()}
GRAPH = {
    name: {module for module in map(module_of, found) if module and module != name}
    for name, found in ALL.items()
}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """A way round from a node to itself, or nothing."""
    done: set[str] = set()

    def walk(node: str, way: list[str]) -> list[str]:
        if node in way:
            return [*way[way.index(node) :], node]
        if node in done:
            return []
        for following in sorted(graph[node]):
            if found := walk(following, [*way, node]):
                return found
        done.add(node)
        return []

    return next((found for node in sorted(graph) if (found := walk(node, []))), [])


def part_below(name: str, root: str) -> str | None:
    """The package or module directly under a root that a module belongs to."""
    if not name.startswith(f"{root}."):
        return None
    return name.removeprefix(f"{root}.").split(".")[0]


def parts(root: str) -> dict[str, set[str]]:
    """What the packages and modules directly under a root import of one another."""
    graph: dict[str, set[str]] = {}
    for name, found in GRAPH.items():
        part = part_below(name, root)
        if part is not None:
            others = {part_below(module, root) for module in found} - {None, part}
            graph.setdefault(part, set()).update(others)
    return graph


def test_convention_a_circle_would_be_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert not circle({"a": {"b", "c"}, "b": {"c"}, "c": set()})
    assert {"samelight.render.apply", "samelight.render.native"} <= GRAPH.keys()
    assert "samelight.render.native" in GRAPH["samelight.render.apply"]


@pytest.mark.parametrize("name", FILES)
def test_every_module_can_be_imported(name):
    if part_below(name, "samelight") == "lab":
        pytest.importorskip("torch")
    if name in OPTIONAL:
        pytest.importorskip(OPTIONAL[name])
    importlib.import_module(name)


def test_convention_no_circle_between_modules():
    assert not circle(GRAPH)


@pytest.mark.parametrize("root", ["samelight", "samelight.lab", "samelight.interfaces"])
def test_convention_no_circle_between_packages(root):
    assert not circle(parts(root))


def test_convention_the_core_imports_neither_torch_nor_the_lab():
    for name, found in ALL.items():
        if not name.startswith(("samelight.lab", "samelight.interfaces")):
            wrong = {
                n
                for n in found
                if n.split(".")[0] == "torch" or f"{n}.".startswith("samelight.lab.")
            }
            assert not wrong, name


def test_convention_the_faces_are_imported_by_nobody():
    for name, found in GRAPH.items():
        if not name.startswith("samelight.interfaces"):
            assert not {n for n in found if n.startswith("samelight.interfaces")}, name
