"""The import rules that keep the library usable without the page and the page without the training backend."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TRAINING = ROOT / "model" / "training"
FILES = sorted([*(ROOT / "model").rglob("*.py"), *(ROOT / "app").rglob("*.py")])


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} uses a relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def forbidden(path: Path) -> set[str]:
    if TRAINING in path.parents:
        return {"app", "gradio", "plotly"}
    if ROOT / "model" in path.parents:
        return {"app", "gradio", "plotly", "model.training"}
    if path.name in ("explorer.py", "session.py", "wording.py", "views.py"):
        return {"gradio", "model.training"}
    return {"model.training"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_keep_to_their_layer(path: Path) -> None:
    for name in imports(path):
        for banned in forbidden(path):
            assert name != banned and not name.startswith(f"{banned}."), f"{path} imports {name}"


def test_the_library_loads_without_page_or_training() -> None:
    heavy = ("gradio", "plotly", "lightning", "model.training")
    code = f"import sys, model; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).strip() == "[]"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_pickle_and_no_silent_except(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for word in ("torch.load", "pickle.load", "joblib.load", "allow_pickle=True"):
        assert word not in text
    for node in ast.walk(ast.parse(text)):
        assert not (isinstance(node, ast.ExceptHandler) and node.type is None), f"{path} swallows every error"
