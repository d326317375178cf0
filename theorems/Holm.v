(******************************************************************************)
(*            Holm's step-down: what it controls, and paired tests            *)
(*                                                                            *)
(*    chance N w E   == the weight of those of N outcomes that are in E       *)
(*    below m p j    == how many of m values of p are less than p j           *)
(*    rejected a m p i == Holm rejects hypothesis i: every p j up to p i is   *)
(*                      at most a / (m - below m p j)                         *)
(*    nulls m null   == how many hypotheses are true                          *)
(*                                                                            *)
(* Source: S. Holm, 1979. Ties are rejected or kept together, as in the       *)
(* sorted procedure.                                                          *)
(*                                                                            *)
(* Code: verify/goldenseal/grids/analysis.py:holm                             *)
(* Test: tests/theorems/test_ties.py:test_holm_rejects_what_the_theorem_calls_rejected *)
(*                                                                            *)
(* Does not say: that the p-values of a study are valid; that is assumed of   *)
(* those of true hypotheses, and of finitely many outcomes.                   *)
(******************************************************************************)

From Coq Require Import Reals Lra Lia Psatz.
From Goldenseal Require Import Vectors Sums.

Open Scope R_scope.

Definition one_if (b : bool) : R := if b then 1 else 0.

Definition chance (N : nat) (w : nat -> R) (E : nat -> bool) : R :=
  sum N (fun o => w o * one_if (E o)).

Definition less (x y : R) : bool := if Rlt_dec x y then true else false.

Definition at_most (x y : R) : bool := if Rle_dec x y then true else false.

Definition below (m : nat) (p : nat -> R) (j : nat) : R := sum m (fun l => one_if (less (p l) (p j))).

Definition rejected (a : R) (m : nat) (p : nat -> R) (i : nat) : Prop :=
  forall j, (j < m)%nat -> p j <= p i -> p j * (INR m - below m p j) <= a.

Definition nulls (m : nat) (null : nat -> bool) : R := sum m (fun j => one_if (null j)).

Lemma one_if_ge0 (b : bool) : 0 <= one_if b.
Proof. destruct b; simpl; lra. Qed.

(* Of the true hypotheses one has the least p. *)
Lemma least_null (m i : nat) (null : nat -> bool) (p : nat -> R) :
  (i < m)%nat -> null i = true ->
  exists j, (j < m)%nat /\ null j = true /\
    forall l, (l < m)%nat -> null l = true -> p j <= p l.
Proof.
  revert i; induction m as [| m IHm]; intros i i_lt i_null; [lia |].
  destruct (null m) eqn:last.
  - (* The last is true: compare it with the least before it, if there is one. *)
    assert ((exists k, (k < m)%nat /\ null k = true) \/ forall k, (k < m)%nat -> null k = false)
      as [(k & k_lt & k_null) | none].
    { clear; induction m as [| m IHm]; [right; lia |].
      destruct IHm as [(k & k_lt & k_null) | none]; [left; exists k; auto with arith |].
      destruct (null m) eqn:this; [left; exists m; auto with arith |].
      right; intros k k_lt; destruct (Nat.eq_dec k m) as [-> | other]; [exact this | apply none; lia]. }
    + destruct (IHm k k_lt k_null) as (j & j_lt & j_null & least).
      destruct (Rle_lt_dec (p j) (p m)) as [le | lt].
      * exists j; repeat split; [lia | exact j_null |]; intros l l_lt l_null.
        destruct (Nat.eq_dec l m) as [-> | other]; [exact le | apply least; [lia | exact l_null]].
      * exists m; repeat split; [lia | exact last |]; intros l l_lt l_null.
        destruct (Nat.eq_dec l m) as [-> | other]; [lra |].
        pose proof (least l ltac:(lia) l_null); lra.
    + exists m; repeat split; [lia | exact last |]; intros l l_lt l_null.
      destruct (Nat.eq_dec l m) as [-> | other]; [lra |].
      rewrite none in l_null by lia; discriminate.
  - destruct (Nat.eq_dec i m) as [-> | other]; [congruence |].
    destruct (IHm i ltac:(lia) i_null) as (j & j_lt & j_null & least).
    exists j; repeat split; [lia | exact j_null |]; intros l l_lt l_null.
    destruct (Nat.eq_dec l m) as [-> | other']; [congruence | apply least; [lia | exact l_null]].
Qed.

(** In words: if Holm rejects some true hypothesis, then some true hypothesis has p times their
    number at most a, as Bonferroni would ask of them alone.
    Does not say: anything when no hypothesis is true.
    Used by: the corrected p-values of the studies. *)
Theorem holm_step (a : R) (m i : nat) (null : nat -> bool) (p : nat -> R) :
  (forall l, (l < m)%nat -> 0 <= p l) ->
  (i < m)%nat -> null i = true -> rejected a m p i ->
  exists j, (j < m)%nat /\ null j = true /\ p j * nulls m null <= a.
Proof.
  intros p_ge0 i_lt i_null reject.
  destruct (least_null m i null p i_lt i_null) as (j & j_lt & j_null & least).
  exists j; repeat split; [exact j_lt | exact j_null |].
  pose proof (reject j j_lt (least i i_lt i_null)) as passed.
  assert (nulls m null + below m p j <= INR m) as few.
  { unfold nulls, below; rewrite <- sum_plus; rewrite <- (Rmult_1_r (INR m)), <- sum_const.
    apply sum_le; intros l l_lt; unfold less.
    destruct (null l) eqn:l_null; simpl; [| destruct (Rlt_dec (p l) (p j)); simpl; lra].
    pose proof (least l l_lt l_null); destruct (Rlt_dec (p l) (p j)); simpl; lra. }
  pose proof (p_ge0 j j_lt); nra.
Qed.

(** In words: if the p of each true hypothesis is at most t with a chance of at most t, then Holm
    rejects some true hypothesis with a chance of at most a, whatever their dependence.
    Does not say: how often it misses a false one.
    Used by: the corrected p-values of the studies. *)
Theorem holm_controls (N m : nat) (a : R) (w : nat -> R) (null : nat -> bool)
    (p : nat -> nat -> R) (E : nat -> bool) :
  0 <= a -> (forall o, (o < N)%nat -> 0 <= w o) ->
  (forall o l, (o < N)%nat -> (l < m)%nat -> 0 <= p o l) ->
  (forall j t, (j < m)%nat -> null j = true -> 0 <= t ->
    chance N w (fun o => at_most (p o j) t) <= t) ->
  (forall o, (o < N)%nat -> E o = true ->
    exists i, (i < m)%nat /\ null i = true /\ rejected a m (p o) i) ->
  chance N w E <= a.
Proof.
  intros a_ge0 w_ge0 p_ge0 valid some.
  assert (0 <= nulls m null) as nulls_ge0 by (apply sum_ge0; intros; apply one_if_ge0).
  destruct nulls_ge0 as [nulls_gt0 | nulls0].
  - set (t := a / nulls m null).
    assert (0 <= t) as t_ge0
      by (apply Rmult_le_pos; [exact a_ge0 | now apply Rlt_le, Rinv_0_lt_compat]).
    (* The union bound: one true hypothesis at least has p <= t. *)
    apply Rle_trans with (sum m (fun j => one_if (null j) * chance N w (fun o => at_most (p o j) t))).
    + unfold chance.
      rewrite (sum_ext m _ (fun j => sum N (fun o => one_if (null j) * (w o * one_if (at_most (p o j) t)))))
        by (intros j; now rewrite sum_scale).
      rewrite sum_swap; apply sum_le; intros o o_lt.
      rewrite (sum_ext m _ (fun j => w o * (one_if (null j) * one_if (at_most (p o j) t))))
        by (intros j; ring).
      rewrite sum_scale; apply Rmult_le_compat_l; [now apply w_ge0 |].
      destruct (E o) eqn:there; simpl.
      * destruct (some o o_lt there) as (i & i_lt & i_null & reject).
        destruct (holm_step a m i null (p o)) as (j & j_lt & j_null & small); try assumption.
        { intros l l_lt; now apply p_ge0. }
        apply Rle_trans with (one_if (null j) * one_if (at_most (p o j) t)).
        -- rewrite j_null; unfold at_most; destruct (Rle_dec (p o j) t) as [yes | no]; simpl; [lra |].
           exfalso; apply no; unfold t; apply Rmult_le_reg_r with (nulls m null); [exact nulls_gt0 |].
           unfold Rdiv; rewrite Rmult_assoc, Rinv_l by lra; lra.
        -- apply (sum_term_le m j (fun j => one_if (null j) * one_if (at_most (p o j) t))); [exact j_lt |].
           intros; apply Rmult_le_pos; apply one_if_ge0.
      * apply sum_ge0; intros; apply Rmult_le_pos; apply one_if_ge0.
    + apply Rle_trans with (sum m (fun j => t * one_if (null j))).
      * apply sum_le; intros j j_lt; destruct (null j) eqn:j_null; simpl; [| lra].
        pose proof (valid j t j_lt j_null t_ge0); lra.
      * rewrite sum_scale; fold (nulls m null); unfold t, Rdiv.
        rewrite Rmult_assoc, Rinv_l by lra; lra.
  - (* No hypothesis is true: the event is empty. *)
    apply Rle_trans with (sum N (fun _ => 0)); [| rewrite sum_const; lra].
    apply sum_le; intros o o_lt; destruct (E o) eqn:there; simpl; [| lra].
    destruct (some o o_lt there) as (i & i_lt & i_null & _).
    pose proof (sum_term_le m i (fun j => one_if (null j)) i_lt ltac:(intros; apply one_if_ge0)) as one.
    simpl in one; rewrite i_null in one; simpl in one; unfold nulls in nulls0; lra.
Qed.

(* --- Paired differences --------------------------------------------------- *)

Definition t_value (n : nat) (x y : vector) : R :=
  let d := fun j => x j - y j in mean n d / (sd1 n d / sqrt (INR n)).

(** In words: a paired t is the same when both members of each pair get the same addition, which may
    differ from pair to pair.
    Does not say: that an unpaired t is; such additions widen it.
    Used by: the studies, whose runs are paired by seed.
    Code: verify/goldenseal/stats/student.py:paired
    Test: tests/verify/stats/test_student.py:test_the_paired_test_is_scipy_s *)
Theorem paired_invariant (n : nat) (x y c : vector) :
  t_value n (fun j => x j + c j) (fun j => y j + c j) = t_value n x y.
Proof.
  assert (forall j, x j + c j - (y j + c j) = x j - y j) as same by (intros; ring).
  unfold t_value, sd1, centred.
  rewrite (mean_ext n (fun j => x j + c j - (y j + c j)) (fun j => x j - y j)) by exact same.
  do 2 f_equal; do 2 f_equal; apply sum_ext; intros j; now rewrite same.
Qed.
