(******************************************************************************)
(*          Gradient accumulation: the mean of means and the mean             *)
(*                                                                            *)
(*   weighted K n x == sum of n k times the mean of part k, over sum of n k   *)
(*                                                                            *)
(* Source: textbook; the code is train_gpt_style/kit and                      *)
(* train_gpt_style/gpt/division.py.                                           *)
(*                                                                            *)
(* Code: train_gpt_style/gpt/train.py:accumulate_gradients                    *)
(* Test: tests/train_gpt_style/gpt/test_gpt_invariance.py:test_loss_and_gradients_are_those_of_the_usual_order_but_for_rounding *)
(*                                                                            *)
(* Does not say: that the parts of a batch have one size; the loaders see to  *)
(* that.                                                                      *)
(******************************************************************************)

From Coq Require Import Reals Lra Lia.
From Goldenseal Require Import Vectors Cosine Sums.

Open Scope R_scope.

Definition weighted (K : nat) (n : nat -> nat) (x : nat -> vector) : R :=
  sum K (fun k => INR (n k) * mean (n k) (x k)) / sum K (fun k => INR (n k)).

(** In words: the means of parts, weighted by the sizes, give the mean of all.
    Does not say: that a library weights them.
    Used by: the accumulation of gradients. *)
Theorem weighted_mean (K : nat) (n : nat -> nat) (x : nat -> vector) :
  (forall k, (k < K)%nat -> (0 < n k)%nat) ->
  weighted K n x = sum K (fun k => sum (n k) (x k)) / sum K (fun k => INR (n k)).
Proof.
  intros n_gt0; unfold weighted; f_equal; apply sum_ext_lt; intros k k_lt.
  pose proof (INR_gt0 (n k) (n_gt0 k k_lt)); unfold mean; field; lra.
Qed.

(** In words: for parts of one size the plain mean of means is the mean of all.
    Does not say: that rounded means are.
    Used by: the accumulation of gradients. *)
Theorem equal_parts (K n : nat) (x : nat -> vector) : (0 < K)%nat -> (0 < n)%nat ->
  mean K (fun k => mean n (x k)) = sum K (fun k => sum n (x k)) / (INR K * INR n).
Proof.
  intros K_gt0 n_gt0; pose proof (INR_gt0 K K_gt0); pose proof (INR_gt0 n n_gt0).
  unfold mean; rewrite (sum_ext K (fun k => sum n (x k) / INR n) (fun k => / INR n * sum n (x k)))
    by (intros k; unfold Rdiv; ring).
  rewrite sum_scale; field; split; lra.
Qed.

(** In words: of two parts, the mean of means is the mean of all if and only if the parts have one
    size or one mean.
    Does not say: that it is so for all data only when the sizes are equal; that follows.
    Used by: the accumulation of gradients, and its trap. *)
Theorem two_parts (a b : nat) (x y : vector) : (0 < a)%nat -> (0 < b)%nat ->
  ((mean a x + mean b y) / 2 = (sum a x + sum b y) / (INR a + INR b)
   <-> a = b \/ mean a x = mean b y).
Proof.
  intros a_gt0 b_gt0; pose proof (INR_gt0 a a_gt0) as A; pose proof (INR_gt0 b b_gt0) as B.
  assert (sum a x = INR a * mean a x) as -> by (unfold mean; field; lra).
  assert (sum b y = INR b * mean b y) as -> by (unfold mean; field; lra).
  set (u := mean a x); set (v := mean b y).
  assert ((u + v) / 2 = (INR a * u + INR b * v) / (INR a + INR b)
          <-> (INR a - INR b) * (u - v) = 0) as ->.
  { split; intros same.
    - apply (f_equal (fun t => 2 * (INR a + INR b) * t)) in same.
      replace (2 * (INR a + INR b) * ((u + v) / 2)) with ((INR a + INR b) * (u + v)) in same by field.
      replace (2 * (INR a + INR b) * ((INR a * u + INR b * v) / (INR a + INR b)))
        with (2 * (INR a * u + INR b * v)) in same by (field; lra); lra.
    - apply Rmult_eq_reg_l with (2 * (INR a + INR b)); [| lra].
      replace (2 * (INR a + INR b) * ((INR a * u + INR b * v) / (INR a + INR b)))
        with (2 * (INR a * u + INR b * v)) by (field; lra); lra. }
  split.
  - intros zero; destruct (Rmult_integral _ _ zero); [left; apply INR_eq; lra | right; lra].
  - intros [-> | same]; [| rewrite same]; ring.
Qed.

(** In words: for the parts 1 and 2, 3 the mean of means is 7 / 4, the mean 2.
    Does not say: which of the two a loss should be.
    Used by: the tests of the accumulation. *)
Theorem unequal_parts :
  (mean 1 (fun _ => 1) + mean 2 (fun j => INR j + 2)) / 2 = 7 / 4 /\
  (sum 1 (fun _ => 1) + sum 2 (fun j => INR j + 2)) / 3 = 2.
Proof. unfold mean; simpl; split; field. Qed.
