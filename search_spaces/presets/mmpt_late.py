"""Table 1 of MMPT: seven methods in late fusion on six data sets."""

from search_spaces.arsenal import arsenal
from search_spaces.preset import Preset

PRESET = Preset(
    title="MMPT's table 1: seven methods in late fusion, six data sets, the paper's search",
    about=(
        "153 trainings per data set and seed: batch size 16, 32, 64, learning rate 1e-4, 3e-5, 1e-5, each weight of "
        "multi-task learning 0.1, 0.5, 1. The data sets have to be on this machine; --set dataset=mm_imdb keeps one, "
        "--set dataset=av_digits tries everything out on data that ships with the program."
    ),
    grid=arsenal("late"),
    resources={"cpus": 4, "gpus": 1},
)
