"""Missing protocols: by hand, by property, and every one found in the folder against the contract."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.draws import uniform_draws
from results.missing_masks import Bools, MissingProtocol, lowest, mask_fingerprint, pattern_masks
from results.missing_protocols import MISSING_PROTOCOLS, protocol_named
from search_spaces.errors import InvalidValueError, UnknownNameError
from search_spaces.missing_rates import MissingRates
from search_spaces.modality import Pattern, patterns

NAMES = ("audio", "image", "text", "video")
IDS = [f"sample{number}" for number in range(240)]
VIEWS = st.integers(2, 4)
SEED = st.integers(0, 9)


def mask(
    key: str,
    rates: MissingRates,
    modalities: Sequence[str],
    ids: Sequence[str] = IDS,
    seed: int = 0,
    *,
    split: str = "train",
) -> Bools:
    protocol = protocol_named(key)
    present = {name: np.ones(len(ids), dtype=bool) for name in modalities}
    return protocol.availability(ids, present, protocol.settle(rates, modalities), seed, split)


def some_rates(key: str, views: int) -> list[MissingRates]:
    """Rates that a protocol has, whatever it is."""
    protocol, modalities = protocol_named(key), NAMES[:views]
    found = [MissingRates(), protocol.implied(modalities), *map(MissingRates.shared, (0.1, 0.25, 0.5, 0.7, 1.0))]
    found += [MissingRates({modalities[0]: 0.7}), MissingRates({modalities[0]: 0.2, modalities[1]: 0.35})]
    return [protocol.settle(rates, modalities) for rates in found if accepts(protocol, rates, modalities)]


def accepts(protocol: MissingProtocol, rates: MissingRates, modalities: Sequence[str]) -> bool:
    try:
        protocol.settle(rates, modalities)
    except InvalidValueError:
        return False
    return True


CASES = [
    pytest.param(key, views, rates, id=f"{key}-{views}-{rates}")
    for key in MISSING_PROTOCOLS.names()
    for views in (2, 3, 4)
    for rates in dict.fromkeys(some_rates(key, views))
]


@pytest.mark.parametrize(("key", "views", "rates"), CASES)
class TestContract:
    def test_everyone_keeps_something_and_rate_zero_loses_nothing(
        self, key: str, views: int, rates: MissingRates
    ) -> None:
        kept = mask(key, rates, NAMES[:views])
        assert kept.shape == (len(IDS), views)
        assert kept.any(axis=1).all()
        for place, name in enumerate(NAMES[:views]):
            assert rates[name] > 0 or kept[:, place].all()

    def test_it_depends_on_ids_seed_and_split_alone(self, key: str, views: int, rates: MissingRates) -> None:
        kept, order = mask(key, rates, NAMES[:views]), np.random.default_rng(0).permutation(len(IDS))
        np.testing.assert_array_equal(mask(key, rates, NAMES[:views], [IDS[row] for row in order]), kept[order])
        varies = len(protocol_named(key).shares(NAMES[:views], rates, len(IDS))) > 1
        assert (mask(key, rates, NAMES[:views], seed=1) != kept).any() == varies
        assert (mask(key, rates, NAMES[:views], split="test") != kept).any() == varies

    def test_seeds_together_are_seeds_apart(self, key: str, views: int, rates: MissingRates) -> None:
        protocol = protocol_named(key)
        together = protocol.kept(IDS, NAMES[:views], rates, range(3), "test")
        for seed in range(3):
            np.testing.assert_array_equal(together[seed], mask(key, rates, NAMES[:views], seed=seed, split="test"))

    def test_patterns_come_as_often_as_their_shares_say(self, key: str, views: int, rates: MissingRates) -> None:
        protocol, seeds = protocol_named(key), range(200)
        shares = protocol.shares(NAMES[:views], rates, len(IDS))
        assert sum(shares.values()) == pytest.approx(1, abs=1e-12)
        kept = protocol.kept(IDS, NAMES[:views], rates, seeds, "test")
        found = {pattern: masks.mean() for pattern, masks in pattern_masks(kept, NAMES[:views], rates, sorted(shares))}
        assert sum(found.values()) == pytest.approx(1, abs=1e-12), "a pattern without a share"
        for pattern, share in shares.items():
            assert found[pattern] == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / kept[..., 0].size))

    def test_settling_twice_is_settling_once(self, key: str, views: int, rates: MissingRates) -> None:
        assert protocol_named(key).settle(rates, NAMES[:views]) == rates

    def test_what_the_data_lacks_stays_missing(self, key: str, views: int, rates: MissingRates) -> None:
        random = np.random.default_rng(1)
        present = {name: random.random(len(IDS)) < 0.5 for name in NAMES[:views]}
        natural = np.stack(list(present.values()), axis=1)
        kept = protocol_named(key).availability(IDS, present, rates, 0, "train")
        assert not (kept & ~natural).any()
        np.testing.assert_array_equal(kept.any(axis=1), natural.any(axis=1))
        whole = natural.all(axis=1)
        np.testing.assert_array_equal(kept[whole], mask(key, rates, NAMES[:views])[whole])


@pytest.mark.parametrize("key", MISSING_PROTOCOLS.names())
def test_a_protocol_says_what_it_does(key: str) -> None:
    protocol = protocol_named(key)
    assert protocol.sentence.endswith(".")
    assert protocol.source
    assert protocol.version
    for views in (1, 2, 3, 4):
        assert not protocol.settle(MissingRates(), NAMES[:views])


def test_an_unknown_protocol_gets_the_nearest_match() -> None:
    with pytest.raises(UnknownNameError, match="unknown missing protocol 'gcent'; did you mean 'gcnet'"):
        protocol_named("gcent")


class TestMapU2a:
    MODALITIES = ("image", "text")

    @given(st.integers(0, 1000), st.integers(1, 240), SEED)
    def test_one_type_hits_exactly_its_share(self, thousandths: int, number: int, seed: int) -> None:
        kept = mask("map_u2a", MissingRates({"text": thousandths / 1000}), self.MODALITIES, IDS[:number], seed)
        assert (~kept).sum(axis=0).tolist() == [0, number * thousandths // 1000]

    @given(st.integers(0, 500), st.integers(1, 240), SEED)
    def test_both_switches_half_of_the_hit_to_the_image(self, thousandths: int, number: int, seed: int) -> None:
        kept = mask("map_u2a", MissingRates.shared(thousandths / 1000), self.MODALITIES, IDS[:number], seed)
        hit = number * 2 * thousandths // 1000
        assert (~kept).sum(axis=0).tolist() == [hit // 2, hit - hit // 2]
        assert (~kept).sum(axis=1).max(initial=0) <= 1

    def test_seventy_percent_of_both_is_35_35_30(self) -> None:
        kept = mask("map_u2a", MissingRates.parse("image:0.35+text:0.35"), self.MODALITIES, IDS[:200])
        assert Counter(map(tuple, kept.tolist())) == {(True, True): 60, (False, True): 70, (True, False): 70}

    def test_by_hand(self) -> None:
        ids, rates = IDS[:10], MissingRates.shared(0.35)
        first, second = (uniform_draws(ids, f"map_u2a:{name}", [3], "train")[0] for name in ("hit", "loses"))
        hit = sorted(range(10), key=first.__getitem__)[:7]
        image = sorted(hit, key=second.__getitem__)[:3]
        expected = [[row not in image, row not in hit or row in image] for row in range(10)]
        assert mask("map_u2a", rates, self.MODALITIES, ids, seed=3).tolist() == expected

    @given(st.integers(0, 500), st.integers(0, 500), SEED)
    def test_whoever_is_hit_is_hit_at_every_higher_rate(self, one: int, other: int, seed: int) -> None:
        low, high = (
            mask("map_u2a", MissingRates.shared(rate / 1000), self.MODALITIES, seed=seed).all(axis=1)
            for rate in sorted((one, other))
        )
        assert not (high & ~low).any()

    @given(st.integers(0, 500), st.integers(1, 20), SEED)
    def test_more_samples_change_few_others(self, thousandths: int, more: int, seed: int) -> None:
        rates = MissingRates.shared(thousandths / 1000)
        before = mask("map_u2a", rates, self.MODALITIES, IDS[:-more], seed)
        after = mask("map_u2a", rates, self.MODALITIES, IDS, seed)[:-more]
        assert (before != after).any(axis=1).sum() <= 3 * more

    def test_shares_of_samples_cannot_exceed_all(self) -> None:
        with pytest.raises(InvalidValueError, match=r"sum to 1 at most.*0\.35 each"):
            mask("map_u2a", MissingRates.shared(0.7), self.MODALITIES)

    def test_a_floating_point_accident_costs_no_sample(self) -> None:
        assert int(100 * 0.29) == 28
        assert (~mask("map_u2a", MissingRates({"text": 0.29}), self.MODALITIES, IDS[:100])).sum() == 29


class TestGcnet:
    @given(VIEWS, st.integers(0, 1000), st.integers(1, 240), SEED)
    def test_the_share_present_is_met_to_half_an_entry(
        self, views: int, thousandths: int, number: int, seed: int
    ) -> None:
        kept = mask("gcnet", MissingRates.shared(thousandths / 1000), NAMES[:views], IDS[:number], seed)
        wanted = max(1 - thousandths / 1000, 1 / views)
        assert abs(kept.mean() - wanted) <= 0.5 / kept.size + 1e-8
        assert kept.any(axis=1).all()

    @pytest.mark.parametrize(("views", "rate"), [(2, 0.5), (2, 0.9), (3, 0.7), (3, 2 / 3), (4, 0.75), (4, 1.0)])
    def test_beyond_its_highest_rate_exactly_one_stays(self, views: int, rate: float) -> None:
        kept = mask("gcnet", MissingRates.shared(rate), NAMES[:views])
        assert (kept.sum(axis=1) == 1).all()
        assert (abs(kept.mean(axis=0) - 1 / views) < 0.12).all()

    def test_seventy_percent_of_three_is_two_thirds(self) -> None:
        settled = protocol_named("gcnet").settle(MissingRates.shared(0.7), NAMES[:3])
        assert settled == MissingRates(dict.fromkeys(NAMES[:3], 0.666666667))

    @given(VIEWS, st.floats(0, 1), st.floats(0, 1), SEED)
    def test_a_higher_rate_only_removes(self, views: int, one: float, other: float, seed: int) -> None:
        low, high = (
            mask("gcnet", MissingRates.shared(rate), NAMES[:views], seed=seed) for rate in sorted((one, other))
        )
        assert not (high & ~low).any()

    @given(VIEWS, st.floats(0, 1), st.integers(1, 20), SEED)
    def test_more_samples_change_few_others(self, views: int, rate: float, more: int, seed: int) -> None:
        rates = MissingRates.shared(rate)
        before = mask("gcnet", rates, NAMES[:views], IDS[:-more], seed)
        after = mask("gcnet", rates, NAMES[:views], IDS, seed)[:-more]
        assert (before != after).sum() <= views * more

    def test_by_hand(self) -> None:
        ids = IDS[:4]
        first = uniform_draws(ids, "gcnet:first", [0], "train")[0]
        more = {name: uniform_draws(ids, f"gcnet:{name}", [0], "train")[0] for name in NAMES[:3]}
        stays = {(row, int(3 * first[row])) for row in range(4)}
        others = [(row, place) for row in range(4) for place in range(3) if (row, place) not in stays]
        others.sort(key=lambda entry: more[NAMES[entry[1]]][entry[0]])
        stays |= set(others[:2])  # of 12 entries half are there
        found = mask("gcnet", MissingRates.shared(0.5), NAMES[:3], ids)
        assert {(int(row), int(place)) for row, place in np.argwhere(found)} == stays

    def test_shares_by_hand(self) -> None:
        """Two samples of two views at 25 %: one of the two entries beside the guaranteed ones is there."""
        shares = protocol_named("gcnet").shares(NAMES[:2], MissingRates(dict.fromkeys(NAMES[:2], 0.25)), 2)
        assert shares == {Pattern(NAMES[:2]): 0.5, Pattern(["audio"]): 0.25, Pattern(["image"]): 0.25}

    def test_rates_per_modality_are_refused(self) -> None:
        with pytest.raises(InvalidValueError, match="one rate for every modality"):
            mask("gcnet", MissingRates({"image": 0.3}), ("image", "text"))


class TestMmin:
    def test_three_modalities_have_its_six_conditions(self) -> None:
        rates = protocol_named("mmin").implied(NAMES[:3])
        shares = protocol_named("mmin").shares(NAMES[:3], rates, 1)
        assert {pattern.key for pattern in shares} == {
            "audio", "image", "text", "audio-image", "audio-text", "image-text"
        }  # fmt: skip
        assert set(shares.values()) == {1 / 6}

    @pytest.mark.parametrize("views", [2, 3, 4])
    def test_each_modality_is_missing_half_of_the_time(self, views: int) -> None:
        protocol = protocol_named("mmin")
        rates = protocol.implied(NAMES[:views])
        shares = protocol.shares(NAMES[:views], rates, 1)
        assert len(shares) == 2**views - 2
        for name in NAMES[:views]:
            assert sum(share for one, share in shares.items() if name not in one) == pytest.approx(rates[name])

    def test_by_hand(self) -> None:
        draws = uniform_draws(IDS[:20], "mmin", [5], "train")[0]
        possible = patterns(NAMES[:3])[1:]
        found = mask("mmin", MissingRates.shared(0.5), NAMES[:3], IDS[:20], seed=5)
        for draw, row in zip(draws, found, strict=True):
            assert tuple(np.array(NAMES[:3])[row]) == possible[int(6 * draw)]

    @given(SEED, st.integers(1, 200))
    def test_more_samples_change_no_other(self, seed: int, more: int) -> None:
        rates = MissingRates.shared(0.5)
        before = mask("mmin", rates, NAMES[:3], IDS[:-more], seed)
        np.testing.assert_array_equal(before, mask("mmin", rates, NAMES[:3], IDS, seed)[:-more])

    def test_other_rates_are_refused(self) -> None:
        with pytest.raises(InvalidValueError, match=r"missing rates of mmin: '0\.3' is not allowed; expected 0\.5"):
            mask("mmin", MissingRates.shared(0.3), NAMES[:3])


@pytest.mark.parametrize("key", ["map_u2a", "mmin"])
def test_one_modality_cannot_go_missing(key: str) -> None:
    with pytest.raises(InvalidValueError, match="there is one modality"):
        mask(key, MissingRates.shared(0.5), ["image"])


def test_gcnet_keeps_the_only_modality() -> None:
    assert mask("gcnet", MissingRates.shared(0.5), ["image"]).all()


def test_lowest_counts_exactly() -> None:
    values = np.array([[0.3, 0.1, 0.2], [0.0, 2.0, 1.0]])
    assert lowest(values, 0).sum() == 0
    assert lowest(values, 2).tolist() == [[False, True, True], [True, False, True]]
    assert lowest(values, 3).all()


class TestFingerprint:
    def test_equal_content_has_equal_fingerprints_in_any_order(self) -> None:
        kept = mask("independent", MissingRates.shared(0.4), NAMES[:3])
        rows, columns = np.random.default_rng(0).permutation(len(IDS)), [2, 0, 1]
        moved = mask_fingerprint(
            [IDS[row] for row in rows], [NAMES[place] for place in columns], kept[np.ix_(rows, columns)]
        )
        assert moved == mask_fingerprint(IDS, NAMES[:3], kept)
        assert len(moved) == 16

    @given(st.integers(0, 239), st.integers(0, 2))
    def test_one_entry_makes_another_fingerprint(self, row: int, place: int) -> None:
        kept = mask("independent", MissingRates.shared(0.4), NAMES[:3])
        changed = kept.copy()
        changed[row, place] ^= True
        assert mask_fingerprint(IDS, NAMES[:3], changed) != mask_fingerprint(IDS, NAMES[:3], kept)

    def test_names_count_too(self) -> None:
        kept = np.ones((2, 2), dtype=bool)
        prints = {
            mask_fingerprint(["a", "b"], ["x", "y"], kept),
            mask_fingerprint(["a", "c"], ["x", "y"], kept),
            mask_fingerprint(["a", "b"], ["x", "z"], kept),
        }
        assert len(prints) == 3

    def test_it_is_stable_across_releases(self) -> None:
        """Stores outlive releases: a change here makes equal masks of old and new trials look different."""
        assert mask_fingerprint(["a", "b"], ["x", "y"], np.eye(2, dtype=bool)) == "50a0a7543fe74242"


@pytest.mark.parametrize(
    ("key", "rates", "digits"),
    [
        ("independent", 0.3, "ec101910cf65dcb1"),
        ("map_u2a", 0.3, "b5bc6e47be2c79a6"),
        ("gcnet", 0.3, "051d4af9d9186ccb"),
        ("mmin", 0.5, "8f1c2e090ffc49ce"),
    ],
)
def test_masks_are_stable_across_releases(key: str, rates: float, digits: str) -> None:
    """A mask that changes needs another `version` of its protocol, and orphans its stored trials."""
    kept = mask(key, MissingRates.shared(rates), NAMES[:3])
    assert (protocol_named(key).version, mask_fingerprint(IDS, NAMES[:3], kept)) == ("1", digits)
