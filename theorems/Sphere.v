(******************************************************************************)
(*          The mean squared volume of uniform points on a sphere             *)
(*                                                                            *)
(*   sphere_vol2 d == 5 (d - 1)(d - 2)(d - 3) / (576 d^3), for five points of *)
(*                    the unit sphere in d dimensions                         *)
(*                                                                            *)
(* Source: R. Miles, 1971; the code is train_gpt_style/geometry/sphere.py.    *)
(*                                                                            *)
(* Code: train_gpt_style/geometry/sphere.py:mean_square_volume                *)
(* Test: tests/train_gpt_style/geometry/test_spread.py:test_the_mean_square_volume_at_sixteen_is_the_published_rational *)
(*                                                                            *)
(* Does not say: that the formula is the mean; that is Miles's theorem, and a *)
(* test draws points.                                                         *)
(******************************************************************************)

From Coq Require Import Reals Lra Psatz.

Open Scope R_scope.

Definition sphere_vol2 (d : R) : R := 5 * (d - 1) * (d - 2) * (d - 3) / (576 * (d * d * d)).

(** In words: in 16 dimensions the formula gives 13650 / 2359296.
    Does not say: that a cloud in the band 0.20 to 0.23 has 16 dimensions; 14 to 16 give that.
    Used by: `mean_square_volume` of `geometry`. *)
Theorem sphere_vol2_16 : sphere_vol2 16 = 13650 / 2359296.
Proof. unfold sphere_vol2; field. Qed.

(** In words: it is 0 in one, two and three dimensions, where five points span no volume, and
    positive above.
    Does not say: anything of the mean volume itself, which is not rational.
    Used by: `mean_square_volume` of `geometry`. *)
Theorem sphere_vol2_sign (d : R) :
  (3 < d -> 0 < sphere_vol2 d) /\
  sphere_vol2 1 = 0 /\ sphere_vol2 2 = 0 /\ sphere_vol2 3 = 0.
Proof.
  unfold sphere_vol2; split; [| repeat split; field].
  intros d_gt3; apply Rdiv_lt_0_compat; repeat apply Rmult_lt_0_compat; lra.
Qed.

(** In words: it stays below 5 / 576, the value of five orthonormal points.
    Does not say: that the limit is reached in any dimension.
    Used by: `mean_square_volume` of `geometry`. *)
Theorem sphere_vol2_below (d : R) : 3 <= d -> sphere_vol2 d < 5 / 576.
Proof.
  intros d_ge3; unfold sphere_vol2.
  assert (0 < d * d * d) as cube_gt0 by (repeat apply Rmult_lt_0_compat; lra).
  apply Rmult_lt_reg_r with (576 * (d * d * d)); [lra |].
  unfold Rdiv at 1; rewrite Rmult_assoc, Rinv_l by lra.
  replace (5 / 576 * (576 * (d * d * d))) with (5 * (d * d * d)) by field.
  nra.
Qed.
