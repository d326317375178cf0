(******************************************************************************)
(*                  Finite sums, scalar products, mean and spread             *)
(*                                                                            *)
(*      mean n x == sum n x / n                                               *)
(* centred n x   == x, less its mean                                          *)
(*  variance n x == the mean of the squares of centred n x                    *)
(*       sd0 n x == the standard deviation, divided by n                      *)
(*       sd1 n x == the standard deviation, divided by n - 1                  *)
(*                                                                            *)
(* Source: textbook.                                                          *)
(*                                                                            *)
(* Code: train_gpt_style/credit/protocol/numbers.py:deviation                 *)
(* Test: tests/train_gpt_style/credit/test_credit_protocol.py:test_deviations_are_those_of_the_library *)
(*                                                                            *)
(* Does not say: anything about floating-point sums, nor which of the two     *)
(* deviations a report should print; only how they are related.               *)
(******************************************************************************)

From Coq Require Import Reals Lra Lia.
From Goldenseal Require Import Vectors Cosine.

Open Scope R_scope.

(* --- Sums ----------------------------------------------------------------- *)

Lemma sum_ext_lt (n : nat) (f g : nat -> R) :
  (forall j, (j < n)%nat -> f j = g j) -> sum n f = sum n g.
Proof.
  induction n as [| n IHn]; intros fg; simpl; [reflexivity |].
  rewrite IHn by auto with arith; rewrite fg by auto with arith; reflexivity.
Qed.

Lemma sum_plus (n : nat) (f g : nat -> R) : sum n (fun j => f j + g j) = sum n f + sum n g.
Proof. induction n as [| n IHn]; simpl; [| rewrite IHn]; ring. Qed.

Lemma sum_const (n : nat) (c : R) : sum n (fun _ => c) = INR n * c.
Proof. induction n as [| n IHn]; [simpl; ring |]; rewrite S_INR; simpl; rewrite IHn; ring. Qed.

Lemma sum_le (n : nat) (f g : nat -> R) :
  (forall j, (j < n)%nat -> f j <= g j) -> sum n f <= sum n g.
Proof.
  induction n as [| n IHn]; intros fg; simpl; [lra |].
  pose proof (fg n (Nat.lt_succ_diag_r n)); assert (sum n f <= sum n g) by auto with arith; lra.
Qed.

Lemma sum_ge0 (n : nat) (f : nat -> R) : (forall j, (j < n)%nat -> 0 <= f j) -> 0 <= sum n f.
Proof.
  intros f_ge0; replace 0 with (sum n (fun _ => 0)) by (rewrite sum_const; ring).
  now apply sum_le.
Qed.

Lemma sum_term_le (n k : nat) (f : nat -> R) :
  (k < n)%nat -> (forall j, (j < n)%nat -> 0 <= f j) -> f k <= sum n f.
Proof.
  induction n as [| n IHn]; intros k_lt f_ge0; simpl; [lia |].
  pose proof (f_ge0 n (Nat.lt_succ_diag_r n)) as last.
  assert (0 <= sum n f) as before by (apply sum_ge0; auto with arith).
  destruct (Nat.eq_dec k n) as [-> | k_neq]; [lra |].
  assert (f k <= sum n f) by (apply IHn; [lia | auto with arith]); lra.
Qed.

Lemma sum_abs_le (n : nat) (c : R) (f : nat -> R) :
  (forall j, (j < n)%nat -> Rabs (f j) <= c) -> Rabs (sum n f) <= INR n * c.
Proof.
  induction n as [| n IHn]; intros small; [simpl; rewrite Rabs_R0; lra |].
  rewrite S_INR; simpl; pose proof (small n (Nat.lt_succ_diag_r n)).
  pose proof (Rabs_triang (sum n f) (f n)); assert (Rabs (sum n f) <= INR n * c) by auto with arith.
  lra.
Qed.

Lemma sum_swap (m n : nat) (f : nat -> nat -> R) :
  sum m (fun i => sum n (fun j => f i j)) = sum n (fun j => sum m (fun i => f i j)).
Proof.
  induction m as [| m IHm]; simpl.
  - symmetry; now apply sum_eq0.
  - rewrite IHm; symmetry; apply sum_plus.
Qed.

(* One term taken out of a sum. *)
Lemma sum_split (n k : nat) (f : nat -> R) :
  (k < n)%nat -> sum n f = f k + sum n (fun j => if Nat.eqb j k then 0 else f j).
Proof.
  induction n as [| n IHn]; intros k_lt; [lia |]; simpl.
  destruct (Nat.eqb_spec n k) as [-> | n_neq].
  - rewrite <- (sum_ext_lt k f (fun j => if Nat.eqb j k then 0 else f j)); [ring |].
    intros j j_lt; destruct (Nat.eqb_spec j k); [lia | reflexivity].
  - rewrite IHn by lia; ring.
Qed.

Lemma sum_only (n k : nat) (f : nat -> R) :
  (k < n)%nat -> (forall j, (j < n)%nat -> j <> k -> f j = 0) -> sum n f = f k.
Proof.
  intros k_lt others; rewrite (sum_split n k) by exact k_lt; rewrite sum_eq0; [ring |].
  intros j j_lt; destruct (Nat.eqb_spec j k); [reflexivity | now apply others].
Qed.

(* --- Scalar products ------------------------------------------------------ *)

Lemma dot_sym (n : nat) (x y : vector) : dot n x y = dot n y x.
Proof. apply sum_ext; intros j; ring. Qed.

