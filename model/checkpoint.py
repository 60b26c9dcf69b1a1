"""A checkpoint is a folder: config.json, weights as safetensors, CARD.md with their hashes. No pickle."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from model.config import SimConfig

CHECKPOINTS = Path(__file__).parent.parent / "assets" / "checkpoints"
WEIGHTS, DIMENSIONS = "weights.safetensors", "dimensions.json"
_SCORES = re.compile(r"```json\n(\{.*?\})\n```", re.DOTALL)
_HASH_LINE = re.compile(r"sha256 of (\S+\.safetensors): `([0-9a-f]{64})`")


def find(name_or_folder: str | Path) -> Path:
    """Folder of a checkpoint, by its name under assets/checkpoints or as a path."""
    for folder in (CHECKPOINTS / name_or_folder, Path(name_or_folder)):
        if (folder / "config.json").is_file():
            return folder
    names = ", ".join(available()) or "none"
    raise ValueError(f"There is no checkpoint {str(name_or_folder)!r}; choose one of: {names}, or name a folder.")


def available(part: str = "encoder") -> list[str]:
    """Names of the checkpoints that come with the project: of models, or of what else has this part in its config."""
    paths = CHECKPOINTS.glob("*/config.json")
    return sorted(path.parent.name for path in paths if part in json.loads(path.read_text(encoding="utf-8")))


def load_config(folder: Path) -> SimConfig:
    """The config of a checkpoint's or a training run's folder."""
    path = folder / "config.json"
    if not path.is_file():
        raise ValueError(f"{folder} has no config.json; name the folder of a checkpoint or of a finished training run.")
    return SimConfig.load(path)


def load_weights(module: nn.Module, folder: Path) -> None:
    """Fill `module` from the folder; missing, extra or misshapen tensors and broken files are refused."""
    hashes, path = card_hashes(folder), folder / WEIGHTS
    if not path.is_file():
        raise ValueError(f"The checkpoint {folder.name} has no {WEIGHTS}; restore it from the repository.")
    if WEIGHTS in hashes and hashes[WEIGHTS] != file_hash(path):
        raise ValueError(
            f"{WEIGHTS} of checkpoint {folder.name} differs from the hash in its CARD.md, so the file is damaged; "
            "restore it from the repository."
        )
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{WEIGHTS} of checkpoint {folder.name} is damaged ({error}); restore it.") from None
    fill(module, tensors, folder.name)


def fill(module: nn.Module, tensors: dict[str, Tensor], name: str) -> None:
    """Copy tensors into a module after checking that names and shapes agree exactly."""
    wanted = module.state_dict()
    unmatched = sorted(set(wanted) ^ set(tensors))
    if unmatched:
        raise ValueError(f"Weights and config of checkpoint {name} disagree about {unmatched[0]!r}; they must match.")
    for key, value in tensors.items():
        if value.shape != wanted[key].shape:
            raise ValueError(
                f"{key} in checkpoint {name} has shape {tuple(value.shape)}, its config asks for "
                f"{tuple(wanted[key].shape)}; they must match."
            )
    module.load_state_dict({key: value.to(wanted[key].dtype) for key, value in tensors.items()})


def save(module: nn.Module, config: SimConfig, folder: Path) -> None:
    """Write config.json and the weights; floating weights are stored as 16-bit floats."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        key: (value.half() if value.is_floating_point() else value).detach().cpu().contiguous()
        for key, value in module.state_dict().items()
    }
    write_atomically(folder / WEIGHTS, partial(save_file, tensors))
    (folder / "config.json").write_text(config.to_json(), encoding="utf-8")


def save_dimensions(folder: Path, dimensions: Sequence[Sequence[Mapping[str, float]]]) -> None:
    """Write dimensions.json: for each depth a row a dimension of what moving it does."""
    depths = [[{name: round(value, 4) for name, value in row.items()} for row in rows] for rows in dimensions]
    lines = ",\n".join("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]" for rows in depths)
    (folder / DIMENSIONS).write_text(f"[{lines}]\n", encoding="utf-8")


def load_dimensions(folder: Path, config: SimConfig) -> list[list[dict[str, float]]]:
    """From dimensions.json for each depth a row a dimension; empty rows where there is none.

    Raises ValueError for one that does not fit the config.
    """
    wanted = [module.latent_dimensions for module in config.encoder.modules]
    path = folder / DIMENSIONS
    if not path.is_file():
        return [[{}] * size for size in wanted]
    try:
        depths = json.loads(path.read_text(encoding="utf-8"))
        rows = [[{name: float(value) for name, value in row.items()} for row in rows] for rows in depths]
        if [len(of) for of in rows] != wanted:
            raise ValueError("it has other numbers of dimensions")
        if not all("effect_db" in row for of in rows for row in of):
            raise ValueError("effect_db is missing")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(
            f"{DIMENSIONS} of checkpoint {folder.name} does not fit its config ({error}); write it anew with "
            "`python -m model.training evaluate`."
        ) from None
    return rows


def load_scores(folder: Path) -> dict[str, dict[str, dict[str, float]]]:
    """The tables that `evaluate` wrote into CARD.md: table -> row -> column -> value; empty without any."""
    card = folder / "CARD.md"
    found = _SCORES.search(card.read_text(encoding="utf-8")) if card.is_file() else None
    return json.loads(found[1]) if found else {}


def file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def card_hashes(folder: Path) -> dict[str, str]:
    """File name -> the sha256 that CARD.md states for it; empty without a card."""
    card = folder / "CARD.md"
    return dict(_HASH_LINE.findall(card.read_text(encoding="utf-8"))) if card.is_file() else {}


def hash_lines(paths: Iterable[Path]) -> str:
    """The lines of CARD.md that pin weights."""
    return "\n".join(f"- sha256 of {path.name}: `{file_hash(path)}`" for path in sorted(paths))


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside the target and rename, so that an interrupted write never leaves half a file."""
    unfinished = path.with_name(f"{path.name}.partial")
    write(unfinished)
    os.replace(unfinished, path)
