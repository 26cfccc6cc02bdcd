"""A recipe is settings and sources."""

from lab.test_models.recipe import recipe_of


def test_a_recipe_changes_with_its_settings_and_its_sources() -> None:
    one = recipe_of([1], {"lab.test_models": ("recipe",)})
    assert one == recipe_of([1], {"lab.test_models": ("recipe",)})
    assert one != recipe_of([2], {"lab.test_models": ("recipe",)})
    assert one != recipe_of([1], {"lab.test_models": ("recall",)})
