"""Every encoder keeps the contract, and published weights give the features of the model they were saved from."""

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import save_file

from search_spaces.errors import InvalidValueError, MmptError
from trainables.api import Encoder, InputInfo
from trainables.catalogs import ENCODERS
from trainables.encoder_names import build_encoder, encoder_names
from trainables.encoders.vit import _patch

SHAPES = {
    "image": InputInfo(kind="image", shape=(1, 8, 8)),
    "audio": InputInfo(kind="audio", shape=(32, 39)),
    "text": InputInfo(kind="text", shape=(12,), vocabulary_size=30),
    "vector": InputInfo(kind="vector", shape=(20,)),
}


def _family(name: str) -> type[Encoder]:
    return ENCODERS.get(name if name in ENCODERS.names() else name.rpartition("_")[0])


CASES = [(name, kind) for name in encoder_names() if ":" not in name for kind in _family(name).accepts]


@pytest.fixture(autouse=True)
def _no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # read when the package was imported


def _inputs(info: InputInfo, count: int, seed: int = 0) -> torch.Tensor:
    draws = torch.Generator().manual_seed(seed)
    if info.kind == "text":
        return torch.randint(1, info.vocabulary_size, (count, *info.shape), generator=draws)
    return torch.randn(count, *info.shape, generator=draws)


def _built(name: str, kind: str, seed: int = 0) -> Encoder:
    torch.manual_seed(seed)
    return build_encoder(name, SHAPES[kind])


@pytest.mark.parametrize(("name", "kind"), CASES)
class TestContract:
    def test_maps_a_batch_to_its_width_in_float32(self, name: str, kind: str) -> None:
        z = _built(name, kind)(_inputs(SHAPES[kind], 5))
        assert z.shape == (5, _built(name, kind).width)
        assert z.dtype == torch.float32
        assert torch.isfinite(z).all()

    def test_gradient_reaches_every_parameter(self, name: str, kind: str) -> None:
        encoder = _built(name, kind)
        z = encoder(_inputs(SHAPES[kind], 16))
        (z * torch.randn(z.shape, generator=torch.Generator().manual_seed(1))).sum().backward()
        assert [what for what, p in encoder.named_parameters() if p.grad is None] == []
        # A constant added to every attention score changes nothing, so the key's bias has no gradient but rounding.
        still = [what for what, p in encoder.named_parameters() if not p.grad.any() and not what.endswith("key.bias")]
        assert still == []

    def test_same_seed_same_weights_and_features(self, name: str, kind: str) -> None:
        one, two, other = _built(name, kind), _built(name, kind), _built(name, kind, seed=1)
        inputs = _inputs(SHAPES[kind], 4)
        assert torch.equal(one.eval()(inputs), two.eval()(inputs))
        assert not torch.equal(one(inputs), other.eval()(inputs))

    def test_evaluation_is_deterministic_and_independent_of_the_batch(self, name: str, kind: str) -> None:
        encoder = _built(name, kind).eval()
        inputs = _inputs(SHAPES[kind], 6)
        with torch.no_grad():
            assert torch.equal(encoder(inputs), encoder(inputs))
            torch.testing.assert_close(encoder(inputs)[:1], encoder(inputs[:1]), rtol=1e-5, atol=1e-5)

    def test_trains_on_a_single_sample(self, name: str, kind: str) -> None:
        z = _built(name, kind).train()(_inputs(SHAPES[kind], 1))
        assert z.shape[0] == 1
        assert torch.isfinite(z).all()

    def test_empty_text_and_silence_have_features(self, name: str, kind: str) -> None:
        inputs = torch.zeros_like(_inputs(SHAPES[kind], 3))
        assert torch.isfinite(_built(name, kind).train()(inputs)).all()

    def test_leaves_its_input_alone(self, name: str, kind: str) -> None:
        inputs = _inputs(SHAPES[kind], 3)
        before = copy.deepcopy(inputs)
        _built(name, kind)(inputs)
        assert torch.equal(inputs, before)


