(******************************************************************************)
(*             The coupler of two phases (reconstructed): its drift           *)
(*                                                                            *)
(*        free K d == d - K sin d, one step of the drift without forcing      *)
(*   drift K d0 n  == the drift after n such steps                            *)
(* forced K d w    == w + free K d, one step under the forcing w              *)
(*     coherence d == cos (d / 2)                                             *)
(*                                                                            *)
(* Source: this package's own reconstruction (a Kuramoto pair with unit step, *)
(* Y. Kuramoto, 1975); the publication gives no equation.                     *)
(*                                                                            *)
(* Code: train_gpt_style/vit_rft/coupler.py:next_drift                        *)
(* Test: tests/train_gpt_style/vit_rft/test_vit_coupler.py:test_without_a_push_drift_shrinks *)
(*                                                                            *)
(* Does not say: anything about training. The bounds hold for every stream    *)
(* of gradients, pure noise included; that is why a small drift and a         *)
(* coherence near one are no evidence.                                        *)
(******************************************************************************)

From Coq Require Import Reals Lra Psatz.

Open Scope R_scope.

Definition free (K d : R) : R := d - K * sin d.

Fixpoint drift (K d0 : R) (n : nat) : R :=
  match n with
  | O => d0
  | S k => free K (drift K d0 k)
  end.

Definition forced (K d w : R) : R := w + free K d.

Definition coherence (d : R) : R := cos (d / 2).

Lemma free_opp (K d : R) : free K (- d) = - free K d.
Proof. unfold free; rewrite sin_neg; ring. Qed.

Lemma Rabs_free (K d : R) : Rabs (free K d) = Rabs (free K (Rabs d)).
Proof.
  unfold Rabs at 3; destruct (Rcase_abs d) as [d_lt0 | d_ge0]; [| reflexivity].
  now rewrite free_opp, Rabs_Ropp.
Qed.

Lemma free_lt (K d : R) : 0 < K <= 2 -> 0 < d < PI -> - d < free K d < d.
Proof.
  intros K_in d_in; unfold free.
  pose proof (sin_gt_0 d (proj1 d_in) (proj2 d_in)) as sin_gt0.
  pose proof (sin_lt_x d (proj1 d_in)) as sin_lt.
  split; nra.
Qed.

