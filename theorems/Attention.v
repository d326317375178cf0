(******************************************************************************)
(*         Rotary positions, the soft cap, and a block that is silent         *)
(*                                                                            *)
(*   turn a p      == the pair p, turned by the angle a                       *)
(*   score p q     == the product of two pairs                                *)
(*   soft_cap c x  == c tanh (x / c)                                          *)
(*                                                                            *)
(* Source: J. Su et al., arXiv 2104.09864, for the turn; the code is          *)
(* train_gpt_style/gpt/model.py.                                              *)
(*                                                                            *)
(* Code: train_gpt_style/gpt/model.py:Rotary                                  *)
(* Test: tests/theorems/test_ties_models.py:test_turned_pairs_keep_their_length_and_score_by_distance *)
(*                                                                            *)
(* Does not say: that rounded turns keep the norm, or that a rounded tanh is  *)
(* below 1; in floating point it reaches it.                                  *)
(******************************************************************************)

From Coq Require Import Reals Lra Psatz.
From Goldenseal Require Import Vectors Lora.

Open Scope R_scope.

Definition turn (a : R) (p : R * R) : R * R :=
  (fst p * cos a + snd p * sin a, snd p * cos a - fst p * sin a).

Definition score (p q : R * R) : R := fst p * fst q + snd p * snd q.

(** In words: the score of a query turned by a and a key turned by b is that of the query turned by
    a - b and the plain key: positions count by their distance only.
    Does not say: that far positions score less.
    Used by: the rotary embedding of the GPT. *)
Theorem rotary_distance (a b : R) (p q : R * R) :
  score (turn a p) (turn b q) = score (turn (a - b) p) q.
Proof. unfold score, turn; simpl; rewrite cos_minus, sin_minus; ring. Qed.

(** In words: a turn keeps the norm of each pair, so of the whole vector.
    Does not say: the same of its computed value.
    Used by: the rotary embedding of the GPT. *)
Theorem rotary_norm (a : R) (p : R * R) : score (turn a p) (turn a p) = score p p.
Proof.
  rewrite rotary_distance, Rminus_diag_eq by reflexivity.
  unfold score, turn; simpl; rewrite cos_0, sin_0; ring.
Qed.

(** In words: positions that are both moved by c leave the score.
    Does not say: that the causal mask moves with them.
    Used by: the rotary embedding of the GPT. *)
Theorem rotary_shift (a b c : R) (p q : R * R) :
  score (turn (a + c) p) (turn (b + c) q) = score (turn a p) (turn b q).
Proof. rewrite !rotary_distance; do 2 f_equal; ring. Qed.

(* --- The soft cap --------------------------------------------------------- *)

Definition soft_cap (c x : R) : R := c * tanh (x / c).

Lemma cosh_gt_sinh (x : R) : Rabs (sinh x) < cosh x.
Proof.
  unfold sinh, cosh; pose proof (exp_pos x); pose proof (exp_pos (- x)).
  apply Rabs_def1; lra.
Qed.

Lemma cosh_gt0 (x : R) : 0 < cosh x.
Proof. pose proof (cosh_gt_sinh x); pose proof (Rabs_pos (sinh x)); lra. Qed.

(** In words: capped values are smaller than the cap in size.
    Does not say: that in floating point they never equal it.
    Used by: LOGIT_SOFTCAP of the GPT.
    Code: train_gpt_style/gpt/model.py:GPT
    Test: tests/theorems/test_ties_models.py:test_the_soft_cap_is_odd_increasing_below_its_cap_and_no_steeper_than_one *)
Theorem soft_cap_below (c x : R) : 0 < c -> Rabs (soft_cap c x) < c.
Proof.
  intros c_gt0; unfold soft_cap, tanh; set (y := x / c).
  pose proof (cosh_gt_sinh y) as below; pose proof (cosh_gt0 y) as cosh_gt0.
  rewrite Rabs_mult, (Rabs_right c) by lra.
  unfold Rdiv; rewrite Rabs_mult, (Rabs_right (/ cosh y))
    by (apply Rle_ge, Rlt_le, Rinv_0_lt_compat, cosh_gt0).
  apply Rmult_lt_reg_r with (cosh y); [exact cosh_gt0 |].
  replace (c * (Rabs (sinh y) * / cosh y) * cosh y) with (c * Rabs (sinh y)) by (field; lra).
  nra.
Qed.

(** In words: the cap of the opposite is the opposite of the cap.
    Does not say: anything of its size.
    Used by: LOGIT_SOFTCAP of the GPT.
    Code: train_gpt_style/gpt/model.py:GPT
    Test: tests/theorems/test_ties_models.py:test_the_soft_cap_is_odd_increasing_below_its_cap_and_no_steeper_than_one *)
Theorem soft_cap_odd (c x : R) : soft_cap c (- x) = - soft_cap c x.
Proof.
  unfold soft_cap, tanh; replace (- x / c) with (- (x / c)) by (unfold Rdiv; ring).
  set (y := x / c); unfold sinh, cosh; rewrite Ropp_involutive.
  replace (exp (- y) - exp y) with (- (exp y - exp (- y))) by ring.
  rewrite (Rplus_comm (exp (- y))); unfold Rdiv; ring.
Qed.