@pytest.mark.parametrize("configuration", ["tiny", "digits"])
@pytest.mark.parametrize(("key", "kind", "parameters"), [("conv", "audio", 27_108), ("mlp", "image", 7_280)])
def test_size_of_the_small_encoders(key: str, configuration: str, kind: str, parameters: int) -> None:
    assert sum(p.numel() for p in _built(f"{key}_{configuration}", kind).parameters()) == parameters


@pytest.mark.parametrize(("key", "kind"), [("conv", "audio"), ("mlp", "image")])
def test_digits_features_are_rectified(key: str, kind: str) -> None:
    inputs = _inputs(SHAPES[kind], 16)
    assert bool((_built(f"{key}_digits", kind)(inputs) >= 0).all())
    assert not bool((_built(f"{key}_tiny", kind)(inputs) >= 0).all())


def test_a_wrong_kind_is_refused_by_name() -> None:
    with pytest.raises(InvalidValueError, match="text inputs; this one reads audio, image"):
        build_encoder("conv_tiny", SHAPES["text"])


def test_tiny_encoders_do_not_import_transformers() -> None:
    code = (
        "import sys; from trainables.api import InputInfo; from trainables.encoder_names import build_encoder, "
        "encoder_names; encoder_names(); build_encoder('conv_tiny', InputInfo(kind='audio', shape=(32, 39))); "
        "sys.exit('transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# -- checkpoints -----------------------------------------------------------------------------------------------------

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
MORE = {
    "image": ("vit", "ViT", {"image_size": 8, "num_channels": 1, "patch_size": 4}),
    "audio": ("ast", "AST", {"num_mel_bins": 32, "max_length": 39, "patch_size": 8}),
    "text": ("bert", "Bert", {"vocab_size": 30, "max_position_embeddings": 16}),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """kind -> (encoder name, source model)."""
    found = {}
    for kind, (key, family, config) in MORE.items():
        torch.manual_seed(3)
        configuration = getattr(transformers, f"{family}Config")(**SMALL, **config)
        model = getattr(transformers, f"{family}Model")(configuration).eval()
        folder = tmp_path_factory.mktemp(key)
        model.save_pretrained(folder)
        found[kind] = (f"{key}:{folder}", model)
    return found


def _features(kind: str, model: Any, inputs: Any) -> torch.Tensor:
    if kind == "image":
        return model(pixel_values=inputs).last_hidden_state[:, 0]
    if kind == "audio":
        return model(input_values=inputs.transpose(1, 2)).pooler_output
    mask = (inputs != 0).long()
    mask[:, 0] = 1
    return model(input_ids=inputs, attention_mask=mask).last_hidden_state[:, 0]


@pytest.mark.parametrize("kind", MORE)
def test_a_checkpoint_gives_the_features_of_its_model(saved: Any, kind: str) -> None:
    name, model = saved[kind]
    inputs = _inputs(SHAPES[kind], 4)
    if kind == "text":
        inputs[1, 5:] = 0
        inputs[2] = 0
    encoder = build_encoder(name, SHAPES[kind])
    assert encoder.width == 32
    assert encoder.training
    with torch.no_grad():
        assert torch.equal(encoder.eval()(inputs), _features(kind, model, inputs))


def test_padding_does_not_change_a_text(saved: Any) -> None:
    encoder = build_encoder("bert_tiny", SHAPES["text"]).eval()
    short = torch.tensor([[3, 4, 5] + [0] * 5])
    long = torch.tensor([[3, 4, 5] + [0] * 9])
    with torch.no_grad():
        torch.testing.assert_close(encoder(short), encoder(long), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "info", "message"),
    [
        ("image", InputInfo(kind="image", shape=(1, 16, 16)), r"image_size \(16, 16\); .* image_size \(8, 8\)"),
        ("image", InputInfo(kind="image", shape=(3, 8, 8)), "channels 3; .* channels 1"),
        ("audio", InputInfo(kind="audio", shape=(64, 39)), "mel_bands 64; .* mel_bands 32"),
        ("audio", InputInfo(kind="audio", shape=(32, 100)), "frames 100; .* frames 39"),
        ("text", InputInfo(kind="text", shape=(12,), vocabulary_size=50), "vocabulary 50; .* vocabulary 30"),
        ("text", InputInfo(kind="text", shape=(20,), vocabulary_size=30), "20 tokens; .* at most 16"),
    ],
)
def test_a_checkpoint_that_does_not_fit_names_both_sizes(saved: Any, kind: str, info: InputInfo, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        build_encoder(saved[kind][0], info)


def test_half_precision_weights_are_loaded_as_float32(saved: Any, tmp_path: Path) -> None:
    copy.deepcopy(saved["image"][1]).half().save_pretrained(tmp_path)
    encoder = build_encoder(f"vit:{tmp_path}", SHAPES["image"])
    assert {p.dtype for p in encoder.parameters()} == {torch.float32}


def test_an_unreachable_checkpoint_is_one_clear_error() -> None:
    with pytest.raises(MmptError, match=r"no-such-lab/no-such-model.*cannot be loaded"):
        build_encoder("vit:no-such-lab/no-such-model", SHAPES["image"])


def test_another_familys_checkpoint_is_refused(saved: Any) -> None:
    with pytest.raises(MmptError, match="is a bert model, expected vit"):
        build_encoder(saved["text"][0].replace("bert:", "vit:"), SHAPES["image"])


def test_missing_weights_are_refused(saved: Any, tmp_path: Path) -> None:
    saved["image"][1].config.save_pretrained(tmp_path)
    weights = {k: v for k, v in saved["image"][1].state_dict().items() if "layernorm.weight" not in k}
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(MmptError, match=r"does not fit: layernorm\.weight is missing$"):
        build_encoder(f"vit:{tmp_path}", SHAPES["image"])


def test_every_weight_of_another_shape_is_named(saved: Any, tmp_path: Path) -> None:
    saved["image"][1].config.save_pretrained(tmp_path)
    weights = {k: v[:1].clone() if k.endswith("bias") else v for k, v in saved["image"][1].state_dict().items()}
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    used = {k: v for k, v in saved["image"][1].state_dict().items() if not k.startswith("pooler.")}
    changed = sum(weights[key].shape != value.shape for key, value in used.items())
    with pytest.raises(MmptError, match=rf"does not fit: .*and {changed - 10} more") as raised:
        build_encoder(f"vit:{tmp_path}", SHAPES["image"])
    assert str(raised.value).count(" has shape (1,), expected (") == 10


def test_a_revision_reaches_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str | None]] = []

    def refuse(place: str, *, revision: str | None = None) -> None:
        asked.append((place, revision))
        raise OSError("not today")

    monkeypatch.setattr(transformers.AutoConfig, "from_pretrained", refuse)
    for name in ("lab/model@abc123", "lab/model"):
        with pytest.raises(MmptError, match="not today"):
            build_encoder(f"vit:{name}", SHAPES["image"])
    assert asked == [("lab/model", "abc123"), ("lab/model", None)]


def test_pickled_weights_are_refused(saved: Any, tmp_path: Path) -> None:
    saved["image"][1].config.save_pretrained(tmp_path)
    torch.save(saved["image"][1].state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(MmptError, match="cannot be loaded"):
        build_encoder(f"vit:{tmp_path}", SHAPES["image"])


def test_patches_tile_images_of_any_size() -> None:
    assert [_patch(*size) for size in [(224, 224), (32, 32), (28, 28), (8, 8), (7, 9)]] == [16, 8, 4, 2, 1]
    z = build_encoder("vit_tiny", InputInfo(kind="image", shape=(2, 7, 9)))(torch.zeros(2, 2, 7, 9))
    assert np.isfinite(z.detach().numpy()).all()
