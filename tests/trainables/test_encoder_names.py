"""How a spec names encoders, and what of a name enters a trial's identity."""

from pathlib import Path

import pytest

from search_spaces.errors import InvalidValueError, UnknownNameError
from trainables.api import InputInfo
from trainables.encoder_names import build_encoder, encoder_identity, encoder_names
from trainables.encoders._transformers_model import split_revision
from trainables.encoders.conv import Conv
from trainables.encoders.vit import Vit

IMAGE = InputInfo(kind="image", shape=(1, 8, 8))


def test_every_name_that_can_stand_in_a_spec() -> None:
    expected = {"conv_tiny", "conv_digits", "mlp_tiny", "vit_tiny", "vit:", "ast_tiny", "ast:", "bert_tiny", "bert:"}
    assert expected <= set(encoder_names())


def test_names_build_what_they_say() -> None:
    assert isinstance(build_encoder("conv_tiny", IMAGE), Conv)
    assert isinstance(build_encoder("vit_tiny", IMAGE), Vit)


@pytest.mark.parametrize("name", ["vit", "vit:", "vit_huge", "conv_tiny:folder", "convtiny", "", ":", "_transformers"])
def test_other_names_are_unknown(name: str) -> None:
    with pytest.raises(UnknownNameError, match="unknown encoder"):
        build_encoder(name, IMAGE)


def test_the_kind_is_checked_before_anything_is_built() -> None:
    with pytest.raises(InvalidValueError, match="this one reads text"):
        encoder_identity("bert:lab/model", IMAGE)


def test_identity_is_name_and_version() -> None:
    assert encoder_identity("vit_tiny", IMAGE) == f"vit_tiny/{Vit.version}"
    assert encoder_identity("vit:lab/model", IMAGE) == f"vit:lab/model/{Vit.version}"


def test_identity_of_a_folder_is_its_content(tmp_path: Path) -> None:
    for name, weights in [("one", b"w"), ("two", b"w"), ("three", b"v")]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
        (tmp_path / name / "model.safetensors").write_bytes(weights)
    (tmp_path / "two" / "README.md").write_text("does not matter")
    one, two, three = (encoder_identity(f"vit:{tmp_path / name}", IMAGE) for name in ("one", "two", "three"))
    assert one == two != three
    assert str(tmp_path) not in one


def test_a_revision_is_part_of_the_identity(tmp_path: Path) -> None:
    plain, one, other = (encoder_identity(f"vit:lab/model{end}", IMAGE) for end in ("", "@main", "@abc123"))
    assert len({plain, one, other}) == 3
    with pytest.raises(InvalidValueError, match="vit:lab/model for the newest"):
        encoder_identity("vit:lab/model@", IMAGE)
    folder = tmp_path / "model@home"
    folder.mkdir()
    assert split_revision(str(folder)) == (str(folder), None)


def test_a_configuration_has_one_spelling() -> None:
    with pytest.raises(InvalidValueError, match="vit_tiny"):
        encoder_identity("vit:tiny", IMAGE)


def test_a_relative_folder_would_be_another_one_in_a_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "checkpoint").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidValueError, match=str(tmp_path / "checkpoint")):
        encoder_identity("vit:checkpoint", IMAGE)
