(******************************************************************************)
(*               The mastery queue: its size, its rest, its margin            *)
(*                                                                            *)
(*  resized lo hi step s d == the size after the decision d                   *)
(*        sizes lo hi step s ds == the size after all decisions ds            *)
(*  epoch lo hi step rest (s, w) d == size and epochs of rest left, after one *)
(*                     epoch whose decision is d; while w > 0 none is heard   *)
(*      margin lo more steps t == lo + more min(1, t / steps)                 *)
(*                                                                            *)
(* Source: the public journal of the dual stream (reconstructed); the code is *)
(* train_gpt_style/dual_stream.                                               *)
(*                                                                            *)
(* Code: train_gpt_style/dual_stream/adapt.py:decision                        *)
(* Test: tests/train_gpt_style/dual_stream/test_dual_mastery.py:test_the_size_stays_within_its_bounds_and_moves_by_a_step_at_most *)
(*                                                                            *)
(* Does not say: that a longer queue trains better.                           *)
(******************************************************************************)

From Coq Require Import Reals Lra ZArith Lia List.
Import ListNotations.

Open Scope Z_scope.

Inductive decision := Grow | Shrink | Keep.

Definition resized (lo hi step size : Z) (d : decision) : Z :=
  match d with
  | Grow => Z.min hi (size + step)
  | Shrink => Z.max lo (size - step)
  | Keep => size
  end.

Definition sizes (lo hi step size : Z) (ds : list decision) : Z :=
  fold_left (resized lo hi step) ds size.

(** In words: under any decisions whatever, the size stays between floor and cap.
    Does not say: that the queue is full; it fills with the batches.
    Used by: QUEUE_MIN and QUEUE_MAX of `dual_stream`. *)
Theorem queue_bounds (lo hi step size : Z) (ds : list decision) :
  0 <= step -> lo <= size <= hi -> lo <= sizes lo hi step size ds <= hi.
Proof.
  intros step_ge0; revert size; induction ds as [| d ds IHds]; intros size inside; [exact inside |].
  apply IHds; destruct d; simpl; lia.
Qed.

(** In words: one decision moves it by at most one step.
    Does not say: that it moves at all; at the floor and the cap it may not.
    Used by: QUEUE_STEP of `dual_stream`. *)
Theorem queue_step (lo hi step size : Z) (d : decision) :
  0 <= step -> lo <= size <= hi -> Z.abs (resized lo hi step size d - size) <= step.
Proof. intros step_ge0 inside; destruct d; simpl; lia. Qed.

(** In words: with the published numbers, the size lies between 1024 and 16384 and is a multiple of
    1024.
    Does not say: which sizes are reached in a run.
    Used by: QUEUE_MIN, QUEUE_MAX and QUEUE_STEP of `dual_stream`.
    Test: tests/train_gpt_style/dual_stream/test_dual_mastery.py:test_both_variants_decide_as_published *)
Theorem queue_published (ds : list decision) :
  1024 <= sizes 1024 16384 2048 4096 ds <= 16384 /\
  (1024 | sizes 1024 16384 2048 4096 ds).
Proof.
  split; [apply queue_bounds; lia |].
  assert (forall size, (1024 | size) -> (1024 | sizes 1024 16384 2048 size ds)) as multiples.
  { induction ds as [| d rest IHrest]; intros size [q ->]; [now exists q |].
    apply IHrest; destruct d; simpl.
    - exists (Z.min 16 (q + 2)); lia.
    - exists (Z.max 1 (q - 2)); lia.
    - now exists q. }
  apply multiples; now exists 4.
Qed.

(** In words: the journal's example grows from 4096 to 6144; from 2048 a shrink goes to 1024; from
    15360 a growth goes to 16384.
    Does not say: when these decisions are taken.
    Used by: the tests of the queue of `dual_stream`.
    Test: tests/train_gpt_style/dual_stream/test_dual_mastery.py:test_the_published_example_line *)
Fact queue_examples_computed :
  resized 1024 16384 2048 4096 Grow = 6144 /\ resized 1024 16384 2048 2048 Shrink = 1024 /\
  resized 1024 16384 2048 15360 Grow = 16384.
Proof. vm_compute; repeat split; reflexivity. Qed.

(* --- Rest after a change -------------------------------------------------- *)

Definition epoch (lo hi step : Z) (rest : nat) (state : Z * nat) (d : decision) : Z * nat :=
  match state with
  | (size, S wait) => (size, wait)
  | (size, O) => let next := resized lo hi step size d in
                 (next, if Z.eqb next size then O else rest)
  end.

