"""The paper's settings for TOFU."""

from classifiers.corruption.paper_settings import paper_grid
from classifiers.evaluation.tofu.ways import label


def test_the_papers_grid_at_a_width() -> None:
    assert [label(found) for found in paper_grid(192)] == [
        "rand_noise_first_n n=1 σ=5",
        "rand_noise_first_n n=1 σ=50",
        "rand_noise_first_n n=1 σ=192",
        "rand_noise_first_n n=192 σ=5",
        "rand_noise_first_n n=192 σ=50",
        "rand_noise_first_n n=192 σ=192",
        "zero_out_top_k n=48",
        "flip_sign_top_k n=192",
    ]
