(******************************************************************************)
(*              The int8 export: what a code keeps of a weight                *)
(*                                                                            *)
(*  single x   == x, rounded to binary32, half to even                        *)
(*  code s x   == the integer nearest to single (x / s), half to even, then   *)
(*                moved into [-127, 127]                                      *)
(*                                                                            *)
(* s is the scale of a row in binary32, s' the same in binary16, as it is     *)
(* stored; codes are made with s and read with s'.                            *)
(*                                                                            *)
(* Source: IEEE 754-2019 by Flocq; the code is train_gpt_style/gpt/export.py. *)
(*                                                                            *)
(* Code: train_gpt_style/gpt/export.py:quantize_tensor                        *)
(* Test: tests/theorems/test_ties.py:test_a_weight_inside_the_clip_comes_back_within_the_bound *)
(*                                                                            *)
(* Does not say: anything of weights beyond the clip, a quantile of a row,    *)
(* nor of scales above 65504, which binary16 does not hold.                   *)
(******************************************************************************)

From Coq Require Import Reals ZArith Lra Lia Psatz.
From Flocq Require Import Core Relative.

Open Scope R_scope.

Definition single (x : R) : R := round radix2 (FLT_exp (-149) 24) ZnearestE x.

Definition code (s x : R) : Z := Z.max (-127) (Z.min 127 (ZnearestE (single (x / s)))).

Lemma single_error (y : R) : Rabs y <= 255 / 2 -> Rabs (single y - y) <= / 131072.
Proof.
  intros small; unfold single.
  destruct (error_N_FLT radix2 (-149) 24 ltac:(lia) (fun z => negb (Z.even z)) y)
    as (eps & eta & eps_le & eta_le & _ & same).
  rewrite same; replace (y * (1 + eps) + eta - y) with (y * eps + eta) by ring.
  assert (Rabs eps <= / 16777216) as eps_small.
  { apply Rle_trans with (1 := eps_le).
    change (bpow radix2 (- (24) + 1)) with (/ 8388608); lra. }
  assert (Rabs eta <= / 67108864) as eta_small.
  { apply Rle_trans with (1 := eta_le).
    apply Rle_trans with (/ 2 * bpow radix2 (-25)); [| change (bpow radix2 (-25)) with (/ 33554432); lra].
    apply Rmult_le_compat_l; [lra | apply bpow_le; lia]. }
  pose proof (Rabs_triang (y * eps) eta) as both; rewrite Rabs_mult in both.
  pose proof (Rabs_pos y); pose proof (Rabs_pos eps); nra.
Qed.

(* Inside the clip nothing is moved, and a code lies within half a step and a little. *)
Lemma code_near (s x : R) : Rabs (x / s) <= 127 + / 4 ->
  code s x = ZnearestE (single (x / s)) /\ Rabs (x / s - IZR (code s x)) <= / 2 + / 131072.
Proof.
  intros inside; set (y := x / s) in *.
  pose proof (single_error y ltac:(lra)) as rounded.
  pose proof (Znearest_half (fun z => negb (Z.even z)) (single y)) as half.
  assert (Rabs (y - IZR (ZnearestE (single y))) <= / 2 + / 131072) as near.
  { replace (y - IZR (ZnearestE (single y)))
      with (- (single y - y) + (single y - IZR (ZnearestE (single y)))) by ring.
    eapply Rle_trans; [apply Rabs_triang |]; rewrite Rabs_Ropp; lra. }
  assert (-127 <= ZnearestE (single y) <= 127)%Z as range.
  { apply Rabs_le_inv in near; apply Rabs_le_inv in inside.
    split.
    - apply Z.lt_pred_le; apply lt_IZR; simpl; lra.
    - apply Z.lt_succ_r; apply lt_IZR; simpl; lra. }
  assert (code s x = ZnearestE (single y)) as -> by (unfold code; fold y; lia).
  now split.
Qed.

(** In words: with the scale s itself, a weight inside the clip comes back within
    (1/2 + 1/131072) s.
    Does not say: that the scale of the file is s; it is rounded once more.
    Used by: `quantize_tensor` of the export. *)
Theorem code_error (s x : R) : 0 < s -> Rabs x <= (127 + / 4) * s ->
  Rabs (x - IZR (code s x) * s) <= (/ 2 + / 131072) * s.
Proof.
  intros s_gt0 inside.
  assert (Rabs (x / s) <= 127 + / 4) as inside'.
  { unfold Rdiv; rewrite Rabs_mult, (Rabs_right (/ s)) by (apply Rle_ge, Rlt_le, Rinv_0_lt_compat, s_gt0).
    apply Rmult_le_reg_r with s; [exact s_gt0 |]; rewrite Rmult_assoc, Rinv_l; lra. }
  destruct (code_near s x inside') as [_ near].
  replace (x - IZR (code s x) * s) with ((x / s - IZR (code s x)) * s) by (field; lra).
  rewrite Rabs_mult, (Rabs_right s) by lra; now apply Rmult_le_compat_r; [lra |].
Qed.

(** In words: read with the stored scale, which binary16 rounds by 1/2048 of itself at most, it comes
    back within 0.5621 s: the scale's rounding adds up to a sixteenth of a step at the largest codes.
    Does not say: that half a step is enough; for the file it is not.
    Used by: `quantize_tensor` and `import_model` of the export. *)
Theorem stored_error (s s' x : R) : 0 < s -> Rabs (s' - s) <= s / 2048 ->
  Rabs x <= (127 + / 4) * s -> Rabs (x - IZR (code s x) * s') <= 5621 / 10000 * s.
Proof.
  intros s_gt0 stored inside; pose proof (code_error s x s_gt0 inside) as error.
  assert (Rabs (IZR (code s x)) <= 127) as range.
  { apply Rabs_le; unfold code; split; [apply (IZR_le (-127)) | apply (IZR_le _ 127)]; lia. }
  replace (x - IZR (code s x) * s') with (x - IZR (code s x) * s + - (IZR (code s x) * (s' - s))) by ring.
  eapply Rle_trans; [apply Rabs_triang |]; rewrite Rabs_Ropp, Rabs_mult.
  pose proof (Rabs_pos (s' - s)); pose proof (Rabs_pos (IZR (code s x))); nra.
Qed.

(** In words: a code that is read with the stored scale and made again with s is the same code.
    Does not say: that a row that is read and exported anew gets the same scale; its quantile moves.
    Used by: `quantize_tensor` and `import_model` of the export. *)
Theorem code_again (s s' : R) (k : Z) : 0 < s -> Rabs (s' - s) <= s / 2048 ->
  (-127 <= k <= 127)%Z -> code s (IZR k * s') = k.
Proof.
  intros s_gt0 stored range; set (y := IZR k * s' / s).
  assert (-127 <= IZR k <= 127) as k_in
    by (split; [apply (IZR_le (-127)) | apply (IZR_le _ 127)]; lia).
  assert (Rabs (y - IZR k) <= 127 / 2048) as near.
  { unfold y; replace (IZR k * s' / s - IZR k) with (IZR k * ((s' - s) / s)) by (field; lra).
    assert (Rabs ((s' - s) / s) <= / 2048).
    { unfold Rdiv; rewrite Rabs_mult, (Rabs_right (/ s)) by (apply Rle_ge, Rlt_le, Rinv_0_lt_compat, s_gt0).
      apply Rmult_le_reg_r with s; [exact s_gt0 |]; rewrite Rmult_assoc, Rinv_l; lra. }
    rewrite Rabs_mult; assert (Rabs (IZR k) <= 127) by (apply Rabs_le; lra).
    pose proof (Rabs_pos (IZR k)); pose proof (Rabs_pos ((s' - s) / s)); nra. }
  assert (Rabs y <= 127 + / 4) as inside by (apply Rabs_le_inv in near; apply Rabs_le; lra).
  destruct (code_near s (IZR k * s') inside) as [-> _]; fold y.
  apply Znearest_imp.
  pose proof (single_error y ltac:(lra)) as rounded.
  replace (single y - IZR k) with (single y - y + (y - IZR k)) by ring.
  eapply Rle_lt_trans; [apply Rabs_triang |]; lra.
Qed.

(** In words: zero has the code zero.
    Does not say: that only zero has; whatever is below half a step has.
    Used by: `quantize_tensor` of the export. *)
Theorem code_zero (s : R) : code s 0 = 0%Z.
Proof.
  unfold code, single; replace (0 / s) with 0 by (unfold Rdiv; ring).
  rewrite round_0 by auto with typeclass_instances.
  now rewrite (Znearest_imp _ 0 0) by (rewrite Rminus_0_r, Rabs_R0; lra).
Qed.

(** In words: codes keep the order of weights, so with zero above their signs too.
    Does not say: that different weights have different codes.
    Used by: `quantize_tensor` of the export. *)
Theorem code_order (s x y : R) : 0 < s -> x <= y -> (code s x <= code s y)%Z.
Proof.
  intros s_gt0 le; unfold code.
  assert (ZnearestE (single (x / s)) <= ZnearestE (single (y / s)))%Z; [| lia].
  apply Zrnd_le; [auto with typeclass_instances |].
  apply round_le; [now apply FLT_exp_valid | auto with typeclass_instances |].
  apply Rmult_le_compat_r; [now apply Rlt_le, Rinv_0_lt_compat | exact le].
Qed.
