"""The browser gets the scripts of a component as one body, so they are linted as one: every name must exist."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.component.live import SCRIPTS, read

ROOT = Path(__file__).parent.parent
COMPONENTS = {"live": SCRIPTS, "examples": ("examples",)}


def lint(path: Path) -> subprocess.CompletedProcess:
    linter = Path(sys.executable).parent / "oxlint"
    if not linter.exists():
        pytest.skip("oxlint is not installed")
    return subprocess.run(
        [linter, "-c", ROOT / ".oxlintrc.json", path], capture_output=True, text=True, check=False, cwd=path.parent
    )


@pytest.mark.parametrize("component", COMPONENTS)
def test_scripts_are_clean(component: str, tmp_path: Path) -> None:
    path = tmp_path / f"{component}.js"
    path.write_text("\n".join(read(f"{name}.js") for name in COMPONENTS[component]), encoding="utf-8")
    checked = lint(path)
    assert checked.returncode == 0, checked.stdout


def test_the_linter_sees_a_missing_name(tmp_path: Path) -> None:
    path = tmp_path / "wrong.js"
    path.write_text("function unused() { return missing; }\n")
    assert lint(path).returncode != 0


def test_every_script_is_part_of_a_component() -> None:
    listed = {name for scripts in COMPONENTS.values() for name in scripts}
    assert listed == {path.stem for path in (ROOT / "app" / "component").glob("*.js")}
