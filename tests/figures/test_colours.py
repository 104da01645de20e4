"""Palettes can be told apart by readers with any colour vision, or carry a second channel; text can be read."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.columns import REGION_ORDER
from outcomes_analysis.figures.mapping.classes import MISSING

# Severity 1.0 of Machado, Oliveira and Fernandes (2009), IEEE TVCG 15(6), for linear RGB.
MACHADO = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def _linear(colour: str) -> np.ndarray:
    share = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def _lab(linear: np.ndarray) -> np.ndarray:
    """CIELAB (D65) of linear sRGB."""
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    xyz = to_xyz @ np.clip(linear, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def ciede2000(one: np.ndarray, other: np.ndarray) -> float:
    """Difference of two CIELAB colours (Sharma, Wu and Dalal, 2005)."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean_c = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 if (a or b) else 0.0 for a, b in ((a1, b1), (a2, b2)))
    turn = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    dl, dc, dh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    if c1 * c2 == 0:
        h = h1 + h2
    elif abs(h1 - h2) <= 180:
        h = (h1 + h2) / 2
    else:
        h = (h1 + h2 + 360) / 2 if h1 + h2 < 360 else (h1 + h2 - 360) / 2
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    t = 1 - 0.17 * np.cos(np.radians(h - 30)) + 0.24 * np.cos(np.radians(2 * h))
    t += 0.32 * np.cos(np.radians(3 * h + 6)) - 0.20 * np.cos(np.radians(4 * h - 63))
    sl = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    sc, sh = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    rt = -2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7)) * np.sin(np.radians(60 * np.exp(-(((h - 275) / 25) ** 2))))
    return float(np.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + rt * (dc / sc) * (dh / sh)))


def smallest(palette, vision: str) -> float:
    seen = [_lab(np.array(MACHADO[vision]) @ _linear(c)) for c in palette]
    return min(ciede2000(a, b) for a, b in combinations(seen, 2))


def test_the_measure_is_that_of_the_published_pairs():
    """Four of the 34 test pairs of Sharma, Wu and Dalal (2005), table 1, given there to four decimals."""
    pairs = [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((50.0, 2.5, 0.0), (56.0, -27.0, -3.0), 31.9030),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ]
    for one, other, expected in pairs:
        assert ciede2000(np.array(one), np.array(other)) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("vision", MACHADO)
@pytest.mark.parametrize(
    "name", ["SEQUENTIAL", "DIVERGING", "AGAINST", "NEUTRAL_AGAINST", "NEUTRAL_SEQUENTIAL", "DUO", "FOCUS", "CLUSTERS"]
)
def test_colours_of_a_palette_differ_by_at_least_ten(name, vision):
    assert smallest(getattr(theme, name), vision) >= 10


@pytest.mark.parametrize("vision", MACHADO)
def test_the_nine_colours_of_two_things_at_once_differ_by_at_least_ten(vision):
    assert smallest([colour for row in theme.BIVARIATE for colour in row], vision) >= 10


@pytest.mark.parametrize("vision", MACHADO)
@pytest.mark.parametrize("palette", [theme.SEQUENTIAL, theme.AGAINST, theme.NEUTRAL_SEQUENTIAL, theme.NEUTRAL_AGAINST])
def test_what_is_missing_differs_from_every_value_by_colour_or_hatching(palette, vision):
    """Greys near a value's fill are told apart by their hatching, which no class with a value has."""
    assert all(cls.hatch for cls in MISSING.values())
    for cls in MISSING.values():
        near = min(smallest([cls.fill, colour], vision) for colour in palette)
        assert near >= 10 or cls.hatch


@pytest.mark.parametrize("vision", MACHADO)
def test_layers_of_a_chart_that_lie_on_each_other_can_be_told_apart(vision):
    """Bands of a fan on paper and under their middle; answers on intervals, and both on the band of no association."""
    from outcomes_analysis.figures.charts import fans, funnels, multiverses
    from outcomes_analysis.figures.drawing import rows

    for layers in (
        (theme.PAPER, *fans._LEVELS, theme.DUO[0]),
        (multiverses._PALE, theme.DUO[0], theme.PAPER),
        (multiverses._BAND, theme.DUO[0], theme.INK),
        (rows._BEHIND, theme.DUO[0], theme.PAPER),
        (funnels._WIDE, theme.QUIET, theme.PAPER),
        (theme.DUO[0], "#6BACE6"),  # bars of Sobol indices
    ):
        assert smallest(layers, vision) >= 10, layers


