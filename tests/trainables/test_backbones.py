"""Every backbone keeps the contract, and one masked pass is each modality alone."""

import json
from itertools import combinations
from pathlib import Path

import pytest
import sequences
import torch
import transformers
from safetensors.torch import load_file, save_file

from search_spaces.errors import InvalidValueError, MmptError, UnknownNameError
from trainables.api import Backbone, InputInfo
from trainables.attention import key_mask
from trainables.backbones.tvlt import Tvlt
from trainables.backbones.vilt import Vilt
from trainables.catalogs import BACKBONES
from trainables.devices import Compute
from trainables.encoder_names import backbone_identity, backbone_names, build_backbone
from trainables.fusion.early import Early

GOLDEN = Path(__file__).parent.parent / "golden" / "tvlt_tiny"
TVLT_INFOS = {
    "audio": InputInfo(kind="audio", shape=(32, 32)),
    "image": InputInfo(kind="image", shape=(3, 32, 32)),
}
CLOSE = {"rtol": 1e-5, "atol": 1e-5}


def _accepted(cls: type[Backbone]) -> list[tuple[str, ...]]:
    return [names for count in (1, 2, 3) for names in combinations(sorted(cls.accepts), count)]


CASES = [
    (name, modalities)
    for name in backbone_names()
    if ":" not in name
    for modalities in _accepted(BACKBONES.get(name.rpartition("_")[0]))
]


@pytest.fixture(autouse=True)
def _no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # read when the package was imported


def _fusion(name: str, modalities: tuple[str, ...], seed: int = 0) -> Early:
    torch.manual_seed(seed)
    return Early(build_backbone(name, sequences.infos(*modalities)), modalities, 2)


@pytest.mark.parametrize(("name", "modalities"), CASES)
class TestContract:
    def test_a_masked_pass_is_each_modality_alone(self, name: str, modalities: tuple[str, ...]) -> None:
        fusion = _fusion(name, modalities).eval()
        batch = sequences.batch(sequences.infos(*modalities))
        with torch.no_grad():
            masked, alone = fusion.masked(batch), fusion.alone({}, batch)
        for modality in modalities:
            torch.testing.assert_close(masked[modality], alone[modality], **CLOSE)
            rows = batch.rows(modality)
            has = torch.ones(len(batch)) if rows is None else torch.zeros(len(batch)).index_fill(0, rows, 1)
            assert torch.equal(alone[modality].any(dim=1), has.bool())

    def test_a_row_with_one_modality_is_encoded_as_if_alone(self, name: str, modalities: tuple[str, ...]) -> None:
        fusion = _fusion(name, modalities).eval()
        batch = sequences.batch(sequences.infos(*modalities))
        with torch.no_grad():
            together, alone = fusion.encode(batch), fusion.alone({}, batch)
        single = torch.from_numpy(batch.available.sum(axis=1) == 1)
        assert single.any()
        for modality in modalities:
            torch.testing.assert_close(together[modality][single], alone[modality][single], **CLOSE)
            if len(modalities) > 1:
                assert not torch.allclose(together[modality][0], alone[modality][0], atol=1e-6)

    def test_gradient_reaches_every_parameter_it_should(self, name: str, modalities: tuple[str, ...]) -> None:
        fusion = _fusion(name, modalities)
        features = fusion.encode(sequences.batch(sequences.infos(*modalities)))
        torch.cat(list(features.values()), dim=1).square().sum().backward()
        assert all(torch.isfinite(p.grad).all() for p in fusion.parameters() if p.grad is not None)
        layers = [p for what, p in fusion.named_parameters() if ".layer." in what]
        assert layers
        assert all(p.grad is not None for p in layers)

    def test_features_in_bfloat16_are_close(self, name: str, modalities: tuple[str, ...]) -> None:
        fusion = _fusion(name, modalities).eval()
        batch = sequences.batch(sequences.infos(*modalities))
        exact, exact_alone = fusion.encode(batch), fusion.alone({}, batch)
        compute = Compute(torch.device("cpu"), bfloat16=True)
        fusion.autocast = compute.autocast
        with compute.autocast():
            rough = fusion.encode(batch)
        for modality, z in fusion.alone({}, batch).items():
            assert z.dtype == torch.float32
            torch.testing.assert_close(rough[modality].float(), exact[modality], rtol=0.05, atol=0.05)
            torch.testing.assert_close(z, exact_alone[modality], rtol=0.05, atol=0.05)
            assert not torch.equal(z, exact_alone[modality])

    def test_same_seed_same_features_and_no_draw_in_evaluation(self, name: str, modalities: tuple[str, ...]) -> None:
        batch = sequences.batch(sequences.infos(*modalities))
        one, two = _fusion(name, modalities).eval(), _fusion(name, modalities).eval()
        state = torch.get_rng_state()
        first, again, other = one.encode(batch), one.encode(batch), two.encode(batch)
        assert torch.equal(state, torch.get_rng_state())
        assert all(torch.equal(first[key], again[key]) and torch.equal(first[key], other[key]) for key in first)

    def test_empty_text_and_silent_audio_are_one_token_of_padding(self, name: str, modalities: tuple[str, ...]) -> None:
        infos = sequences.infos(*modalities)
        fusion = _fusion(name, modalities).eval()
        batch = sequences.batch(infos, complete=True)
        for inputs in batch.inputs.values():
            inputs.zero_()
        for features in (fusion.encode(batch), fusion.alone({}, batch), fusion.masked(batch)):
            assert set(features) == set(modalities)
            assert all(torch.isfinite(z).all() and z.any() for z in features.values())


