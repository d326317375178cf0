(******************************************************************************)
(*               Rows normalised to a chosen norm: the frozen PhiNTA matrix   *)
(*                                                                            *)
(*  normalise n floor scale w == w / max(norm w, floor) * scale               *)
(*                                                                            *)
(* Source: the public proposal's module (row norm 1 / phi, floor 1e-6).       *)
(*                                                                            *)
(* Code: train_gpt_style/gpt/features/phinta.py:PhiNTA                        *)
(* Test: tests/train_gpt_style/gpt/test_gpt_features.py:test_the_rows_of_the_frozen_map_have_norm_one_over_phi *)
(*                                                                            *)
(* Does not say: that columns have this norm, that rows are orthogonal        *)
(* (neither is true), or that the rounded rows have it to the last bit.       *)
(******************************************************************************)

From Coq Require Import Reals Lra.
From Goldenseal Require Import Rounding Phi Vectors.

Open Scope R_scope.

Definition normalise (n : nat) (floor scale : R) (w : vector) : vector :=
  fun j => w j / Rmax (norm n w) floor * scale.

Lemma norm_normalise (n : nat) (floor scale : R) (w : vector) : 0 < floor -> 0 <= scale ->
  norm n (normalise n floor scale w) = norm n w / Rmax (norm n w) floor * scale.
Proof.
  intros floor_gt0 scale_ge0; pose proof (Rmax_r (norm n w) floor) as max_ge.
  set (m := Rmax (norm n w) floor) in *.
  assert (inv_ge0 : 0 <= / m) by (apply Rlt_le, Rinv_0_lt_compat; lra).
  replace (norm n w / m * scale) with ((scale * / m) * norm n w) by (unfold Rdiv; ring).
  rewrite <- norm_scale by now apply Rmult_le_pos.
  unfold norm; f_equal; apply sum_ext; intros j; unfold normalise, Rdiv; fold m; ring.
Qed.

(** In words: a row whose norm reaches the floor has norm `scale` after normalisation.
    Does not say: anything about a shorter row (see the next theorem).
    Used by: PHINTA_INIT_SCALE. *)
Theorem row_norm (n : nat) (floor scale : R) (w : vector) :
  0 < floor -> 0 <= scale -> floor <= norm n w -> norm n (normalise n floor scale w) = scale.
Proof.
  intros floor_gt0 scale_ge0 reaches.
  rewrite norm_normalise by assumption; rewrite Rmax_left by exact reaches.
  field; lra.
Qed.

(** In words: no row is longer than `scale` after normalisation.
    Does not say: that a row below the floor has norm `scale`; it is shorter.
    Used by: PHINTA_INIT_SCALE. *)
Theorem row_norm_le (n : nat) (floor scale : R) (w : vector) :
  0 < floor -> 0 <= scale -> norm n (normalise n floor scale w) <= scale.
Proof.
  intros floor_gt0 scale_ge0; rewrite norm_normalise by assumption.
  pose proof (Rmax_r (norm n w) floor) as max_floor.
  pose proof (Rmax_l (norm n w) floor) as max_norm.
  apply Rle_trans with (1 * scale); [| lra].
  apply Rmult_le_compat_r; [exact scale_ge0 |].
  apply Rmult_le_reg_r with (Rmax (norm n w) floor); [lra |].
  unfold Rdiv; rewrite Rmult_assoc, Rinv_l by lra; lra.
Qed.

(** In words: a row that is not zero, divided by its norm and scaled by 1 / phi, has
    norm 1 / phi.
    Does not say: that the code divides by the norm when it is below 1e-6.
    Used by: the frozen matrix of PhiNTA. *)
Theorem row_norm_inv_phi (n k : nat) (w : vector) : (k < n)%nat -> w k <> 0 ->
  norm n (fun j => w j / norm n w * / phi) = / phi.
Proof.
  intros k_lt wk; pose proof (norm_gt0 n k w k_lt wk) as norm_gt0.
  assert (scale_ge0 : 0 <= / phi) by apply Rlt_le, Rinv_0_lt_compat, phi_gt0.
  pose proof (row_norm n (norm n w) (/ phi) w norm_gt0 scale_ge0 (Rle_refl _)) as main.
  unfold normalise in main; now rewrite Rmax_left in main by apply Rle_refl.
Qed.
