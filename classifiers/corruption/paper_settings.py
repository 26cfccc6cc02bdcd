"""The fixed settings of ECO's TOFU runs (arXiv 2406.07933, its released configurations)."""

from guard.corruption.functions import Corruption


def paper_grid(width: int) -> list[Corruption]:
    """ECO's settings for TOFU at hidden size `width`: noise of 5, 50 and d on the first and on all
    dimensions, zero-out of the largest quarter (the paper tunes it: 16 to 61 %), sign flip."""
    noise = [
        Corruption("rand_noise_first_n", dims, strength)
        for dims in (1, width)
        for strength in (5.0, 50.0, float(width))
    ]
    return [
        *noise,
        Corruption("zero_out_top_k", max(1, width // 4)),
        Corruption("flip_sign_top_k", width),
    ]
