(******************************************************************************)
(*                DCLR (reconstructed): a bounded learning rate               *)
(*                                                                            *)
(*  clip lo hi x == x, moved to the nearer end of [lo, hi] where outside      *)
(*   ema rho c a == rho c + (1 - rho) a, one step of a moving average         *)
(*  scale k c h  == 1 + k c h, the factor on the learning rate before its clip *)
(*  rate lr lo hi k c h == lr * clip lo hi (scale k c h)                      *)
(*                                                                            *)
(* Source: this package's own reconstruction; the publication names the       *)
(* method without defining it; the code is train_gpt_style/vit_rft/dclr.py.   *)
(*                                                                            *)
(* Code: train_gpt_style/vit_rft/dclr.py:Rule                                 *)
(* Test: tests/train_gpt_style/vit_rft/test_vit_dclr.py:test_the_rate_stays_between_its_bounds *)
(*                                                                            *)
(* Does not say: that the method trains better than Adam, or uses less        *)
(* energy.                                                                    *)
(******************************************************************************)

From Coq Require Import Reals Lra Psatz.

Open Scope R_scope.

Definition clip (lo hi x : R) : R := Rmin hi (Rmax lo x).

Definition ema (rho c a : R) : R := rho * c + (1 - rho) * a.

Definition scale (kappa c h : R) : R := 1 + kappa * c * h.

Definition rate (lr lo hi kappa c h : R) : R := lr * clip lo hi (scale kappa c h).

(** In words: a clipped value lies in its interval.
    Does not say: anything when the interval is empty.
    Used by: the scale and the rate of DCLR. *)
Theorem clip_bounds (lo hi x : R) : lo <= hi -> lo <= clip lo hi x <= hi.
Proof.
  intros lohi; unfold clip; split; [| apply Rmin_l].
  apply Rmin_glb; [exact lohi | apply Rmax_l].
Qed.

(** In words: clipping leaves a value inside the interval alone.
    Does not say: that a value at an end came from inside.
    Used by: the default interval [1 - kappa, 1 + kappa], which never clips. *)
Theorem clip_inside (lo hi x : R) : lo <= x <= hi -> clip lo hi x = x.
Proof. intros inside; unfold clip; rewrite Rmax_right, Rmin_right; lra. Qed.

(** In words: a moving average of values in [-1, 1] stays in [-1, 1].
    Does not say: that the rounded average does; a property test looks at that.
    Used by: the smoothed cosine of DCLR.
    Code: train_gpt_style/vit_rft/coupler.py:Observed
    Test: tests/train_gpt_style/vit_rft/test_vit_coupler.py:test_rounding_never_leads_out_of_the_ranges *)
Theorem ema_bounds (rho c a : R) :
  0 <= rho <= 1 -> -1 <= c <= 1 -> -1 <= a <= 1 -> -1 <= ema rho c a <= 1.
Proof. intros rho_in c_in a_in; unfold ema; split; nra. Qed.

(** In words: the scale lies within kappa of one, and is positive for kappa < 1.
    Does not say: where in that interval it will be.
    Used by: the default bounds of the scale. *)
Theorem scale_bounds (kappa c h : R) :
  0 <= kappa < 1 -> -1 <= c <= 1 -> 0 <= h <= 1 ->
  0 < 1 - kappa /\ 1 - kappa <= scale kappa c h <= 1 + kappa.
Proof.
  intros kappa_in c_in h_in; unfold scale.
  assert (-1 <= c * h <= 1) as product_in by (split; nra).
  rewrite Rmult_assoc; split; [lra |]; split; nra.
Qed.

(** In words: the rate stays between the base rate times the two bounds, and is positive.
    Does not say: that such a rate is small enough to be stable.
    Used by: the learning rate that DCLR hands to Adam. *)
Theorem rate_bounds (lr lo hi kappa c h : R) :
  0 < lr -> 0 < lo -> lo <= hi ->
  lr * lo <= rate lr lo hi kappa c h <= lr * hi /\ 0 < rate lr lo hi kappa c h.
Proof.
  intros lr_gt0 lo_gt0 lohi; unfold rate.
  pose proof (clip_bounds lo hi (scale kappa c h) lohi) as [low high].
  repeat split; [apply Rmult_le_compat_l; lra .. |].
  apply Rmult_lt_0_compat; lra.
Qed.

(** In words: with gain zero the rate is the base rate.
    Does not say: that a gain of zero costs nothing; that is what the gates measure.
    Used by: DCLR_GAIN=0, the default.
    Code: train_gpt_style/vit_rft/dclr.py:DCLR
    Test: tests/train_gpt_style/vit_rft/test_vit_dclr.py:test_gain_zero_is_adam_bit_for_bit_with_adams_state_keys *)
Theorem rate_gain0 (lr lo hi c h : R) : lo <= 1 <= hi -> rate lr lo hi 0 c h = lr.
Proof.
  intros one_in; unfold rate.
  replace (scale 0 c h) with 1 by (unfold scale; ring).
  rewrite clip_inside by exact one_in; ring.
Qed.

(** In words: the square of a mean stays below the mean of the squares, step by step.
    Does not say: that the rounded ratio stays below one; the code clips it.
    Used by: E_ret, the retained energy, one coordinate.
    Code: train_gpt_style/vit_rft/coupler.py:Observed
    Test: tests/train_gpt_style/vit_rft/test_vit_coupler.py:test_retained_energy_and_flux_lie_in_their_ranges *)
Theorem mean_square_step (beta m u g : R) :
  0 <= beta <= 1 -> m * m <= u -> ema beta m g * ema beta m g <= ema beta u (g * g).
Proof.
  intros beta_in below; unfold ema.
  assert (0 <= (1 - beta) * beta * ((m - g) * (m - g))) as spread
    by (apply Rmult_le_pos; [nra | apply Rle_0_sqr]).
  nra.
Qed.

(** In words: the same with bias correction, where w is the sum of the weights so far.
    Does not say: anything before the first gradient, when w is zero.
    Used by: E_ret, the retained energy, one coordinate, with bias correction.
    Code: train_gpt_style/vit_rft/coupler.py:Observed
    Test: tests/train_gpt_style/vit_rft/test_vit_coupler.py:test_retained_energy_and_flux_lie_in_their_ranges *)
Theorem mean_square_weighted (beta m u w g : R) :
  0 <= beta <= 1 -> 0 <= w -> 0 <= u -> m * m <= w * u ->
  ema beta m g * ema beta m g <= ema beta w 1 * ema beta u (g * g).
Proof.
  intros beta_in w_ge0 u_ge0 below; unfold ema.
  (* The difference is beta^2 (w u - m^2) + beta (1 - beta) (w g^2 + u - 2 m g). *)
  assert (0 <= w * (g * g) + u - 2 * m * g) as cross.
  { destruct (Req_dec w 0) as [-> | w_neq0].
    - assert (m * m <= 0) as m0 by lra.
      assert (m = 0) as -> by nra; lra.
    - assert (0 < w) as w_gt0 by lra.
      apply Rmult_le_reg_l with w; [exact w_gt0 |].
      pose proof (Rle_0_sqr (w * g - m)) as square; unfold Rsqr in square; nra. }
  assert (0 <= beta * (1 - beta) * (w * (g * g) + u - 2 * m * g)) as one
    by (apply Rmult_le_pos; [nra | exact cross]).
  assert (0 <= beta * beta * (w * u - m * m)) as two
    by (apply Rmult_le_pos; [nra | lra]).
  nra.
Qed.
