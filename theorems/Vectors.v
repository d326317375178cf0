(******************************************************************************)
(*                 Vectors and matrices as functions of an index              *)
(*                                                                            *)
(*     vector == nat -> R, of which the first n entries are meant             *)
(*     matrix == nat -> nat -> R, row first                                   *)
(*    sum n f == f 0 + ... + f (n - 1)                                        *)
(*  act n W x == the vector W x for a matrix with n columns                   *)
(*   norm n x == the Euclidean norm of the first n entries                    *)
(*                                                                            *)
(* Source: textbook; kept this small so that a reader can check every line.   *)
(*                                                                            *)
(* Code: train_gpt_style/gpt/features/phinta.py:PhiNTA                        *)
(* Test: tests/train_gpt_style/gpt/test_gpt_features.py:test_the_rows_of_the_frozen_map_have_norm_one_over_phi *)
(*                                                                            *)
(* Does not say: anything about floating-point sums, whose value depends on   *)
(* the order in which they are taken.                                         *)
(******************************************************************************)

From Coq Require Import Reals Lra Arith.

Open Scope R_scope.

Definition vector : Type := nat -> R.
Definition matrix : Type := nat -> nat -> R.

Fixpoint sum (n : nat) (f : nat -> R) : R :=
  match n with
  | O => 0
  | S k => sum k f + f k
  end.

Definition act (n : nat) (W : matrix) (x : vector) : vector :=
  fun i => sum n (fun j => W i j * x j).

Definition norm (n : nat) (x : vector) : R := sqrt (sum n (fun j => x j * x j)).

Lemma sum_eq0 (n : nat) (f : nat -> R) : (forall j, (j < n)%nat -> f j = 0) -> sum n f = 0.
Proof.
  induction n as [| n IHn]; intros f0; simpl; [reflexivity |].
  rewrite IHn, f0; [lra | auto with arith | auto with arith].
Qed.

Lemma sum_scale (n : nat) (c : R) (f : nat -> R) : sum n (fun j => c * f j) = c * sum n f.
Proof. induction n as [| n IHn]; simpl; [| rewrite IHn]; ring. Qed.

Lemma sum_ext (n : nat) (f g : nat -> R) : (forall j, f j = g j) -> sum n f = sum n g.
Proof. intros fg; induction n as [| n IHn]; simpl; [| rewrite IHn, fg]; reflexivity. Qed.

Lemma sum_sqr_ge0 (n : nat) (x : vector) : 0 <= sum n (fun j => x j * x j).
Proof.
  induction n as [| n IHn]; simpl; [lra |].
  pose proof (Rle_0_sqr (x n)) as sqr_ge0; unfold Rsqr in sqr_ge0; lra.
Qed.

(** In words: multiplying a vector by c >= 0 multiplies its norm by c.
    Does not say: that the rounded computation does so exactly.
    Used by: the row norm of PhiNTA. *)
Theorem norm_scale (n : nat) (c : R) (x : vector) :
  0 <= c -> norm n (fun j => c * x j) = c * norm n x.
Proof.
  intros c_ge0; unfold norm.
  rewrite (sum_ext n _ (fun j => (c * c) * (x j * x j))) by (intros j; ring).
  rewrite sum_scale, sqrt_mult by (try apply sum_sqr_ge0; apply Rle_0_sqr).
  now rewrite sqrt_square.
Qed.

(** In words: a vector with an entry that is not zero has a positive norm.
    Does not say: that the rounded norm is positive; squares of tiny entries underflow.
    Used by: the row norm of PhiNTA. *)
Theorem norm_gt0 (n k : nat) (x : vector) : (k < n)%nat -> x k <> 0 -> 0 < norm n x.
Proof.
  intros k_lt xk; apply sqrt_lt_R0.
  induction n as [| n IHn]; [now apply Nat.nlt_0_r in k_lt |]; simpl.
  pose proof (sum_sqr_ge0 n x) as rest.
  destruct (Nat.eq_dec k n) as [-> | k_neq].
  - pose proof (Rsqr_pos_lt (x n) xk) as sqr_gt0; unfold Rsqr in sqr_gt0; lra.
  - pose proof (Rle_0_sqr (x n)) as sqr_ge0; unfold Rsqr in sqr_ge0.
    assert (k < n)%nat by (apply Nat.le_neq; split; [apply Nat.lt_succ_r, k_lt | exact k_neq]).
    pose proof (IHn H); lra.
Qed.