def test_padding_changes_nothing() -> None:
    infos = sequences.infos("audio", "text")
    fusion = _fusion("tokens_tiny", ("audio", "text")).eval()
    batch = sequences.batch(infos, complete=True)
    tokens, valid = fusion.backbone.embed("text", batch.inputs["text"])
    assert valid is not None
    assert valid[0].tolist() == [True] * 4 + [False] * 3
    changed = tokens.clone()
    changed[~valid] = 100.0
    kept = [fusion.backbone.transform(each, key_mask(valid))[valid] for each in (tokens, changed)]
    torch.testing.assert_close(*kept, rtol=0, atol=0)
    _, sounding = fusion.backbone.embed("audio", batch.inputs["audio"])
    assert sounding is not None
    assert sounding[0].tolist() == [True, True, False]


@pytest.mark.parametrize("name", ["tvlt_tiny", "tvlt:lab/model"])
def test_what_a_backbone_does_not_read_is_refused_by_name(name: str) -> None:
    with pytest.raises(InvalidValueError, match=r"text inputs; this one reads audio, image"):
        backbone_identity(name, sequences.infos("image", "text"))
    two = {"face": sequences.INFOS["image"], "scene": sequences.INFOS["image"]}
    with pytest.raises(InvalidValueError, match=r"face \(image\), scene \(image\)"):
        backbone_identity(name, two)


def test_names_of_backbones() -> None:
    expected = {"tokens_tiny", "vilt_tiny", "vilt:", "vilt_interpolate_tiny", "vilt_interpolate:", "tvlt_tiny", "tvlt:"}
    assert expected <= set(backbone_names())
    with pytest.raises(UnknownNameError, match="unknown backbone"):
        build_backbone("conv_tiny", sequences.infos("image"))


