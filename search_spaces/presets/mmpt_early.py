"""Table 2 of MMPT: seven methods in early fusion on six data sets."""

from search_spaces.arsenal import arsenal
from search_spaces.preset import Preset

PRESET = Preset(
    title="MMPT's table 2: seven methods in early fusion, six data sets, the paper's search",
    about=(
        "The search of mmpt_late with one transformer over the tokens of both modalities, the data set's default "
        "backbone; --set encoder.joint=vilt:dandelin/vilt-b32-mlm names another."
    ),
    grid=arsenal("early"),
    resources={"cpus": 4, "gpus": 1},
)
