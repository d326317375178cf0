(******************************************************************************)
(*          The doubles of the code, in terms of the golden ratio             *)
(*                                                                            *)
(* Constants.v speaks of (p + q sqrt 5) / d; here the same doubles are tied   *)
(* to the definitions of Phi.v. A constant that leaves the code breaks this   *)
(* file, and so does one that moves by a bit.                                 *)
(*                                                                            *)
(*   binary64 x == x rounded to the nearest double, ties to even              *)
(*                                                                            *)
(* Code: train_gpt_style/gpt/constants.py:PHI_LR_SCALE_VALUE                  *)
(* Test: tests/verify/coq/test_constants.py:test_every_constant_of_the_code_is_what_it_claims *)
(*                                                                            *)
(* Does not say: that an expression of these doubles, computed in Python, is  *)
(* nearest to the same expression of reals; in general it is not.             *)
(******************************************************************************)

From Coq Require Import ZArith Reals Lra.
From Flocq Require Import Core.
From Goldenseal Require Import Rounding Phi Constants.

Open Scope R_scope.

Definition binary64 (x : R) : R := round radix2 (FLT_exp (-1074) 53) ZnearestE x.

(** In words: the double INV_PHI is one over phi, correctly rounded.
    Does not say: that it is `1 / PHI` in Python, which is the double below.
    Used by: INV_PHI.
    Code: train_gpt_style/gpt/constants.py:INV_PHI
    Test: tests/theorems/test_theorems.py:test_every_constant_of_the_code_has_a_theorem_and_no_other_has *)
Theorem inv_phi_double : binary64 (/ phi) = INV_PHI_double.
Proof.
  unfold binary64; rewrite <- INV_PHI_rounded; f_equal.
  rewrite inv_phi; unfold phi; lra.
Qed.

(** In words: the double PHI_LR_SCALE_VALUE is alpha_phi / 0.04, correctly rounded.
    Does not say: that it is `PHI**-3 / 2 / 0.04` in Python, which is one ulp below.
    Used by: PHI_LR_SCALE_VALUE. *)
Theorem lr_scale_double : binary64 lr_scale = PHI_LR_SCALE_VALUE_double.
Proof. unfold binary64; rewrite <- PHI_LR_SCALE_VALUE_rounded, lr_scale_closed; f_equal; lra. Qed.

(** In words: the loop count UT_LOOPS_PHI is the integer nearest to phi cubed.
    Does not say: that it is the default, or best.
    Used by: UT_LOOPS_PHI.
    Code: train_gpt_style/gpt/constants.py:UT_LOOPS_PHI
    Test: tests/theorems/test_theorems.py:test_every_constant_of_the_code_has_a_theorem_and_no_other_has *)
Theorem loops_nearest : ZnearestE (phi ^ 3) = UT_LOOPS_PHI_integer.
Proof. exact phi_cube_nearest. Qed.
