"""What the documentation site is made of: the repository's own pages, and its docstrings.

A hook of MkDocs. Every page lies in the site where it lies in the repository, so that a link holds
in both; the reference has a page for each package.
"""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

_ROOT = Path(__file__).resolve().parents[1]
_SOURCE = _ROOT / "src"
_PAGES = (
    *("*.md", "LICENSE", "NOTICE", "docs/**/*", "results/**/*", "examples/*"),
    *("src/samelight/weights/*.md", "weights/samelight_weights/*.md"),
)
_REFERENCE = "reference"


def on_config(config: MkDocsConfig) -> None:
    """Close the navigation with the reference."""
    pages = [{package: f"{_REFERENCE}/{package}.md"} for package in _packages()]
    config.nav = [*(config.nav or []), {"Reference": pages}]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take the repository's pages in place of those of one folder."""
    for file in list(files):
        if file.src_dir == config.docs_dir:
            files.remove(file)
    for path in sorted({path for pattern in _PAGES for path in _ROOT.glob(pattern)}):
        if path.is_file():
            name = path.relative_to(_ROOT).as_posix()
            files.append(File.generated(config, name, abs_src_path=str(path)))
    for package, modules in _packages().items():
        text = "\n\n".join([f"# {package}", *(f"::: {module}" for module in modules)])
        files.append(File.generated(config, f"{_REFERENCE}/{package}.md", content=text + "\n"))
    return files


def _packages() -> dict[str, list[str]]:
    """Every package with its modules, itself first."""
    packages: dict[str, list[str]] = {}
    for init in sorted(_SOURCE.rglob("__init__.py")):
        name = ".".join(init.parent.relative_to(_SOURCE).parts)
        modules = sorted(path.stem for path in init.parent.glob("*.py") if path != init)
        packages[name] = [name, *(f"{name}.{module}" for module in modules)]
    return packages