class TestTvlt:
    def test_golden_states(self) -> None:
        golden = load_file(GOLDEN / "io.safetensors")
        backbone = build_backbone(f"tvlt:{GOLDEN}", TVLT_INFOS)
        assert isinstance(backbone, Tvlt)
        with torch.no_grad():
            pixels, every = backbone.embed("image", golden["pixel_values"][:, 0])
            audio, sounding = backbone.embed("audio", golden["audio_values"][:, 0].transpose(1, 2))
            tokens = torch.cat([backbone.shared_tokens().expand(2, 1, -1), pixels, audio], dim=1)
            assert every is None
            assert sounding is not None
            assert sounding.all()
            torch.testing.assert_close(backbone.transform(tokens, None), golden["last_hidden_state"], **CLOSE)
            visible = torch.cat([torch.ones(2, 17, dtype=torch.bool), golden["audio_mask_second"].bool()], dim=1)
            masked = backbone.transform(tokens, key_mask(visible))
            torch.testing.assert_close(masked, golden["last_hidden_state_masked"], **CLOSE)

    def test_golden_features_through_the_fusion(self) -> None:
        golden = load_file(GOLDEN / "io.safetensors")
        fusion = Early(build_backbone(f"tvlt:{GOLDEN}", TVLT_INFOS), ("audio", "image"), 2)
        batch = sequences.batch(TVLT_INFOS, complete=True, rows=2)
        batch.inputs["image"].copy_(golden["pixel_values"][:, 0])
        batch.inputs["audio"].copy_(golden["audio_values"][:, 0].transpose(1, 2))
        features = fusion.encode(batch)
        torch.testing.assert_close(features["image"], golden["last_hidden_state"][:, 1:17].mean(dim=1), **CLOSE)
        torch.testing.assert_close(features["audio"], golden["last_hidden_state"][:, 17:].mean(dim=1), **CLOSE)

    def test_weights_inside_a_model_with_heads(self, tmp_path: Path) -> None:
        tensors = load_file(GOLDEN / "model.safetensors")
        save_file({**{f"tvlt.{key}": w for key, w in tensors.items()}, "head.bias": torch.ones(2)}, _folder(tmp_path))
        loaded = build_backbone(f"tvlt:{tmp_path}", TVLT_INFOS).state_dict()
        assert all(torch.equal(loaded[f"model.{key}"], tensor) for key, tensor in tensors.items())

    def test_weights_that_do_not_fit_are_named(self, tmp_path: Path) -> None:
        tensors = load_file(GOLDEN / "model.safetensors")
        tensors["layernorm.weight"] = torch.ones(31)
        del tensors["cls_embedding"]
        save_file(tensors, _folder(tmp_path))
        with pytest.raises(MmptError, match=r"cls_embedding is missing; layernorm.weight has shape \(31,\), .*\(32,\)"):
            build_backbone(f"tvlt:{tmp_path}", TVLT_INFOS)

    @pytest.mark.parametrize(
        ("modality", "shape", "message"),
        [("image", (3, 16, 16), "image_size"), ("audio", (16, 32), "mel_bands 16"), ("audio", (32, 40), "frames 40")],
    )
    def test_inputs_that_do_not_fit(self, modality: str, shape: tuple[int, ...], message: str) -> None:
        infos = {**TVLT_INFOS, modality: InputInfo(kind=TVLT_INFOS[modality].kind, shape=shape)}
        with pytest.raises(InvalidValueError, match=message):
            build_backbone(f"tvlt:{GOLDEN}", infos)

    @pytest.mark.parametrize("damage", ["nothing", "family", "weights"])
    def test_folders_that_are_no_checkpoint(self, damage: str, tmp_path: Path) -> None:
        if damage != "nothing":
            _folder(tmp_path, model_type="vit" if damage == "family" else "tvlt").write_bytes(
                (GOLDEN / "model.safetensors").read_bytes() if damage == "family" else b"no weights"
            )
        with pytest.raises(MmptError, match="expected"):
            build_backbone(f"tvlt:{tmp_path}", TVLT_INFOS)

    def test_a_shorter_spectrogram_uses_the_first_positions(self) -> None:
        short = {**TVLT_INFOS, "audio": InputInfo(kind="audio", shape=(32, 13))}
        tokens, _ = build_backbone(f"tvlt:{GOLDEN}", short).embed("audio", torch.randn(2, 32, 13))
        assert tokens.shape == (2, 2 * 4, 32)


