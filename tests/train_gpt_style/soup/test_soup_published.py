"""pytest tests/train_gpt_style/soup/test_soup_published.py — what the published tables bear out.

Each claim is judged by questions that could be put to any table of epochs, not by a list of
answers.
docs/soup.md tells the outcome.
"""

import math

import pytest

from tests.train_gpt_style.soup.published import (
    EXPERIMENTS,
    LEARNED_FROM,
    PRETRAINED,
    SOUP,
    STUDENT,
    STUDENT_LATER,
    best,
    decided,
    origins,
    places,
    reached,
    rows,
    together,
    trend,
)
from train_gpt_style.soup import figures as soup_figures
from train_gpt_style.soup_student import figures as student_figures

soup, student, later = rows(SOUP), rows(STUDENT), rows(STUDENT_LATER)


def test_1_ninety_five_active_anchors_are_not_those_of_the_last_epoch_nor_the_least():
    assert not together(soup[-1:], anchors=95)
    assert min(row["anchors"] for row in soup) == 94
    assert together(soup, anchors=95) == [12, 14, 15, 17, 18]
    assert together(student, anchors=95) == [1, 8, 9]


def test_2_the_quoted_rank_one_is_not_that_of_the_best_checkpoint():
    assert together(soup, mAP=best(soup, "mAP")["mAP"]) == [16]
    assert best(soup, "mAP")["R1"] == 0.968
    assert not together(soup, mAP=0.837, R1=0.971)
    assert together(soup[-1:], R1=0.971) == [20]


def test_3_the_best_map_and_what_is_quoted_beside_it_are_of_different_epochs():
    assert not together(soup, mAP=0.837, anchors=95)
    assert not together(soup, mAP=0.837, R1=0.971, anchors=95)
    assert soup[-1]["mAP"] == 0.835


def test_4_the_tenth_epochs_cosine_is_the_ninths_training_cosine():
    assert (9, "cos") in places(student, 0.557)
    assert not together(student, val_cos=0.557)
    assert student[-1]["val_cos"] == 0.537
    assert together(later, val_cos=0.557, acc=0.887) == [10]  # the bar's, before its epoch's end
    assert places(student, 0.887) == []
    assert student[-1]["acc"] < 0.887 < later[-1]["acc"]  # so the row's order does not expose it


def test_5_the_spread_never_comes_near_its_target_and_the_students_leaves_it():
    assert not reached(soup, "cv", 0.2731, 0.1)
    assert trend(student, "val_cv") < 0
    first, last = (abs(student[i]["val_cv"] - 0.2731) for i in (0, -1))
    assert last > 10 * first


def test_6_no_two_runs_differ_in_calibration_alone():
    assert decided(EXPERIMENTS, "collapsed") == []
    alone = {**EXPERIMENTS[0], "calibrated": True, "collapsed": False}
    assert decided([*EXPERIMENTS, alone], "collapsed") == ["calibrated"]  # what would decide it


def test_7_what_never_saw_a_pretrained_weight_goes_back_to_three():
    assert origins(LEARNED_FROM, "student") >= PRETRAINED
    assert not origins({**LEARNED_FROM, "student": ["images"]}, "student") & PRETRAINED


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
    stars = [r["E"] for i, r in enumerate(soup) if all(r["mAP"] > b["mAP"] for b in soup[:i])]
    assert stars[-1] == 16


def test_8_the_loss_is_its_weighted_terms_as_far_as_its_digits_go():
    # Only w_a + w_m / 64 is told apart; (0.5, 0.5) is one choice that fits.
    for row in student:
        loss = row["nce"] + 0.3 * row["bce"] + 0.5 * row["mse"] + 0.5 * (1 - row["cos"])
        assert loss == pytest.approx(row["loss"], abs=3.7e-4)


def test_the_cosine_and_the_squared_error_agree_from_the_second_epoch_on():
    gaps = [row["mse"] - 2 * (1 - row["cos"]) / 128 for row in student]
    assert gaps[0] > 3e-4
    assert all(abs(gap) < 1.6e-4 for gap in gaps[1:])
