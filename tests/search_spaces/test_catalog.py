import pytest

from search_spaces import InvalidValueError, MmptError, Modality, Pattern, UnknownNameError, patterns
from search_spaces.catalog import Catalog, camel_case, snake_case
from search_spaces.errors import nearest
from search_spaces.presets import PRESETS


def test_presets_are_found_by_their_files() -> None:
    assert {"quickstart", "smoke"} <= set(PRESETS.names())
    assert "quickstart" in PRESETS


def test_an_unknown_name_gets_the_nearest_match() -> None:
    with pytest.raises(UnknownNameError, match="unknown preset 'quikstart'; did you mean 'quickstart'"):
        PRESETS.get("quikstart")
    assert nearest("zzz", ["alpha"]) is None


def test_own_entries_are_added_but_never_replace_built_in_ones() -> None:
    catalog: Catalog[object] = Catalog("preset", "search_spaces.presets", attribute="PRESET")

    class MyThing: ...

    assert catalog.add(MyThing) == "my_thing"
    assert catalog.get("my_thing") is MyThing
    assert "my_thing" in catalog.names()
    with pytest.raises(InvalidValueError, match="quickstart"):
        catalog.add(MyThing, "quickstart")


def test_names_and_classes_translate_both_ways() -> None:
    for key in ("ogm_ge", "mtl", "av_digits"):
        assert snake_case(camel_case(key)) == key


def test_patterns() -> None:
    assert patterns(["text", "audio", "image"])[0].key == "audio-image-text"
    assert len(patterns(["a", "b", "c"])) == 7
    for wrong in (lambda: Pattern([]), lambda: Modality("Not Snake"), lambda: Modality("all")):
        with pytest.raises(MmptError):
            wrong()