def _folder(path: Path, **changes: str) -> Path:
    """Write the golden configuration and return where the weights belong."""
    config = json.loads((GOLDEN / "config.json").read_text())
    (path / "config.json").write_text(json.dumps({**config, **changes}))
    return path / "model.safetensors"


class TestVilt:
    def _saved(self, path: Path) -> transformers.ViltModel:
        torch.manual_seed(3)
        config = transformers.ViltConfig(
            hidden_size=24,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=48,
            image_size=16,
            patch_size=8,
            vocab_size=30,
            max_position_embeddings=7,
            max_image_length=-1,
        )
        model = transformers.ViltModel(config)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        model.save_pretrained(path)
        return model.eval()

    def test_features_are_those_of_the_published_forward(self, tmp_path: Path) -> None:
        model, infos = self._saved(tmp_path), sequences.infos("image", "text")
        fusion = Early(build_backbone(f"vilt:{tmp_path}", infos), ("image", "text"), 2).eval()
        batch = sequences.batch(infos, complete=True)
        ids = batch.inputs["text"]
        with torch.no_grad():
            expected = model(
                input_ids=ids,
                attention_mask=(ids != 0).long(),
                pixel_values=batch.inputs["image"],
                pixel_mask=torch.ones(6, 16, 16, dtype=torch.long),
            ).last_hidden_state
            features = fusion.encode(batch)
        words = (ids != 0).unsqueeze(2)
        torch.testing.assert_close(features["text"], (expected[:, :7] * words).sum(1) / words.sum(1), **CLOSE)
        torch.testing.assert_close(features["image"], expected[:, 7:].mean(dim=1), **CLOSE)

    @pytest.mark.parametrize(("key", "length"), [("vilt", 7), ("vilt_interpolate", 13)])
    def test_text_longer_than_the_position_table(self, key: str, length: int, tmp_path: Path) -> None:
        model = self._saved(tmp_path)
        infos = {**sequences.infos("image"), "text": InputInfo(kind="text", shape=(13,), vocabulary_size=30)}
        backbone = build_backbone(f"{key}:{tmp_path}", infos).eval()
        assert isinstance(backbone, Vilt)
        tokens, _ = backbone.embed("text", sequences.inputs_of(infos["text"], 2))
        assert tokens.shape == (2, length, 24)
        table = model.embeddings.text_embeddings.position_embeddings.weight
        own = backbone.model.embeddings.text_embeddings.position_embeddings.weight
        torch.testing.assert_close(own[:: (length - 1) // 6], table)
        assert own.requires_grad

    def test_images_of_another_size_stretch_the_positions(self, tmp_path: Path) -> None:
        self._saved(tmp_path)
        info = InputInfo(kind="image", shape=(3, 24, 16))
        tokens, _ = build_backbone(f"vilt:{tmp_path}", {"image": info}).embed("image", torch.randn(2, 3, 24, 16))
        assert tokens.shape == (2, 1 + 3 * 2, 24)

    def test_weights_that_do_not_fit_are_named(self, tmp_path: Path) -> None:
        self._saved(tmp_path)
        tensors = load_file(tmp_path / "model.safetensors")
        tensors["layernorm.weight"] = torch.ones(23)
        save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
        with pytest.raises(MmptError, match=r"layernorm.weight has shape \(23,\), expected \(24,\)"):
            build_backbone(f"vilt:{tmp_path}", sequences.infos("image", "text"))

    def test_a_vocabulary_that_does_not_fit(self, tmp_path: Path) -> None:
        self._saved(tmp_path)
        info = InputInfo(kind="text", shape=(7,), vocabulary_size=31)
        with pytest.raises(InvalidValueError, match="vocabulary 31; this one has vocabulary 30"):
            build_backbone(f"vilt:{tmp_path}", {"text": info})
