(******************************************************************************)
(*           Credits as directions of descent, and the penalised block        *)
(*                                                                            *)
(* is_gradient F n h g == along every v, the slope of F at h is <g, v>        *)
(*     penalised n c a f == <f, a> + c <f, f>, the local loss of a block whose *)
(*                          output is f, with credit a and penalty c          *)
(*              best c a == - a / (2 c)                                       *)
(*                                                                            *)
(* Source: textbook; the local loss is that of train_gpt_style/credit.        *)
(*                                                                            *)
(* Code: train_gpt_style/credit/metrics.py:nudged_loss                        *)
(* Test: tests/train_gpt_style/credit/test_credit_metrics.py:test_a_step_against_the_gradient_lowers_the_loss_and_with_it_raises_it *)
(*                                                                            *)
(* Does not say: that a step of a learning rate in use is small enough.       *)
(******************************************************************************)

From Coq Require Import Reals Lra Lia Psatz FunctionalExtensionality.
From Goldenseal Require Import Vectors Cosine Sums.

Open Scope R_scope.

Definition is_gradient (F : vector -> R) (n : nat) (h g : vector) : Prop :=
  forall v, derivable_pt_lim (fun t => F (fun j => h j + t * v j)) 0 (dot n g v).

Definition opposite (a : vector) : vector := fun j => - a j.

Lemma dot_opposite (n : nat) (g a : vector) : dot n g (opposite a) = - dot n a g.
Proof.
  replace (- dot n a g) with (-1 * dot n a g) by ring.
  unfold dot, opposite; rewrite <- sum_scale; apply sum_ext; intros j; ring.
Qed.

(** In words: a credit has a positive product with the gradient if and only if the loss falls along
    the opposite of the credit, to first order.
    Does not say: that a larger product means a faster descent; the credit's length counts too.
    Used by: the nudging metric of `credit`. *)
Theorem descent_iff (F : vector -> R) (n : nat) (h g a : vector) (slope : R) :
  is_gradient F n h g ->
  derivable_pt_lim (fun t => F (fun j => h j + t * opposite a j)) 0 slope ->
  (0 < dot n a g <-> slope < 0).
Proof.
  intros gradient along.
  rewrite (uniqueness_limite _ _ _ _ along (gradient (opposite a))), dot_opposite.
  split; lra.
Qed.

(** In words: then every step along the opposite that is short enough lowers the loss.
    Does not say: how short; that depends on the curvature.
    Used by: the nudging metric of `credit`. *)
Theorem descent_step (F : vector -> R) (n : nat) (h g a : vector) :
  is_gradient F n h g -> 0 < dot n a g ->
  exists longest, 0 < longest /\
    forall t, 0 < t < longest -> F (fun j => h j + t * opposite a j) < F h.
Proof.
  intros gradient product.
  destruct (gradient (opposite a) (dot n a g) product) as [delta near].
  exists delta; split; [apply cond_pos |]; intros t t_in.
  specialize (near t ltac:(lra) ltac:(rewrite Rabs_right; lra)).
  rewrite Rplus_0_l, dot_opposite in near.
  replace (fun j => h j + 0 * opposite a j) with h in near
    by (apply functional_extensionality; intros j; ring).
  set (moved := F (fun j => h j + t * opposite a j)) in *.
  apply Rabs_def2 in near; destruct near as [above _].
  assert ((moved - F h) / t < 0) as falls by lra.
  apply (Rmult_lt_compat_r t) in falls; [| lra].
  unfold Rdiv in falls; rewrite Rmult_assoc, Rinv_l in falls by lra; lra.
Qed.

(** In words: if each feedback matrix is as likely as its opposite, the mean credit is 0, whatever
    the error is.
    Does not say: that B itself is a symmetric matrix; of one such (the identity) the credit is e.
    Used by: the null calibration of `credit`, whose fresh cosines are 0 on average.
    Code: train_gpt_style/credit/calibrate.py:fresh_cosines
    Test: tests/train_gpt_style/credit/test_credit_metrics.py:test_fresh_feedback_spreads_as_derived *)
Theorem symmetric_feedback (K n i : nat) (w : nat -> R) (B : nat -> matrix) (e : vector) :
  sum K (fun k => w k * act n (B k) e i + w k * act n (fun a b => - B k a b) e i) = 0.