Lemma cosh_sinh (x : R) : cosh x * cosh x - sinh x * sinh x = 1.
Proof.
  unfold cosh, sinh.
  assert (exp x * exp (- x) = 1) as one by (rewrite <- exp_plus, Rplus_opp_r; apply exp_0).
  nra.
Qed.

Lemma derivable_soft_cap (c x : R) : 0 < c ->
  derivable_pt_lim (soft_cap c) x (/ (cosh (x / c) * cosh (x / c))).
Proof.
  intros c_gt0; pose proof (cosh_gt0 (x / c)) as cosh_gt0.
  replace (/ (cosh (x / c) * cosh (x / c))) with
    (c * ((cosh (x / c) * cosh (x / c) - sinh (x / c) * sinh (x / c)) / Rsqr (cosh (x / c)) * (/ c)))
    by (rewrite cosh_sinh; unfold Rsqr; field; lra).
  apply derivable_pt_lim_ext with (f := mult_real_fct c (comp (sinh / cosh)%F (fun x => x * / c))).
  { intros z; reflexivity. }
  apply derivable_pt_lim_scal, derivable_pt_lim_comp.
  - apply derivable_pt_lim_ext with (f := mult_real_fct (/ c) id).
    + intros z; unfold mult_real_fct, id; ring.
    + rewrite <- (Rmult_1_r (/ c)) at 2; apply derivable_pt_lim_scal, derivable_pt_lim_id.
  - change (x * / c) with (x / c); apply derivable_pt_lim_div.
    + apply derivable_pt_lim_sinh.
    + apply derivable_pt_lim_cosh.
    + lra.
Qed.

Lemma soft_cap_slope (c x y : R) : 0 < c -> x < y ->
  exists d, 0 < d <= 1 /\ soft_cap c y - soft_cap c x = d * (y - x).
Proof.
  intros c_gt0 less.
  destruct (MVT_cor2 (soft_cap c) (fun z => / (cosh (z / c) * cosh (z / c))) x y less)
    as (z & same & _); [intros; now apply derivable_soft_cap |].
  exists (/ (cosh (z / c) * cosh (z / c))); split; [| exact same].
  pose proof (cosh_gt0 (z / c)) as cosh_gt0; pose proof (cosh_sinh (z / c)) as square.
  pose proof (Rle_0_sqr (sinh (z / c))) as sinh_ge0; unfold Rsqr in sinh_ge0.
  split; [apply Rinv_0_lt_compat; nra |].
  rewrite <- Rinv_1; apply Rinv_le_contravar; lra.
Qed.

(** In words: the soft cap is strictly increasing, so it keeps the order of logits.
    Does not say: that different logits keep different floats.
    Used by: LOGIT_SOFTCAP of the GPT.
    Code: train_gpt_style/gpt/model.py:GPT
    Test: tests/theorems/test_ties_models.py:test_the_soft_cap_is_odd_increasing_below_its_cap_and_no_steeper_than_one *)
Theorem soft_cap_increasing (c x y : R) : 0 < c -> x < y -> soft_cap c x < soft_cap c y.
Proof. intros c_gt0 less; destruct (soft_cap_slope c x y c_gt0 less) as (d & d_in & same); nra. Qed.

(** In words: it never moves two logits apart.
    Does not say: by how much it brings them together.
    Used by: LOGIT_SOFTCAP of the GPT.
    Code: train_gpt_style/gpt/model.py:GPT
    Test: tests/theorems/test_ties_models.py:test_the_soft_cap_is_odd_increasing_below_its_cap_and_no_steeper_than_one *)
Theorem soft_cap_lipschitz (c x y : R) : 0 < c ->
  Rabs (soft_cap c x - soft_cap c y) <= Rabs (x - y).
Proof.
  intros c_gt0; destruct (Rtotal_order x y) as [less | [-> | less]].
  - destruct (soft_cap_slope c x y c_gt0 less) as (d & d_in & same).
    rewrite (Rabs_minus_sym (soft_cap c x)), (Rabs_minus_sym x), same, Rabs_mult.
    rewrite (Rabs_right d) by lra; pose proof (Rabs_pos (y - x)); nra.
  - rewrite !Rminus_diag_eq by reflexivity; lra.
  - destruct (soft_cap_slope c y x c_gt0 less) as (d & d_in & same).
    rewrite same, Rabs_mult, (Rabs_right d) by lra; pose proof (Rabs_pos (x - y)); nra.
Qed.

(** In words: a block whose output projections are 0 leaves the residual stream.
    Does not say: that it stays so in training.
    Used by: blocks with zero-initialised projections, the GPT's at its start.
    Code: train_gpt_style/gpt/model.py:Block
    Test: tests/theorems/test_ties_models.py:test_a_block_whose_projections_are_zero_leaves_the_stream_alone *)
Theorem silent_block (n i : nat) (attention mlp : vector -> vector) (W V : matrix) (x : vector) :
  (forall k, (k < n)%nat -> W i k = 0) -> (forall k, (k < n)%nat -> V i k = 0) ->
  x i + act n W (attention x) i + act n V (mlp x) i = x i.
Proof.
  intros W0 V0; unfold act; rewrite !sum_eq0; [ring | |]; intros k k_lt.
  - rewrite V0 by exact k_lt; ring.
  - rewrite W0 by exact k_lt; ring.
Qed.