(** In words: without forcing, each step strictly shrinks a drift between 0 and pi.
    Does not say: how fast; at K = 2 it shrinks only like one over the root of the steps.
    Used by: the coupler's default K = 1. *)
Theorem free_shrinks (K d : R) : 0 < K <= 2 -> 0 < Rabs d < PI -> Rabs (free K d) < Rabs d.
Proof.
  intros K_in d_in; rewrite Rabs_free; apply Rabs_def1;
    pose proof (free_lt K (Rabs d) K_in d_in); lra.
Qed.

(** In words: the drift never leaves [-pi, pi], so that no wrapping is needed without forcing.
    Does not say: anything for K above 2, where it settles into a cycle.
    Used by: the coupler, whose wrap then acts only under forcing. *)
Theorem free_stays (K d : R) : 0 < K <= 2 -> Rabs d <= PI -> Rabs (free K d) <= PI.
Proof.
  intros K_in d_le.
  destruct (Req_dec (Rabs d) 0) as [d0 | d_neq0].
  - rewrite Rabs_free, d0; unfold free; rewrite sin_0, Rmult_0_r, Rminus_0_r, Rabs_R0.
    pose proof PI_RGT_0; lra.
  - destruct d_le as [d_lt | dPI].
    + assert (Rabs (free K d) < Rabs d) by
        (apply free_shrinks; [exact K_in | pose proof (Rabs_pos d); lra]); lra.
    + rewrite Rabs_free, dPI; unfold free; rewrite sin_PI, Rmult_0_r, Rminus_0_r.
      rewrite Rabs_right by (pose proof PI_RGT_0; lra); lra.
Qed.

Lemma sin_ge_cubic (d : R) : 0 <= d <= 1 -> 5 / 6 * d <= sin d.
Proof.
  intros d_in.
  assert (d <= PI) as d_PI by (pose proof PI2_1; lra).
  destruct (sin_bound d 0 (proj1 d_in) d_PI) as [low _].
  unfold sin_approx, sin_term in low; simpl in low.
  assert (d * d * d <= d) as cube by nra.
  nra.
Qed.

(** In words: within one radian the drift shrinks at least by the factor q at each step.
    Does not say: that q is the best factor; at K = 1 the drift shrinks cubically near zero.
    Used by: how long a disturbance is remembered. *)
Theorem free_geometric (K q d : R) :
  0 < K -> Rabs (1 - K) <= q -> 1 - 5 / 6 * K <= q -> Rabs d <= 1 ->
  Rabs (free K d) <= q * Rabs d.
Proof.
  intros K_gt0 q_low q_rate d_le; rewrite Rabs_free.
  pose proof (Rabs_pos d) as d_ge0; set (x := Rabs d) in *.
  pose proof (sin_ge_cubic x (conj d_ge0 d_le)) as sin_ge.
  assert (sin x <= x) as sin_le.
  { destruct d_ge0 as [x_gt0 | x0]; [left; apply sin_lt_x, x_gt0 | rewrite <- x0, sin_0; lra]. }
  pose proof (Rle_abs (1 - K)) as one; pose proof (Rle_abs (- (1 - K))) as two.
  rewrite Rabs_Ropp in two.
  apply Rabs_le; unfold free; split; nra.
Qed.

Lemma sin_minus_le (d r : R) : 0 <= d <= r -> r <= 1 -> sin r - sin d <= r - d.
Proof.
  intros d_in r_le; rewrite form4.
  assert (0 <= (r - d) / 2 <= 1) as half_in by lra.
  assert (0 <= sin ((r - d) / 2) <= (r - d) / 2) as sin_in.
  { split; [apply sin_ge_0; pose proof PI2_1; lra |].
    destruct (proj1 half_in) as [gt0 | eq0]; [left; apply sin_lt_x, gt0 |].
    rewrite <- eq0, sin_0; lra. }
  pose proof (COS_bound ((r + d) / 2)) as cos_in; nra.
Qed.

(** In words: with K = 1 and forcing of at most sin r, a drift that starts in [0, r] stays there,
    whatever the gradients are.
    Does not say: that training is going well; noise keeps the bound too.
    Used by: the default largest forcing sin 0.1, hence the bound of 0.1 rad.
    Test: tests/train_gpt_style/vit_rft/test_vit_coupler.py:test_drift_never_exceeds_its_cap *)
Theorem forced_ball (d w r : R) :
  0 <= d <= r -> r <= 1 -> 0 <= w <= sin r -> 0 <= forced 1 d w <= r.
Proof.
  intros d_in r_le w_in; unfold forced, free.
  pose proof (sin_minus_le d r d_in r_le) as step.
  assert (sin d <= d) as sin_le.
  { destruct (proj1 d_in) as [gt0 | eq0]; [left; apply sin_lt_x, gt0 | rewrite <- eq0, sin_0; lra]. }
  lra.
Qed.

(** In words: if a step shrinks every drift of the ball of radius r by the factor q, forcing of at
    most (1 - q) r keeps the drift in the ball.
    Does not say: which q a coupling has; within one radian see the rate above.
    Used by: couplings other than K = 1.
    Test: tests/train_gpt_style/vit_rft/test_vit_coupler.py:test_drift_never_exceeds_its_cap *)
Theorem forced_ball_rate (K q d w r : R) :
  0 <= q -> Rabs (free K d) <= q * Rabs d -> Rabs d <= r -> Rabs w <= (1 - q) * r ->
  Rabs (forced K d w) <= r.
Proof.
  intros q_ge0 shrinks d_le w_le; unfold forced.
  pose proof (Rabs_triang w (free K d)) as triangle; nra.
Qed.

(** In words: the coherence lies between 0 and 1.
    Does not say: that a coherence near one means anything; see the head of this file.
    Used by: the telemetry `coh`.
    Code: train_gpt_style/vit_rft/coupler.py:coherence
    Test: tests/train_gpt_style/vit_rft/test_vit_coupler.py:test_wrapped_angles_lie_in_their_range_and_their_coherence_too *)
Theorem coherence_bounds (d : R) : Rabs d <= PI -> 0 <= coherence d <= 1.
Proof.
  intros d_le; unfold coherence; split; [| apply COS_bound].
  pose proof (Rle_abs d) as above; pose proof (Rle_abs (- d)) as below; rewrite Rabs_Ropp in below.
  apply cos_ge_0; lra.
Qed.

(** In words: the coherence squared is that of the mean of the two phases on the unit circle.
    Does not say: its sign, which the bounds above fix.
    Used by: the telemetry `coh`.
    Code: train_gpt_style/vit_rft/coupler.py:coherence
    Test: tests/train_gpt_style/vit_rft/test_vit_coupler.py:test_the_drift_is_the_angle_between_the_phases_whatever_their_turns *)
Theorem coherence_is_order_parameter (psi omega : R) :
  ((cos psi + cos omega) / 2) ^ 2 + ((sin psi + sin omega) / 2) ^ 2
  = coherence (psi - omega) ^ 2.
Proof.
  unfold coherence.
  assert (cos psi + cos omega = 2 * cos ((psi - omega) / 2) * cos ((psi + omega) / 2)) as ->
    by apply form1.
  assert (sin psi + sin omega = 2 * cos ((psi - omega) / 2) * sin ((psi + omega) / 2)) as ->
    by apply form3.
  pose proof (sin2_cos2 ((psi + omega) / 2)) as unit; unfold Rsqr in unit.
  replace ((2 * cos ((psi - omega) / 2) * cos ((psi + omega) / 2) / 2) ^ 2
           + (2 * cos ((psi - omega) / 2) * sin ((psi + omega) / 2) / 2) ^ 2)
    with (cos ((psi - omega) / 2) ^ 2
          * (sin ((psi + omega) / 2) * sin ((psi + omega) / 2)
             + cos ((psi + omega) / 2) * cos ((psi + omega) / 2))) by field.
  rewrite unit; ring.
Qed.

(* --- The limit ------------------------------------------------------------ *)

Lemma Rabs_drift_step (K d0 : R) (n : nat) :
  0 < K <= 2 -> Rabs d0 < PI -> Rabs (drift K d0 (S n)) <= Rabs (drift K d0 n) < PI.
Proof.
  intros K_in d0_lt.
  assert (forall m, Rabs (drift K d0 m) < PI -> Rabs (drift K d0 (S m)) <= Rabs (drift K d0 m))
    as step.
  { intros m lt; simpl.
    destruct (Req_dec (Rabs (drift K d0 m)) 0) as [zero | nonzero].
    - rewrite Rabs_free, zero; unfold free; rewrite sin_0, Rmult_0_r, Rminus_0_r, Rabs_R0; lra.
    - left; apply free_shrinks; [exact K_in | pose proof (Rabs_pos (drift K d0 m)); lra]. }
  assert (Rabs (drift K d0 n) < PI) as lt.
  { induction n as [| n IHn]; [exact d0_lt | pose proof (step n IHn); lra]. }
  split; [apply step |]; exact lt.
Qed.

Lemma free_abs_continuous (K : R) : continuity (fun x => Rabs (free K x)).
Proof.
  apply (continuity_comp (free K) Rabs); [| exact Rcontinuity_abs].
  apply continuity_minus; [apply derivable_continuous, derivable_id |].
  apply (continuity_scal sin K), continuity_sin.
Qed.

(** In words: without forcing, the drift tends to zero from any start strictly inside (-pi, pi).
    Does not say: how fast, nor what forcing does.
    Used by: what the coupler does when all gradients agree. *)
Theorem drift_tends_to_0 (K d0 : R) :
  0 < K <= 2 -> Rabs d0 < PI -> Un_cv (drift K d0) 0.
Proof.
  intros K_in d0_lt.
  set (x := fun n => Rabs (drift K d0 n)).
  assert (Un_decreasing x) as decreasing by (intros n; apply Rabs_drift_step; assumption).
  assert (has_lb x) as bounded.
  { exists 0; intros y [n ->]; unfold opp_seq, x; pose proof (Rabs_pos (drift K d0 n)); lra. }
  destruct (decreasing_cv x decreasing bounded) as [l cv].
  assert (0 <= l) as l_ge0.
  { apply Rnot_lt_le; intros l_lt0.
    destruct (cv (- l)) as [N near]; [lra |].
    pose proof (near N (le_n N) : Rabs (Rabs (drift K d0 N) - l) < - l) as far.
    pose proof (Rabs_pos (drift K d0 N)); rewrite Rabs_right in far; lra. }
  assert (l <= Rabs d0) as l_le by (apply (decreasing_ineq x l decreasing cv 0%nat)).
  assert (Un_cv (fun n => Rabs (free K (x n))) (Rabs (free K l))) as cv_free
    by (apply (continuity_seq (fun y => Rabs (free K y))); [apply free_abs_continuous | exact cv]).
  assert (Un_cv (fun n => x (S n)) (Rabs (free K l))) as cv_next.
  { intros eps eps_gt0; destruct (cv_free eps eps_gt0) as [N near]; exists N; intros n n_ge.
    specialize (near n n_ge); unfold x in near |- *; simpl; rewrite Rabs_free; exact near. }
  assert (Un_cv (fun n => x (S n)) l) as cv_shift.
  { intros eps eps_gt0; destruct (cv eps eps_gt0) as [N near]; exists N; intros n n_ge.
    apply near; unfold ge in *; apply le_S; exact n_ge. }
  pose proof (UL_sequence _ _ _ cv_next cv_shift) as fixed.
  assert (l = 0) as l0.
  { destruct l_ge0 as [l_gt0 | zero]; [exfalso | now symmetry].
    assert (Rabs l = l) as abs_l by (apply Rabs_right; lra).
    pose proof (free_shrinks K l K_in) as shrinks; rewrite abs_l in shrinks.
    assert (Rabs (free K l) < l) by (apply shrinks; lra); lra. }
  rewrite l0 in cv; intros eps eps_gt0; destruct (cv eps eps_gt0) as [N near]; exists N.
  intros n n_ge; pose proof (near n n_ge : Rabs (Rabs (drift K d0 n) - 0) < eps) as close.
  change (Rabs (drift K d0 n - 0) < eps).
  rewrite Rminus_0_r in close |- *; rewrite Rabs_Rabsolu in close; exact close.
Qed.
