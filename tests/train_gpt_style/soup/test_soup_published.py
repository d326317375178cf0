"""pytest tests/train_gpt_style/soup/test_soup_published.py — what the published tables bear out.

`published.toml` holds the tables and what was said of them; the checks are those of
`goldenseal claims`, which know no table by name. docs/soup.md tells the outcome.
"""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from goldenseal.claims.sourced.table import judged, read
from train_gpt_style.soup import figures as soup_figures
from train_gpt_style.soup_student import figures as student_figures

TABLE = read(Path(__file__).with_name("published.toml"))
student = [
    {name: float(text) for name, text in row.items()} for row in TABLE.tables["student_whole"].rows
]


def said(words):
    """The claim whose words begin so."""
    (claim,) = [claim for claim in TABLE.claims if claim.says.startswith(words)]
    return claim


def test_each_contradiction_is_found_and_what_is_consistent_holds():
    assert {claim.incident for claim in TABLE.claims if judged(claim)} == {1, 2, 3, 4, 5, 6, 7}
    assert all(judged(claim) for claim in TABLE.claims if claim.incident)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("95 active anchors, beside", "not all of row 20: anchors 95 stands in E 12, 14, 15,"),
        ("95 active anchors are the fewest", "the min is 94, at E 13"),
        ("R@1 97.1 % of the best", "not all of row 16: R1 .971 stands in E 1, 2, 4, 5, 8,"),
        ("mAP .837 with R@1 .971", "no row has all: mAP .837 stands in E 16; R1 .971 stands"),
        ("after nine epochs", "not all of row 9: val_cos is nowhere .557, which is cos of 9"),
        ("the spread of the soup", "the nearest is 0.1262, at E 4"),
        ("the student's spread goes", "from 0.2663 to 0.1764: away from .2731"),
        ("calibration", "where calibrated differs, so does procrustes_loss, sampled"),
        ("the student has no", "student goes back to CLIP ViT-L/14, DINOv2 ViT-B/14, SigLIP"),
    ],
)
def test_each_is_told_with_what_the_tables_say(words, told):
    (fault,) = judged(said(words))
    assert fault.words.startswith(told)


def test_a_run_that_differs_in_calibration_alone_would_decide():
    claim = said("calibration")
    table = replace(claim.table, text=claim.table.text + "3 yes no yes no")
    assert judged(replace(claim, table=table)) == []


def test_a_student_of_images_alone_would_be_free_of_pretrained_weights():
    claim = said("the student has no")
    assert judged(replace(claim, lineage={**claim.lineage, "student": ("images",)})) == []


def test_7_a_count_without_the_experts_is_not_the_size_of_what_sees_an_image():
    base = student_figures.formula(patch=14, depth=12, dim=768, ffn=4 * 768)  # of any ViT-B
    large = student_figures.formula(patch=14, depth=24, dim=1024, ffn=4 * 1024)
    heads, experts = soup_figures.formula((768, 768, 768)), large + 2 * base
    assert heads / (heads + experts) < 0.002  # two ViT-B and a ViT-L stand before the soup


def test_8_what_is_consistent_passes():
    assert soup_figures.formula((768, 768, 768)) == 799_952
    assert student_figures.formula() == 11_216_768
    assert math.ceil(118_287 / 48) == 2_465
    assert round(100 / 256, 1) == 0.4
    assert 1 - 0.665 < 0.5
    assert (1 - 0.016) ** 2 == pytest.approx(0.969, abs=0.0015)


def test_8_the_loss_is_its_weighted_terms_as_far_as_its_digits_go():
    # Only w_a + w_m / 64 is told apart; (0.5, 0.5) is one choice that fits.
    for row in student:
        loss = row["nce"] + 0.3 * row["bce"] + 0.5 * row["mse"] + 0.5 * (1 - row["cos"])
        assert loss == pytest.approx(row["loss"], abs=3.7e-4)


def test_the_cosine_and_the_squared_error_agree_from_the_second_epoch_on():
    gaps = [row["mse"] - 2 * (1 - row["cos"]) / 128 for row in student]
    assert gaps[0] > 3e-4
    assert all(abs(gap) < 1.6e-4 for gap in gaps[1:])