Lemma resting (lo hi step : Z) (rest : nat) (ds : list decision) :
  forall size wait, (length ds <= wait)%nat ->
  fold_left (epoch lo hi step rest) ds (size, wait) = (size, (wait - length ds)%nat).
Proof.
  induction ds as [| d ds IHds]; intros size wait short; simpl in *; [now rewrite Nat.sub_0_r |].
  destruct wait as [| wait]; [lia |]; simpl; apply IHds; lia.
Qed.

(** In words: after an epoch that changed the size, the decisions of the next `rest` epochs change
    nothing.
    Does not say: that gaps are not recorded meanwhile; they are.
    Used by: QUEUE_COOLDOWN of `dual_stream`.
    Code: train_gpt_style/dual_stream/adapt.py:may_change
    Test: tests/train_gpt_style/dual_stream/test_dual_mastery.py:test_floor_cap_and_rest *)
Theorem queue_rest (lo hi step size : Z) (rest : nat) (d : decision) (ds : list decision) :
  resized lo hi step size d <> size -> (length ds <= rest)%nat ->
  fst (fold_left (epoch lo hi step rest) ds (epoch lo hi step rest (size, O) d))
  = resized lo hi step size d.
Proof.
  intros changed short; simpl.
  destruct (Z.eqb_spec (resized lo hi step size d) size); [contradiction |].
  now rewrite resting.
Qed.

(* --- The margin ----------------------------------------------------------- *)

Open Scope R_scope.

Definition margin (lo more steps t : R) : R := lo + more * Rmin 1 (t / steps).

(** In words: the margin lies between its first and its last value.
    Does not say: when the last one is reached; at t = steps it is.
    Used by: MARGIN_START and MARGIN_END of `dual_stream`.
    Code: train_gpt_style/dual_stream/mastery.py:margin
    Test: tests/train_gpt_style/dual_stream/test_dual_mastery.py:test_the_margin_stays_within_its_ends_and_never_falls *)
Theorem margin_bounds (lo more steps t : R) :
  0 <= more -> 0 < steps -> 0 <= t -> lo <= margin lo more steps t <= lo + more.
Proof.
  intros more_ge0 steps_gt0 t_ge0; unfold margin.
  assert (0 <= Rmin 1 (t / steps) <= 1) as part_in.
  { split; [| apply Rmin_l]; apply Rmin_glb; [lra |].
    apply Rmult_le_pos; [exact t_ge0 | now apply Rlt_le, Rinv_0_lt_compat]. }
  split; [assert (0 <= more * Rmin 1 (t / steps)) by now apply Rmult_le_pos |]; nra.
Qed.

(** In words: it never falls.
    Does not say: that the loss falls.
    Used by: MARGIN_STEPS of `dual_stream`.
    Code: train_gpt_style/dual_stream/mastery.py:margin
    Test: tests/train_gpt_style/dual_stream/test_dual_mastery.py:test_the_margin_stays_within_its_ends_and_never_falls *)
Theorem margin_monotone (lo more steps t t' : R) :
  0 <= more -> 0 < steps -> t <= t' -> margin lo more steps t <= margin lo more steps t'.
Proof.
  intros more_ge0 steps_gt0 later; unfold margin.
  apply Rplus_le_compat_l, Rmult_le_compat_l; [exact more_ge0 |].
  apply Rle_min_compat_l, Rmult_le_compat_r; [now apply Rlt_le, Rinv_0_lt_compat | exact later].
Qed.

(** In words: with the published numbers it is 0.1, 0.2 and 0.3 at 0, 2500 and 5000 batches.
    Does not say: what the doubles nearest to these numbers add up to.
    Used by: the tests of the margin of `dual_stream`.
    Code: train_gpt_style/dual_stream/mastery.py:margin
    Test: tests/train_gpt_style/dual_stream/test_dual_mastery.py:test_the_margin_grows_from_a_tenth_to_three_tenths *)
Theorem margin_published :
  margin (1 / 10) (2 / 10) 5000 0 = 1 / 10 /\ margin (1 / 10) (2 / 10) 5000 2500 = 2 / 10 /\
  margin (1 / 10) (2 / 10) 5000 5000 = 3 / 10.
Proof.
  unfold margin; rewrite !Rmin_right by lra; repeat split; field.
Qed.