def test_lines_that_carry_numbers_stand_out_from_paper():
    """Graphical objects need a contrast of 3 with what they lie on (WCAG 2.2), and orange on white just has it."""
    from outcomes_analysis.figures.charts import networks

    for colour in (theme.DUO[0], theme.QUIET, theme.INK, theme.AGAINST[0], *(c for c, _ in networks.SIGNS.values())):
        assert theme.contrast(colour, theme.PAPER) >= 2.99


@pytest.mark.parametrize("vision", MACHADO)
def test_a_disputed_verdict_differs_from_every_plain_one_and_from_a_contested_measure(vision):
    for palette in (theme.AGAINST, theme.NEUTRAL_AGAINST):
        assert min(smallest([theme.DISPUTED, colour], vision) for colour in palette) >= 10
    assert theme.contrast(theme.DISPUTED_MARK, theme.PAPER) >= 3  # graphical objects, WCAG 2.2


@pytest.mark.parametrize("vision", MACHADO)
def test_signs_against_england_differ_by_shape_where_their_colours_are_near(vision):
    """Charts use these colours together; two that are near in some vision must have shapes of their own."""
    from outcomes_analysis.figures.charts import rugs, spines
    from outcomes_analysis.figures.drawing.legends import DEPENDS, STANDING

    for kinds in ({**STANDING, "disputed": DEPENDS}, {**STANDING, **spines._OTHERS}, rugs._SIGNS):
        for one, other in combinations(kinds.values(), 2):
            assert one.shape != other.shape or smallest([one.fill, other.fill], vision) >= 10


def test_the_categorical_palette_is_never_used_on_its_own():
    """Six colours of it cannot be told apart with protanopia, so that no chart may lean on them alone."""
    from pathlib import Path

    assert min(smallest(theme.CATEGORICAL, vision) for vision in MACHADO) < 10
    folder = Path(theme.__file__).parent
    users = [path.name for path in folder.rglob("*.py") if "CATEGORICAL" in path.read_text(encoding="utf-8")]
    assert users == ["theme.py"]


@pytest.mark.parametrize("ink", ["INK", "QUIET"])
def test_text_colours_have_contrast_on_paper(ink):
    assert theme.contrast(getattr(theme, ink), theme.PAPER) >= 4.5


@pytest.mark.parametrize(
    "fill",
    sorted(
        {
            *theme.SEQUENTIAL,
            *theme.DIVERGING,
            *theme.AGAINST,
            *theme.NEUTRAL_AGAINST,
            *theme.NEUTRAL_SEQUENTIAL,
            *theme.CLUSTERS,
            *(colour for row in theme.BIVARIATE for colour in row),
            theme.PAPER,
            theme.DISPUTED,
            "#F2F2F2",
            "#D9D9D9",
        }
    ),
)
def test_text_printed_on_a_fill_has_contrast(fill):
    assert theme.contrast(theme.text_on(fill), fill) >= 4.5


def test_contrast_is_that_of_the_guideline():
    assert theme.contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert theme.contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.005)  # the well-known grey just too light


def test_the_palette_is_that_of_the_analysis_function():
    assert theme.CATEGORICAL[:4] == ("#12436D", "#28A197", "#801650", "#F46A25")
    assert theme.SEQUENTIAL == ("#ADD1F1", "#6BACE6", "#2073BC", "#12436D", "#092135")


def test_the_font_stack_ends_in_a_generic_family():
    """Otherwise a machine without the named fonts draws no text at all, without an error."""
    assert theme.FONT.endswith("sans-serif")
    stacks = [
        v
        for part in theme.config().values()
        if isinstance(part, dict)
        for k, v in part.items()
        if k.lower().endswith("font")
    ]
    assert stacks
    assert set(stacks) == {theme.FONT}


def test_lines_are_broken_to_their_width_and_no_word_is_lost():
    text = "Learning: half of the authorities have a rank interval of 27 or more places in the year"
    lines = theme.wrap(text, width=150, size=10)
    assert " ".join(lines) == text
    assert max(theme.text_width(line, size=10) for line in lines) <= 150
    assert theme.shorten("Bournemouth", width=30, size=10).endswith("\u2026")


@pytest.mark.parametrize(("size", "pixels"), [("column", 241), ("page", 482), ("slide", 720)])
def test_sizes_are_millimetres_at_one_pixel_to_the_point(size, pixels):
    assert theme.width_of(size) == pixels


def test_regions_are_listed_from_north_to_south():
    assert REGION_ORDER[0] == "North East"
    assert len(REGION_ORDER) == 9
