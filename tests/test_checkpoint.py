import json
from pathlib import Path

import pytest
import torch

from model import Sim, checkpoint
from tests.tiny import noise, tiny


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    checkpoint.save(Sim(tiny()), tiny(), tmp_path / "small")
    return tmp_path / "small"


def test_saved_and_loaded_twice_gives_the_same_sound(folder: Path, tmp_path: Path) -> None:
    first = Sim.from_pretrained(folder, device="cpu")
    checkpoint.save(first, first.config, tmp_path / "again")
    second = Sim.from_pretrained(tmp_path / "again", device="cpu")
    a, b = (sim.decode(sim.encode(noise())[1], 1).waveform for sim in (first, second))
    assert torch.equal(a, b)


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="no checkpoint 'speach'; choose one of"):
        Sim.from_pretrained("speach")


def test_missing_weights_are_named(folder: Path) -> None:
    (folder / "weights.safetensors").unlink()
    with pytest.raises(ValueError, match=r"has no weights\.safetensors"):
        Sim.from_pretrained(folder)


@pytest.mark.parametrize("damage", [b"", b"not tensors at all", None])
def test_damaged_weights_are_refused(folder: Path, damage: bytes | None) -> None:
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-100] if damage is None else damage)
    with pytest.raises(ValueError, match="is damaged"):
        Sim.from_pretrained(folder)


def test_weights_that_do_not_fit_the_config_are_refused(folder: Path) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["encoder"]["modules"][0]["hidden_channels"] = 16
    path.write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"has shape .* asks for"):
        Sim.from_pretrained(folder)
    config["encoder"]["modules"][0]["hidden_channels"] = 8
    config["decoder"]["blocks"] = 2
    path.write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"disagree about 'decoders\.0\.blocks\.1"):
        Sim.from_pretrained(folder)


def test_weights_that_differ_from_the_card_are_refused(folder: Path) -> None:
    (folder / "CARD.md").write_text(checkpoint.hash_lines(folder.glob("*.safetensors")))
    Sim.from_pretrained(folder)
    checkpoint.save(Sim(tiny()), tiny(), folder)
    with pytest.raises(ValueError, match=r"differs from the hash in its CARD\.md"):
        Sim.from_pretrained(folder)


@pytest.mark.parametrize("name", checkpoint.available())
def test_every_shipped_checkpoint_is_whole(name: str) -> None:
    folder = checkpoint.CHECKPOINTS / name
    files = sorted(folder.glob("*.safetensors"))
    assert checkpoint.card_hashes(folder) == {path.name: checkpoint.file_hash(path) for path in files}
    assert all(path.stat().st_size < 10_000_000 for path in folder.iterdir())
    sim = Sim.from_pretrained(name, device="cpu")
    for depth, latents in enumerate(sim.encode(noise())):
        assert torch.isfinite(sim.decode(latents, depth).waveform).all()


def test_audible_effects_are_read_and_must_fit(tmp_path: Path) -> None:
    folder, config = tmp_path / "effects", tiny()
    checkpoint.save(Sim(config), config, folder)
    assert Sim.from_pretrained(folder).measured("effect_db", 0) is None
    checkpoint.save_dimensions(folder, [[{"effect_db": 0.5, "kl_nats": 1.0}] * 4] * 3)
    assert Sim.from_pretrained(folder).measured("effect_db", 2) == [0.5] * 4
    checkpoint.save_dimensions(folder, [[{"effect_db": 0.5}] * 4] * 2)
    with pytest.raises(ValueError, match=r"dimensions.json of checkpoint effects does not fit its config"):
        Sim.from_pretrained(folder)
