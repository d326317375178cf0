(******************************************************************************)
(*                What cosines of credits can and cannot show                 *)
(*                                                                            *)
(*         plain n x y == <x, y> / (|x| |y|), without a floor                 *)
(*          shrink e r == min 1 (r / e), what a floor e does to a norm r      *)
(*       among K n x i == the sum of the cosines of vector i with all K       *)
(*        stability K n x == the mean cosine over ordered pairs i <> j        *)
(*                                                                            *)
(* Source: derived here; the floored form is that of                          *)
(* torch.nn.functional.cosine_similarity (see Cosine.v).                      *)
(*                                                                            *)
(* Code: train_gpt_style/credit/metrics.py:cosine                             *)
(* Test: tests/train_gpt_style/credit/test_credit_metrics.py:test_a_cosine_is_not_clamped_by_small_norms *)
(*                                                                            *)
(* Does not say: that a positive cosine makes a network learn.                *)
(******************************************************************************)

From Coq Require Import Reals Lra Lia Psatz.
From Goldenseal Require Import Vectors Cosine Sums.

Open Scope R_scope.

Definition plain (n : nat) (x y : vector) : R := dot n x y / (norm n x * norm n y).

Definition shrink (eps r : R) : R := Rmin 1 (r / eps).

(* --- The floor ------------------------------------------------------------ *)

Lemma shrink_eq (eps r : R) : 0 < eps -> 0 < r -> shrink eps r = r / Rmax r eps.
Proof.
  intros eps_gt0 r_gt0; unfold shrink.
  destruct (Rle_lt_dec eps r) as [above | below].
  - rewrite Rmax_left by lra; rewrite Rmin_left; [field; lra |].
    apply Rmult_le_reg_r with eps; [lra |].
    unfold Rdiv; rewrite Rmult_assoc, Rinv_l; lra.
  - rewrite Rmax_right by lra; apply Rmin_right.
    apply Rmult_le_reg_r with eps; [lra |].
    unfold Rdiv; rewrite Rmult_assoc, Rinv_l; lra.
Qed.

Lemma shrink_in (eps r : R) : 0 < eps -> 0 < r -> 0 < shrink eps r <= 1.
Proof.
  intros eps_gt0 r_gt0; unfold shrink; split; [| apply Rmin_l].
  apply Rmin_glb_lt; [lra | now apply Rdiv_lt_0_compat].
Qed.

(** In words: a floor of eps under both norms multiplies the cosine by min(1, |x| / eps) and by
    min(1, |y| / eps).
    Does not say: anything of a zero vector; there the plain cosine does not exist.
    Used by: the cosines of `credit`, which have no floor. *)
Theorem clamped_cosine (eps : R) (n : nat) (x y : vector) :
  0 < eps -> 0 < norm n x -> 0 < norm n y ->
  cosine eps n x y = plain n x y * shrink eps (norm n x) * shrink eps (norm n y).
Proof.
  intros eps_gt0 x_gt0 y_gt0; rewrite !shrink_eq by assumption; unfold cosine, plain.
  pose proof (Rmax_r (norm n x) eps); pose proof (Rmax_r (norm n y) eps).
  field; repeat split; lra.
Qed.

(** In words: so a floor never changes the sign of a cosine.
    Does not say: that a small floored cosine is a small cosine; a short vector makes it small too.
    Used by: the cosines of `credit`, which have no floor. *)
Theorem clamped_sign (eps : R) (n : nat) (x y : vector) :
  0 < eps -> 0 < norm n x -> 0 < norm n y ->
  (0 < cosine eps n x y <-> 0 < plain n x y) /\ (cosine eps n x y < 0 <-> plain n x y < 0).
Proof.
  intros eps_gt0 x_gt0 y_gt0; rewrite clamped_cosine by assumption.
  pose proof (shrink_in eps (norm n x) eps_gt0 x_gt0) as one.
  pose proof (shrink_in eps (norm n y) eps_gt0 y_gt0) as two.
  assert (0 < shrink eps (norm n x) * shrink eps (norm n y)) as both by nra.
  rewrite Rmult_assoc; set (f := shrink eps (norm n x) * shrink eps (norm n y)) in *.
  repeat split; intros sign; nra.
Qed.

(** In words: a cosine lies between -1 and 1.
    Does not say: that a computed one does; rounding may carry it out by some ulp.
    Used by: the cosines of `credit`.
    Test: tests/train_gpt_style/credit/test_credit_metrics.py:test_a_cosine_is_not_clamped_by_small_norms *)
Theorem plain_bounds (n : nat) (x y : vector) :
  0 < norm n x -> 0 < norm n y -> -1 <= plain n x y <= 1.
Proof.
  intros x_gt0 y_gt0; set (e := Rmin (norm n x) (norm n y)).
  assert (0 < e) as e_gt0 by (now apply Rmin_glb_lt).
  pose proof (cosine_bounds e n x y e_gt0) as bounds; unfold cosine in bounds.
  now rewrite (Rmax_left (norm n x)), (Rmax_left (norm n y)) in bounds
    by (apply Rmin_l || apply Rmin_r).
Qed.

(** In words: two vectors of one direction have the cosine r / eps when the second has the norm
    r < eps; 1e-10 under the floor 1e-8 shows as 0.01.
    Does not say: which floor a library takes; torch's is 1e-8.
    Used by: the pitfalls that `credit` tests against.
    Test: tests/train_gpt_style/credit/test_credit_metrics.py:test_a_vanished_gradient_has_no_cosine_and_never_that_of_perfect_alignment *)
Theorem clamped_parallel (eps c : R) (n : nat) (x : vector) :
  0 < eps -> eps <= norm n x -> 0 < c -> c * norm n x <= eps ->
  cosine eps n x (fun j => c * x j) = c * norm n x / eps.
