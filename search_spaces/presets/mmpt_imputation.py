"""Table 4 of MMPT: a missing modality's features imputed from the available one's, from naive and from best models."""

from search_spaces.axes import choice
from search_spaces.grid import Grid
from search_spaces.learning_rates import MMPT_BATCH_SIZES, MMPT_LADDER
from search_spaces.preset import Preset

PRESET = Preset(
    title="MMPT's table 4: VAE imputation of features on MM-IMDB, both fusions, from naive and from best models",
    about=(
        "Per fusion and seed 18 imputations beside the unimodal experts; the trainings they build on are planned with "
        "them. The best model is chosen on validation among naive, dropout, multi-task and UMT training at the "
        "imputation's own learning rate and batch size."
    ),
    grid=Grid(
        {
            "dataset": "mm_imdb",
            "fusion": choice("late", "early"),
            "method": choice("unimodal", "vae_imputation"),
            "unimodal.modality": choice("image", "text"),
            "vae_imputation.source": choice("naive", "best"),
            "batch_size": MMPT_BATCH_SIZES,
            "learning_rate": MMPT_LADDER,
        }
    ),
    resources={"cpus": 4, "gpus": 1},
)
