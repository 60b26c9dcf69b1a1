"""What the README says is true: its code runs, its files exist, its commands are there."""

import re
from pathlib import Path

import pytest

from model import checkpoint

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_code_runs(code: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.chdir(ROOT)
    exec(code, {})
    assert "torch.Size([1, 80," in capsys.readouterr().out


@pytest.mark.parametrize("target", re.findall(r"\]\((?!http)([^)]+)\)", README))
def test_linked_files_exist(target: str) -> None:
    assert (ROOT / target).is_file()


def test_front_matter_agrees_with_the_project() -> None:
    front_matter = dict(re.findall(r"^(\w+): (.+)$", README.split("---")[1], re.MULTILINE))
    assert (ROOT / front_matter["app_file"]).is_file()
    assert f"gradio=={front_matter['sdk_version']}" in (ROOT / "requirements.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("target", re.findall(r"^make (\w+)$", README, re.MULTILINE))
def test_make_targets_exist(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_commands_exist() -> None:
    from model.training.__main__ import COMMANDS

    named = re.findall(r"python -m model\.training (\w+)", README)
    assert named and set(named) <= set(COMMANDS)
    assert "speech" in checkpoint.available()