Lemma dot_linear (n : nat) (s t : R) (x y z : vector) :
  dot n (fun j => s * x j + t * y j) z = s * dot n x z + t * dot n y z.
Proof.
  unfold dot; rewrite <- !sum_scale, <- sum_plus; apply sum_ext; intros j; ring.
Qed.

Lemma dot_ext (n : nat) (x y z : vector) :
  (forall j, (j < n)%nat -> x j = y j) -> dot n x z = dot n y z.
Proof. intros xy; apply sum_ext_lt; intros j j_lt; rewrite xy by exact j_lt; reflexivity. Qed.

Lemma norm_sqr (n : nat) (x : vector) : norm n x * norm n x = dot n x x.
Proof. apply sqrt_sqrt, dot_ge0. Qed.

(* The transpose moves to the other side of a scalar product. *)
Lemma dot_act (m n : nat) (W : matrix) (x y : vector) :
  dot m (act n W x) y = dot n x (act m (fun j i => W i j) y).
Proof.
  unfold dot, act.
  rewrite (sum_ext m _ (fun i => sum n (fun j => W i j * x j * y i))).
  - rewrite sum_swap; apply sum_ext; intros j.
    rewrite <- sum_scale; apply sum_ext; intros i; ring.
  - intros i; rewrite Rmult_comm, <- sum_scale; apply sum_ext; intros j; ring.
Qed.

(* --- Mean and spread ------------------------------------------------------ *)

Definition mean (n : nat) (x : vector) : R := sum n x / INR n.

Definition centred (n : nat) (x : vector) : vector := fun j => x j - mean n x.

Definition variance (n : nat) (x : vector) : R :=
  mean n (fun j => centred n x j * centred n x j).

Definition sd0 (n : nat) (x : vector) : R := sqrt (variance n x).

Definition sd1 (n : nat) (x : vector) : R :=
  sqrt (sum n (fun j => centred n x j * centred n x j) / (INR n - 1)).

Lemma INR_gt0 (n : nat) : (0 < n)%nat -> 0 < INR n.
Proof. intros n_gt0; now apply (lt_INR 0). Qed.

Lemma mean_linear (n : nat) (s t : R) (x y : vector) :
  mean n (fun j => s * x j + t * y j) = s * mean n x + t * mean n y.
Proof. unfold mean; rewrite sum_plus, !sum_scale; unfold Rdiv; ring. Qed.

Lemma mean_const (n : nat) (c : R) : (0 < n)%nat -> mean n (fun _ => c) = c.
Proof. intros n_gt0; pose proof (INR_gt0 n n_gt0); unfold mean; rewrite sum_const; field; lra. Qed.

Lemma mean_ext (n : nat) (x y : vector) : (forall j, x j = y j) -> mean n x = mean n y.
Proof. intros xy; unfold mean; f_equal; now apply sum_ext. Qed.

Lemma sum_centred (n : nat) (x : vector) : (0 < n)%nat -> sum n (centred n x) = 0.
Proof.
  intros n_gt0; pose proof (INR_gt0 n n_gt0) as INR_gt0.
  unfold centred; rewrite (sum_ext n _ (fun j => x j + - mean n x)) by (intros j; ring).
  rewrite sum_plus, sum_const; unfold mean; field; lra.
Qed.

Lemma variance_ge0 (n : nat) (x : vector) : (0 < n)%nat -> 0 <= variance n x.
Proof.
  intros n_gt0; apply Rmult_le_pos; [apply sum_sqr_ge0 |].
  now apply Rlt_le, Rinv_0_lt_compat, INR_gt0.
Qed.

Lemma dot_centred (n : nat) (x y : vector) :
  dot n x (centred n y) = dot n x y - sum n x * sum n y / INR n.
Proof.
  unfold dot, centred.
  rewrite (sum_ext n _ (fun j => x j * y j + - mean n y * x j)) by (intros j; ring).
  rewrite sum_plus, sum_scale; unfold mean, Rdiv; ring.
Qed.

(** In words: the sample deviation is the population deviation times sqrt (n / (n - 1)).
    Does not say: which of the two a published figure is; for n = 1 the first does not exist.
    Used by: the reports of `credit`, whose numbers name their ddof. *)
Theorem sample_deviation (n : nat) (x : vector) :
  (2 <= n)%nat -> sd1 n x = sd0 n x * sqrt (INR n / (INR n - 1)).
Proof.
  intros n_ge2.
  assert (2 <= INR n) as INR_ge2 by (apply (le_INR 2), n_ge2).
  unfold sd1, sd0; rewrite <- sqrt_mult.
  - f_equal; unfold variance, mean; field; lra.
  - apply variance_ge0; lia.
  - apply Rlt_le, Rdiv_lt_0_compat; lra.
Qed.

(** In words: the sample deviation is never the smaller one.
    Does not say: by how much; for three seeds it is the factor sqrt 1.5.
    Used by: the reports of `credit`, whose numbers name their ddof. *)
Theorem sample_deviation_ge (n : nat) (x : vector) : (2 <= n)%nat -> sd0 n x <= sd1 n x.
Proof.
  intros n_ge2; rewrite sample_deviation by exact n_ge2.
  assert (2 <= INR n) as INR_ge2 by (apply (le_INR 2), n_ge2).
  rewrite <- (Rmult_1_r (sd0 n x)) at 1; apply Rmult_le_compat_l; [apply sqrt_pos |].
  rewrite <- sqrt_1 at 1; apply sqrt_le_1_alt.
  apply Rmult_le_reg_r with (INR n - 1); [lra |].
  unfold Rdiv; rewrite Rmult_assoc, Rinv_l; lra.
Qed.
