"""CrisisMMD: the three variants, tables unpacked, packed or too deep, and tweets exactly as they were published."""

import zipfile
from pathlib import Path

import pytest
import raw_crisis_mmd as raw
from file_datasets import opened, samples_of

from search_spaces.errors import InvalidValueError
from trainables.dataset_identity import compute_fingerprint
from trainables.preparing.tree import RawDataError
from trainables.raw_data_checks import InvalidDataError

KEY = "crisis_mmd"
TRAIN = "crisismmd_datasplit_all/task_humanitarian_text_img_train.tsv"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    raw.make_raw(tmp_path / "raw")
    return tmp_path / "raw"


@pytest.mark.parametrize("variant", ["all", "agreed8", "agreed5"])
def test_packed_tables_are_the_same_data(root: Path, variant: str) -> None:
    unpacked = compute_fingerprint(opened(KEY, raw, root, variant=variant))
    raw.pack(root)
    assert not list(root.rglob("*.tsv"))
    assert compute_fingerprint(opened(KEY, raw, root, variant=variant)) == unpacked
    assert not list(root.rglob("*.tsv"))


def test_tables_and_pictures_in_doubled_folders_are_the_same_data(root: Path, tmp_path: Path) -> None:
    found = compute_fingerprint(opened(KEY, raw, root))
    (root / "again").mkdir()
    (root / "crisismmd_datasplit_all").rename(root / "again" / "crisismmd_datasplit_all")
    (root / "again").rename(root / "crisismmd_datasplit_all")
    (tmp_path / "CrisisMMD_v2.0").mkdir()
    root.rename(tmp_path / "CrisisMMD_v2.0" / "CrisisMMD_v2.0")
    assert compute_fingerprint(opened(KEY, raw, tmp_path / "CrisisMMD_v2.0")) == found


def test_tables_with_more_columns_in_another_order_are_the_same_data(root: Path) -> None:
    found = samples_of(opened(KEY, raw, root))
    for path in (root / "crisismmd_datasplit_all").iterdir():
        rows = [line.split("\t") for line in path.read_bytes().decode().removesuffix("\n").split("\n")]
        turned = ["\t".join([*reversed(cells), "extra"]) for cells in rows if len(cells) == 9]
        path.write_text("\r\n".join(turned), newline="")
    assert samples_of(opened(KEY, raw, root)) == found


def test_variants_differ_in_their_labels(root: Path) -> None:
    labels = {
        variant: [sample.label for sample in samples_of(opened(KEY, raw, root, variant=variant)).values()]
        for variant in ("all", "agreed8", "agreed5")
    }
    assert labels["all"][:4] == [
        *("not_humanitarian", "injured_or_dead_people", "affected_individuals", "vehicle_damage"),
    ]
    assert labels["agreed8"][:4] == [*labels["all"][:3], "infrastructure_and_utility_damage"]
    assert labels["agreed5"][:4] == [
        *("not_humanitarian", "affected_individuals", "affected_individuals", "infrastructure_and_utility_damage"),
    ]


def test_five_classes_are_numbered_without_gaps(root: Path) -> None:
    five = opened(KEY, raw, root, variant="agreed5")
    assert five.info().class_names == (
        *("affected_individuals", "infrastructure_and_utility_damage", "not_humanitarian"),
        *("other_relevant_information", "rescue_volunteering_or_donation_effort"),
    )
    assert set(five.targets(five.manifest()[0]).tolist()) == {0, 1, 2}
    assert opened(KEY, raw, root).info().num_classes == 8


def test_sizes_are_compared_with_those_of_the_variant(root: Path) -> None:
    for variant, size in (("all", 13_608), ("agreed8", 6_126), ("agreed5", 6_126)):
        dataset = opened(KEY, raw, root, variant=variant)
        assert dataset.sizes(dataset.manifest()[0])["train"] == (8, size)


def test_tweets_stay_as_they_are(root: Path) -> None:
    samples = samples_of(opened(KEY, raw, root))
    assert samples[raw.IMAGES[1]].media["text"] == raw.ODD
    assert samples[raw.IMAGES[2]].media["text"] == "itâ€™s flooding in Houston"
    assert samples[raw.IMAGES[3]].media["text"] == raw.SPLIT_LINES


def test_double_encoding_is_undone_on_demand(root: Path) -> None:
    repaired = opened(KEY, raw, root, repair=True)
    assert samples_of(repaired)[raw.IMAGES[2]].media["text"] == "it’s flooding in Houston"  # noqa: RUF001
    assert samples_of(repaired)[raw.IMAGES[1]].media["text"] == raw.ODD


def test_pictures_of_one_tweet_are_one_group(root: Path) -> None:
    samples = samples_of(opened(KEY, raw, root))
    assert samples[raw.IMAGES[6]].group == samples[raw.IMAGES[7]].group != samples[raw.IMAGES[5]].group


def test_a_tweet_in_two_splits_is_refused(root: Path) -> None:
    path = root / TRAIN.replace("train", "test")
    cells = raw.row(3, agreed=False)
    cells[2] = "another_9"
    path.write_text(path.read_bytes().decode() + "\t".join(cells) + "\n", newline="")
    with pytest.raises(InvalidDataError, match="1 groups are in both train and test"):
        opened(KEY, raw, root).manifest()


def test_a_table_without_the_label_column_is_named(root: Path) -> None:
    path = root / TRAIN
    path.write_text(path.read_bytes().decode().replace("\tlabel\t", "\tlable\t"), newline="")
    with pytest.raises(RawDataError, match=r"img_train\.tsv has no column label"):
        opened(KEY, raw, root).manifest()


def test_tables_that_are_nowhere_are_named_with_their_archive(root: Path) -> None:
    (root / TRAIN).unlink()
    with pytest.raises(RawDataError, match=r"img_train\.tsv.*crisismmd_datasplit_all\.zip"):
        opened(KEY, raw, root).manifest()
    with pytest.raises(InvalidValueError, match="all, agreed8, agreed5"):
        opened(KEY, raw, root, variant="agreed")


@pytest.mark.parametrize("member", ["../evil.tsv", "/etc/evil.tsv", "a/../../evil.tsv", "C:\\evil.tsv", "..\\evil.tsv"])
def test_an_archive_that_leads_outside_is_refused(root: Path, member: str) -> None:
    raw.pack(root)
    with zipfile.ZipFile(root / "crisismmd_datasplit_all.zip", "a") as archive:
        archive.writestr(member, "x")
    with pytest.raises(RawDataError, match=r"split_all\.zip is not to be trusted.*outside"):
        opened(KEY, raw, root).manifest()


def test_a_damaged_archive_is_refused(root: Path) -> None:
    raw.pack(root)
    path = root / "crisismmd_datasplit_all.zip"
    whole = path.read_bytes()
    for data in (b"", whole[: len(whole) // 2], whole[:200] + bytes(200) + whole[400:]):
        path.write_bytes(data)
        with pytest.raises(RawDataError, match=r"split_all\.zip cannot be read"):
            opened(KEY, raw, root).manifest()


def test_a_member_of_absurd_size_is_refused_before_it_fills_the_memory(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw.pack(root)
    path = root / "crisismmd_datasplit_all.zip"
    path.unlink()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(TRAIN, "w") as file:
        for _ in range(65):
            file.write(bytes(2**20))
    assert path.stat().st_size < 2**20
    with pytest.raises(RawDataError, match=r"img_train\.tsv' has more than 67,108,864 bytes"):
        opened(KEY, raw, root).manifest()