Proof.
  apply sum_eq0; intros k _.
  replace (act n (fun a b => - B k a b) e i) with (- act n (B k) e i); [ring |].
  unfold act; rewrite (sum_ext n (fun j => - B k i j * e j) (fun j => -1 * (B k i j * e j)))
    by (intros j; ring).
  rewrite sum_scale; ring.
Qed.

(* --- The penalty ---------------------------------------------------------- *)

Definition penalised (n : nat) (c : R) (a f : vector) : R := dot n f a + c * dot n f f.

Definition best (c : R) (a : vector) : vector := fun j => - a j / (2 * c).

Lemma penalised_square (n : nat) (c : R) (a f : vector) : 0 < c ->
  penalised n c a f
  = penalised n c a (best c a) + c * sum n (fun j => (f j - best c a j) * (f j - best c a j)).
Proof.
  intros c_gt0; unfold penalised, dot; rewrite <- !sum_scale, <- !sum_plus.
  apply sum_ext; intros j; unfold best; field; lra.
Qed.

(** In words: with a positive penalty, the opposite of the credit over 2 c is the one best output.
    Does not say: that a block can give this output for every input.
    Used by: the penalty of `credit`, which bounds what a block wants to add.
    Code: train_gpt_style/credit/features/penalty.py:Penalty,
      train_gpt_style/credit/methods/local.py:local_step
    Test: tests/train_gpt_style/credit/test_credit_methods.py:test_the_penalty_has_a_unique_minimum_that_the_step_descends_to *)
Theorem penalised_minimum (n : nat) (c : R) (a f : vector) : 0 < c ->
  penalised n c a (best c a) <= penalised n c a f /\
  (penalised n c a f <= penalised n c a (best c a) -> forall j, (j < n)%nat -> f j = best c a j).
Proof.
  intros c_gt0; rewrite (penalised_square n c a f c_gt0).
  set (d := fun j => f j - best c a j).
  pose proof (sum_sqr_ge0 n d) as square_ge0.
  change (sum n (fun j => (f j - best c a j) * (f j - best c a j)))
    with (sum n (fun j => d j * d j)).
  set (rest := sum n (fun j => d j * d j)) in *.
  assert (0 <= c * rest) as rest_ge0 by (apply Rmult_le_pos; lra).
  split; [lra |]; intros le j j_lt.
  assert (rest = 0) as rest0 by (apply Rmult_eq_reg_l with c; lra).
  assert (d j * d j <= rest) as part
    by (apply (sum_term_le n j (fun j => d j * d j)); [exact j_lt | intros; apply Rle_0_sqr]).
  assert (d j = 0) by nra; unfold d in *; lra.
Qed.

(** In words: that output is as long as the credit over 2 c.
    Does not say: that the embedding, which has no penalty, stays short.
    Used by: the penalty of `credit`.
    Code: train_gpt_style/credit/features/penalty.py:Penalty,
      train_gpt_style/credit/methods/local.py:local_step
    Test: tests/train_gpt_style/credit/test_credit_methods.py:test_the_penalty_has_a_unique_minimum_that_the_step_descends_to *)
Theorem penalised_length (n : nat) (c : R) (a : vector) :
  0 < c -> norm n (best c a) = norm n a / (2 * c).
Proof.
  intros c_gt0.
  assert (0 <= / (2 * c)) as factor_ge0 by (apply Rlt_le, Rinv_0_lt_compat; lra).
  replace (norm n a / (2 * c)) with (/ (2 * c) * norm n a) by (unfold Rdiv; ring).
  rewrite <- norm_scale by exact factor_ge0.
  unfold norm; f_equal; apply sum_ext; intros j; unfold best; field; lra.
Qed.

(** In words: without a penalty no output is best; the local loss has no lower bound.
    Does not say: how fast a block grows in training.
    Used by: the growth that the diagnostic (a) of `credit` measures.
    Code: train_gpt_style/credit/protocol/diagnostics.py:growth
    Test: none *)
Theorem unpenalised_unbounded (n : nat) (a : vector) (bound : R) :
  0 < dot n a a -> exists f, penalised n 0 a f < bound.
Proof.
  intros a_gt0; set (c := (bound - 1) / dot n a a); exists (fun j => c * a j); unfold penalised.
  replace (dot n (fun j => c * a j) a) with (c * dot n a a)
    by (unfold dot; rewrite <- sum_scale; apply sum_ext; intros j; ring).
  replace (c * dot n a a) with (bound - 1) by (unfold c; field; lra); lra.
Qed.