Proof.
  intros eps_gt0 long c_gt0 short; unfold cosine.
  rewrite norm_scale by lra; rewrite Rmax_left, Rmax_right by lra.
  assert (dot n x (fun j => c * x j) = c * (norm n x * norm n x)) as ->.
  { rewrite norm_sqr; unfold dot; rewrite <- sum_scale; apply sum_ext; intros j; ring. }
  field; lra.
Qed.

(* --- Means over layers ---------------------------------------------------- *)

(** In words: if one of L cosines is 1 and no other is larger than eps in size, their mean lies
    within eps of 1 / L.
    Does not say: that a mean near 1 / L comes from one layer only.
    Used by: the warning of `credit` when one layer carries the deep mean.
    Code: train_gpt_style/credit/protocol/calibration.py:layers
    Test: tests/train_gpt_style/credit/test_credit_calibration.py:test_one_layer_of_cosine_one_gives_one_over_l_and_is_named *)
Theorem one_layer_mean (L k : nat) (eps : R) (c : nat -> R) :
  (k < L)%nat -> c k = 1 -> 0 <= eps ->
  (forall l, (l < L)%nat -> l <> k -> Rabs (c l) <= eps) ->
  Rabs (mean L c - 1 / INR L) <= eps.
Proof.
  intros k_lt top eps_ge0 rest; pose proof (INR_gt0 L ltac:(lia)) as INR_gt0.
  unfold mean; rewrite (sum_split L k c k_lt), top.
  set (others := sum L (fun l => if Nat.eqb l k then 0 else c l)).
  assert (Rabs others <= INR L * eps) as small.
  { apply sum_abs_le; intros l l_lt; destruct (Nat.eqb_spec l k) as [-> | other].
    - now rewrite Rabs_R0.
    - now apply rest. }
  replace ((1 + others) / INR L - 1 / INR L) with (others * / INR L) by (field; lra).
  rewrite Rabs_mult, (Rabs_right (/ INR L)) by (apply Rle_ge, Rlt_le, Rinv_0_lt_compat, INR_gt0).
  apply Rmult_le_reg_r with (INR L); [exact INR_gt0 |].
  rewrite Rmult_assoc, Rinv_l by lra; lra.
Qed.

(* --- Stability over batches ----------------------------------------------- *)

Definition stability (K n : nat) (x : nat -> vector) : R :=
  sum K (fun i => sum K (fun j => if Nat.eqb j i then 0 else dot n (x i) (x j)))
  / (INR K * (INR K - 1)).

Lemma pairs_square (K n : nat) (x : nat -> vector) :
  sum K (fun i => sum K (fun j => dot n (x i) (x j)))
  = dot n (fun e => sum K (fun i => x i e)) (fun e => sum K (fun i => x i e)).
Proof.
  unfold dot.
  rewrite (sum_ext K _ (fun i => sum n (fun e => x i e * sum K (fun j => x j e)))).
  - rewrite sum_swap; apply sum_ext; intros e.
    rewrite (sum_ext K _ (fun i => sum K (fun j => x j e) * x i e)) by (intros; ring).
    rewrite sum_scale; ring.
  - intros i; rewrite sum_swap; apply sum_ext; intros e; now rewrite sum_scale.
Qed.

(** In words: the mean cosine of K unit directions is at least -1 / (K - 1).
    Does not say: that it is at least this for vectors that are not of one length.
    Used by: the diagnostic (c) of `credit`, whose published -0.036 pairs of samples cannot give.
    Code: train_gpt_style/credit/metrics.py:stability
    Test: tests/train_gpt_style/credit/test_credit_metrics.py:test_stability_is_at_least_minus_one_over_batches_less_one *)
Theorem stability_ge (K n : nat) (x : nat -> vector) :
  (2 <= K)%nat -> (forall i, (i < K)%nat -> dot n (x i) (x i) = 1) ->
  - / (INR K - 1) <= stability K n x <= 1.
Proof.
  intros K_ge2 unit; assert (2 <= INR K) as INR_ge2 by (apply (le_INR 2), K_ge2).
  assert (stability K n x = (sum K (fun i => sum K (fun j => dot n (x i) (x j))) - INR K)
                            / (INR K * (INR K - 1))) as ->.
  { unfold stability; f_equal.
    rewrite (sum_ext_lt K (fun i => sum K (fun j => dot n (x i) (x j)))
               (fun i => 1 + sum K (fun j => if Nat.eqb j i then 0 else dot n (x i) (x j)))).
    - rewrite sum_plus, sum_const; ring.
    - intros i i_lt; rewrite (sum_split K i (fun j => dot n (x i) (x j)) i_lt).
      now rewrite unit by exact i_lt. }
  assert (0 < INR K * (INR K - 1)) as below_gt0 by nra.
  split; apply Rmult_le_reg_r with (INR K * (INR K - 1)); try exact below_gt0;
    unfold Rdiv; rewrite !Rmult_assoc, ?Rinv_l, ?Rmult_1_r by lra.
  - rewrite pairs_square.
    pose proof (dot_ge0 n (fun e => sum K (fun i => x i e))) as square_ge0.
    replace (- / (INR K - 1) * (INR K * (INR K - 1))) with (- INR K) by (field; lra); lra.
  - assert (sum K (fun i => sum K (fun j => dot n (x i) (x j))) <= sum K (fun _ => INR K * 1))
      as above; [| rewrite sum_const in above; lra].
    apply sum_le; intros i i_lt; rewrite <- sum_const; apply sum_le; intros j j_lt.
    pose proof (dot_ge0 n (fun e => 1 * x i e + -1 * x j e)) as square_ge0.
    rewrite dot_combination, !unit in square_ge0 by assumption; lra.
Qed.
