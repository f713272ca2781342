"""The pages under docs/, README and the like: links resolve, and the tests that they name exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloudformation.template import parse_template

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "sdk" / "README.md"]
GLOSSARY = "glossary.md"
WITHOUT_GLOSSARY_LINK = {"CHANGELOG.md", "SECURITY.md", "crashes.md", "night.md", "iam.md", GLOSSARY}
"""Pages that need no terms, or are generated."""


def page_id(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def heading_anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def find_relative_links(page: Path) -> Iterator[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)]+)\)", text):
        if "://" not in link:
            yield link


def find_tests(file: str) -> list[Path]:
    """Return the test module of that path or, without a folder, those of that name."""
    if "/" in file:
        return [path for path in (ROOT / file,) if path.exists()]
    return list((ROOT / "tests").rglob(file))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_resolve(page: Path) -> None:
    for link in find_relative_links(page):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in heading_anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_named_tests_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for file, name in re.findall(r"`([\w./]*\btest_\w+\.py)(?:::(\w+))?`", text):
        texts = [path.read_text(encoding="utf-8") for path in find_tests(file)]
        assert texts, file
        assert not name or any(re.search(rf"\b(def|class) {name}\b", text) for text in texts), name


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.name not in WITHOUT_GLOSSARY_LINK and page.parent.name != "decisions"],
    ids=page_id,
)
def test_page_links_the_glossary_once(page: Path) -> None:
    links = [link for link in find_relative_links(page) if link.endswith(GLOSSARY)]
    assert len(links) == 1


def test_cited_sections_of_the_contract_exist() -> None:
    headings = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (\d+)\. ", headings, re.MULTILINE)
    modules = [
        path for folder in ("layers/scheduling/scheduling", "tests") for path in (ROOT / folder).rglob("*.py")
    ]
    cited = {
        section
        for module in modules
        for section in re.findall(r"\bcontract,? section (\d+)", module.read_text(encoding="utf-8"))
    }
    assert sections == [str(number) for number in range(1, 9)]
    assert cited
    assert cited <= set(sections)


def test_every_parameter_of_the_stack_is_documented() -> None:
    parameters = parse_template((ROOT / "template.yaml").read_text(encoding="utf-8"))["Parameters"]
    table = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").split("## The command line")[0]
    assert parameters.keys() <= set(re.findall(r"`(\w+)`", table))


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(page.name[:3]) for page in ROOT.glob("docs/decisions/[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
