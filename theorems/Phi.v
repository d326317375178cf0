(******************************************************************************)
(*                     The golden ratio and its identities                    *)
(*                                                                            *)
(*        phi == (1 + sqrt 5) / 2                                             *)
(*  alpha_phi == phi^-3 / 2, the step length 0.118034                         *)
(*  matrix_lr == 0.04, the baseline's learning rate of matrices               *)
(*   lr_scale == alpha_phi / matrix_lr, the factor that puts 0.04 on alpha_phi *)
(*                                                                            *)
(* Source: Euclid, Elements II.11 and VI.30 for phi; the three uses of it are *)
(* the public proposal's.                                                     *)
(*                                                                            *)
(* Code: verify/goldenseal/coq/constants.py:PHI                               *)
(* Test: tests/verify/coq/test_constants.py:test_the_golden_ratio_obeys_its_identities *)
(*                                                                            *)
(* Does not say: that any of these numbers makes a model train better. They   *)
(* are choices; what is proved is that they are the numbers they claim to be. *)
(******************************************************************************)

From Coq Require Import ZArith Reals Lra Psatz.
From Flocq Require Import Core.
From Goldenseal Require Import Rounding.

Open Scope R_scope.

Definition phi : R := (1 + sqrt 5) / 2.
Definition alpha_phi : R := / phi ^ 3 / 2.
Definition matrix_lr : R := 4 / 100.
Definition lr_scale : R := alpha_phi / matrix_lr.

Lemma phi_gt0 : 0 < phi.
Proof. pose proof sqrt5_gt0; unfold phi; lra. Qed.

(** In words: phi squared is phi plus one.
    Does not say: that phi is the only number with this property (1 - phi is the other).
    Used by: the identities below. *)
Theorem phi_sqr : phi ^ 2 = phi + 1.
Proof. pose proof sqrt5_sqr; unfold phi; nra. Qed.

(** In words: one over phi is phi minus one.
    Does not say: that `1 / PHI` and `PHI - 1` are the same double; they are not.
    Used by: INV_PHI. *)
Theorem inv_phi : / phi = phi - 1.
Proof.
  pose proof phi_gt0 as gt0; pose proof phi_sqr.
  apply Rmult_eq_reg_l with phi; [rewrite Rinv_r by lra; lra | lra].
Qed.

(** In words: phi^2 + phi^-2 = 3.
    Does not say: anything about the doubles; it is an identity of reals.
    Used by: nothing in the code; it is the identity that the proposal is named after. *)
Theorem phi_sqr_plus_inv_sqr : phi ^ 2 + / phi ^ 2 = 3.
Proof.
  pose proof phi_gt0 as gt0; pose proof phi_sqr as sqr.
  replace (/ phi ^ 2) with (/ phi * / phi) by (field; lra).
  rewrite inv_phi; nra.
Qed.

(** In words: phi cubed is 2 + sqrt 5.
    Does not say: that four loops equal phi cubed (4.236); four is the nearest integer.
    Used by: UT_LOOPS_PHI. *)
Theorem phi_cube : phi ^ 3 = 2 + sqrt 5.
Proof.
  pose proof phi_sqr as sqr.
  replace (phi ^ 3) with (phi * phi ^ 2) by ring.
  rewrite sqr; replace (phi * (phi + 1)) with (phi ^ 2 + phi) by ring.
  rewrite sqr; unfold phi; lra.
Qed.

(** In words: one over phi cubed is sqrt 5 - 2.
    Does not say: which of its spellings in Python gives the nearest double.
    Used by: alpha_phi_closed below. *)
Theorem inv_phi_cube : / phi ^ 3 = sqrt 5 - 2.
Proof.
  pose proof sqrt5_gt0; pose proof sqrt5_sqr; rewrite phi_cube.
  apply Rmult_eq_reg_l with (2 + sqrt 5); [rewrite Rinv_r by lra; lra | lra].
Qed.

(** In words: alpha_phi times phi cubed is one half.
    Does not say: that alpha_phi is a good learning rate.
    Used by: PHI_LR_SCALE_VALUE, which is alpha_phi / 0.04.
    Test: tests/verify/coq/test_constants.py:test_four_spellings_of_alpha_phi_are_four_doubles_and_one_is_nearest *)
Theorem alpha_phi_phi_cube : alpha_phi * phi ^ 3 = / 2.
Proof. unfold alpha_phi; pose proof phi_gt0; field; lra. Qed.

(** In words: alpha_phi is (sqrt 5 - 2) / 2.
    Does not say: which of its spellings in Python gives the nearest double.
    Used by: PHI_LR_SCALE_VALUE, which is alpha_phi / 0.04.
    Test: tests/verify/coq/test_constants.py:test_four_spellings_of_alpha_phi_are_four_doubles_and_one_is_nearest *)
Theorem alpha_phi_closed : alpha_phi = (sqrt 5 - 2) / 2.
Proof. unfold alpha_phi; rewrite inv_phi_cube; reflexivity. Qed.

(** In words: scaling the matrix learning rate 0.04 by lr_scale gives alpha_phi.
    Does not say: that the product of the two doubles is the double of alpha_phi.
    Used by: PHI_LR_SCALE_VALUE.
    Code: train_gpt_style/gpt/constants.py:PHI_LR_SCALE_VALUE
    Test: tests/verify/coq/test_constants.py:test_the_obvious_spelling_of_the_learning_rate_scale_is_one_ulp_off *)
Theorem lr_scale_matrix_lr : lr_scale * matrix_lr = alpha_phi.
Proof. unfold lr_scale, matrix_lr; field. Qed.

(** In words: alpha_phi / 0.04 is 25 (sqrt 5 - 2) / 2.
    Does not say: that this is the scale for another base learning rate.
    Used by: PHI_LR_SCALE_VALUE.
    Code: train_gpt_style/gpt/constants.py:PHI_LR_SCALE_VALUE
    Test: tests/verify/coq/test_constants.py:test_the_obvious_spelling_of_the_learning_rate_scale_is_one_ulp_off *)
Theorem lr_scale_closed : lr_scale = 25 * (sqrt 5 - 2) / 2.
Proof. unfold lr_scale, matrix_lr; rewrite alpha_phi_closed; field. Qed.

(** In words: the integer nearest to phi cubed is 4.
    Does not say: that four loops are best, or that the default is four (it is one).
    Used by: UT_LOOPS_PHI.
    Code: train_gpt_style/gpt/constants.py:UT_LOOPS_PHI
    Test: tests/theorems/test_theorems.py:test_every_constant_of_the_code_has_a_theorem_and_no_other_has *)
Theorem phi_cube_nearest : ZnearestE (phi ^ 3) = 4%Z.
Proof.
  replace (phi ^ 3) with ((IZR 2 + IZR 1 * sqrt 5) / IZR 1) by (rewrite phi_cube; lra).
  now apply nearest_integer; vm_compute.
Qed.
