"""What lies around the package agrees with it: version, extras, and what the pages tell."""

import re
from importlib.metadata import metadata
from pathlib import Path

import pytest

import samelight
from samelight.errors import missing_extra

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("src/samelight/weights/*.md")]
)
SOURCES = sorted((ROOT / "src").rglob("*.py"))
EXTRAS = metadata("samelight").get_all("Provides-Extra") or []


def test_the_version_stands_in_one_place_and_is_cited():
    assert metadata("samelight")["Version"] == samelight.__version__
    assert f"\nversion: {samelight.__version__}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest
    assert newest[1] == samelight.__version__


def test_an_extra_is_named_as_pip_wants_it_in_a_checkout():
    assert missing_extra("raw") == (
        'the extra "raw": in a checkout of samelight, pip install ".[raw]"'
    )


@pytest.mark.parametrize("path", [*SOURCES, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_extras_exist_and_nothing_is_installed_from_an_index_that_has_it_not(path):
    text = path.read_text("utf-8")
    named = re.findall(r"missing_extra\(['\"](\w+)", text)
    named += re.findall(r"pip install [\"']?\.\[(\w+)", text)
    assert set(named) <= set(EXTRAS)
    assert not re.search(r"pip install (-\S+ )*[\"']?samelight\b", text)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_a_page_lead_to_files_of_the_repository(path):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text("utf-8"))
    for link in links:
        if not link.startswith(("http:", "https:", "mailto:")):
            assert (path.parent / link).exists(), link


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_the_makefile_has_what_the_pages_tell_to_make(name):
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    told = re.findall(r"\bmake (\w+)", "\n".join(code_of(ROOT / name)))
    assert told
    assert set(told) <= targets


def test_files_that_the_notice_names_exist():
    named = re.findall(r"[\w./]+/[\w.]+\.\w+", (ROOT / "NOTICE").read_text("utf-8"))
    ours = [name for name in named if name.split("/")[0] in ("src", "tests", "docs", "examples")]
    assert ours
    for name in ours:
        assert (ROOT / name).exists(), name


def code_of(page: Path) -> list[str]:
    """What stands in a page as code."""
    return re.findall(r"```.*?```|`[^`\n]+`", page.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("name", ["fault", "request", "result"])
def test_a_template_of_issues_asks_each_question_once_and_requires_one(name):
    yaml = pytest.importorskip("yaml")
    form = yaml.safe_load((ROOT / f".github/ISSUE_TEMPLATE/{name}.yml").read_text("utf-8"))
    assert {"name", "description", "body"} <= form.keys()
    assert len({field["id"] for field in form["body"]}) == len(form["body"])
    assert any(field.get("validations", {}).get("required") for field in form["body"])
