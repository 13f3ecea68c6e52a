"""UPMC Food-101: pictures of dishes and the titles of the recipe pages they stood on (Wang et al., 2015)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from trainables.api_data import DatasetCard
from trainables.api_files import Audit, ImageTextDataset, ImageTextParams, RawDataError, Sample, Tree
from trainables.datasets._upmc_food101_indexes import FORMS, rows_of
from trainables.params import number, one_of

__all__ = ["UpmcFood101"]

_AUTO = "auto"
_MAP, _MMBT = {"train": 61_142, "val": 6_846, "test": 22_716}, {"val": 5_000}


@dataclass(frozen=True, kw_only=True)
class UpmcFood101Params(ImageTextParams):
    """Which split is followed.

    Attributes:
        tokens: the most that are kept of a title.
        split: `map` for MAP's split.json, `mmbt` for the train, dev and test.jsonl of MMBT, QMF and MLA, `carved` for
            the csv files with 10 % of each class's training rows as validation; `auto` for the first that is there.
    """

    tokens: int = number(40, 1, 8192)
    split: str = one_of(_AUTO, *FORMS)


class UpmcFood101(ImageTextDataset):
    """61,142 / 6,846 / 22,716 pictures (MAP's split); the test pictures are Kaggle's in every form.

    A sample is the name of its picture's file. A picture without a title keeps an empty one if the split names it.
    """

    card = DatasetCard(
        title="UPMC Food-101",
        task="dish from its picture and its page's title (101 classes, macro F1; accuracy in MLA and U2A)",
        licence="collected from the web; for research, without an explicit licence",
        source="https://www.kaggle.com/datasets/gianmarco96/upmcfood101; split.json of MAP or the jsonl files of QMF",
        notes="MMPT, late fusion, macro F1: naive both 93.2, text 85.0, image 67.1; experts 86.4 and 72.0. U2A, "
        "accuracy: 94.5. MMPT's 100,000 pairs are those of the raw crawl. 73.5 % of the test titles name the dish.",
    )
    Params = UpmcFood101Params
    classes = (
        *("apple_pie", "baby_back_ribs", "baklava", "beef_carpaccio", "beef_tartare", "beet_salad", "beignets"),
        *("bibimbap", "bread_pudding", "breakfast_burrito", "bruschetta", "caesar_salad", "cannoli", "caprese_salad"),
        *("carrot_cake", "ceviche", "cheese_plate", "cheesecake", "chicken_curry", "chicken_quesadilla"),
        *("chicken_wings", "chocolate_cake", "chocolate_mousse", "churros", "clam_chowder", "club_sandwich"),
        *("crab_cakes", "creme_brulee", "croque_madame", "cup_cakes", "deviled_eggs", "donuts", "dumplings", "edamame"),
        *("eggs_benedict", "escargots", "falafel", "filet_mignon", "fish_and_chips", "foie_gras", "french_fries"),
        *("french_onion_soup", "french_toast", "fried_calamari", "fried_rice", "frozen_yogurt", "garlic_bread"),
        *("gnocchi", "greek_salad", "grilled_cheese_sandwich", "grilled_salmon", "guacamole", "gyoza", "hamburger"),
        *("hot_and_sour_soup", "hot_dog", "huevos_rancheros", "hummus", "ice_cream", "lasagna", "lobster_bisque"),
        *("lobster_roll_sandwich", "macaroni_and_cheese", "macarons", "miso_soup", "mussels", "nachos", "omelette"),
        *("onion_rings", "oysters", "pad_thai", "paella", "pancakes", "panna_cotta", "peking_duck", "pho", "pizza"),
        *("pork_chop", "poutine", "prime_rib", "pulled_pork_sandwich", "ramen", "ravioli", "red_velvet_cake"),
        *("risotto", "samosa", "sashimi", "scallops", "seaweed_salad", "shrimp_and_grits", "spaghetti_bolognese"),
        *("spaghetti_carbonara", "spring_rolls", "steak", "strawberry_shortcake", "sushi", "tacos", "takoyaki"),
        *("tiramisu", "tuna_tartare", "waffles"),
    )
    layout = """
    food101/
      images/train/<class>/<class>_<n>.jpg     images/test/<class>/<class>_<n>.jpg
      texts/train_titles.csv                   texts/test_titles.csv
    and, or instead of texts/, split.json and text.json of MAP, or train.jsonl, dev.jsonl and test.jsonl of MMBT
    """
    markers = ("images/train", "texts/train_titles.csv")
    official_sizes = MappingProxyType(_MAP)
    max_duplicates = 0.02
    """Pages that were crawled twice."""

    def expected_sizes(self) -> Mapping[str, int]:
        """MAP's; of MMBT's index only the validation part is the same in every copy."""
        return MappingProxyType(_MMBT) if self.params.split == "mmbt" else self.official_sizes

    def index(self, tree: Tree, audit: Audit) -> Iterator[Sample]:
        """Follow the chosen split; pictures that it does not name are reported."""
        named = set()
        for row in rows_of(self._form(tree), tree, audit):
            named.add(row.path)
            yield Sample(row.file, row.split, row.label, {"image": row.path, "text": row.title})
        unlisted = (path for path in tree.sizes if path.startswith("images/") and path not in named)
        audit.extend(("unlisted_file", path) for path in unlisted)

    def _form(self, tree: Tree) -> str:
        asked = list(FORMS) if self.params.split == _AUTO else [self.params.split]
        for form in asked:
            if all(map(tree.has, FORMS[form])):
                return form
        needed = " nor ".join(", ".join(FORMS[form]) for form in asked)
        raise RawDataError(f"{tree.root} has no index: neither {needed}")
