(******************************************************************************)
(*               The squared volume of a simplex, and its loss                *)
(*                                                                            *)
(*     d i j == the squared distance of the points i and j                    *)
(*  vol2 k d == the squared volume of k + 1 points by Cayley-Menger:          *)
(*              (-1)^(k+1) det / (2^k k!^2); -det / 9216 for k = 4            *)
(*    gram d == (d 0i + d 0j - d ij) / 2, for i and j from 1                  *)
(*  inner n x == the scalar products of vectors x 0, x 1, ...                 *)
(* distances n p == the squared distances of the points p 0, p 1, ...         *)
(* cm_loss floor n p == max (0, floor - vol2 of the five points)              *)
(*                                                                            *)
(* Source: K. Menger, 1928; the code is train_gpt_style/geometry.             *)
(*                                                                            *)
(* Code: train_gpt_style/geometry/simplex.py:volume2_by_gram                  *)
(* Code: train_gpt_style/geometry/simplex.py:volume2_by_cayley_menger         *)
(* Test: tests/train_gpt_style/geometry/test_simplex.py:test_both_formulas_agree_and_no_volume_of_points_is_negative *)
(*                                                                            *)
(* Does not say: that computed volumes are never negative; rounding can make  *)
(* them so, and distances that come from no points can too.                   *)
(******************************************************************************)

From Coq Require Import Reals Lra Lia Psatz FunctionalExtensionality.
From Goldenseal Require Import Vectors Cosine Sums Determinant.

Open Scope R_scope.

Definition detR : nat -> (nat -> nat -> R) -> R := det R 0 1 Rplus Rmult Ropp.

Definition vol2 (k : nat) (d : nat -> nat -> R) : R :=
  (-1) ^ (k + 1) * detR (k + 2) (bordered R 0 1 d) / (2 ^ k * (INR (fact k) * INR (fact k))).

Definition gram (d : nat -> nat -> R) : nat -> nat -> R :=
  fun i j => (d 0%nat (S i) + d 0%nat (S j) - d (S i) (S j)) / 2.

Definition inner (n : nat) (x : nat -> vector) : nat -> nat -> R := fun i j => dot n (x i) (x j).

Definition distances (n : nat) (p : nat -> vector) : nat -> nat -> R :=
  fun i j => dot n (fun e => p i e - p j e) (fun e => p i e - p j e).

Definition cm_loss (floor : R) (n : nat) (p : nat -> vector) : R :=
  Rmax 0 (floor - vol2 4 (distances n p)).

Definition distance_like (d : nat -> nat -> R) : Prop :=
  (forall i, d i i = 0) /\ (forall i j, d i j = d j i).

(* --- Two formulas of one volume ------------------------------------------- *)

Definition doubled (d : nat -> nat -> R) : nat -> nat -> R :=
  fun i j => d 0%nat (S i) + d 0%nat (S j) - d (S i) (S j).

Ltac expand :=
  cbv [detR det alternating minor bordered Nat.ltb Nat.leb Nat.add].

(* A column of ones is taken away by subtracting row 0 from the others, and likewise a row. *)
Lemma ones_column (k : nat) (X : nat -> nat -> R) : (1 <= k <= 4)%nat ->
  detR (S k) (fun i j => match j with O => 1 | S b => X i b end)
  = detR k (fun i j => X (S i) j - X 0%nat j).
Proof.
  intros k_in; assert (k = 1 \/ k = 2 \/ k = 3 \/ k = 4)%nat as [-> | [-> | [-> | ->]]] by lia;
    expand; ring.
Qed.

Lemma ones_row (k : nat) (Y : nat -> nat -> R) : (1 <= k <= 4)%nat ->
  alternating R 0 Rplus Ropp (S k) (fun j => detR k (minor R (fun i => Y (pred i)) j))
  = detR k (fun i j => Y i (S j) - Y i 0%nat).
Proof.
  intros k_in; assert (k = 1 \/ k = 2 \/ k = 3 \/ k = 4)%nat as [-> | [-> | [-> | ->]]] by lia;
    expand; cbv [Nat.pred]; ring.
Qed.
Lemma det_scale (k : nat) (c : R) (M : nat -> nat -> R) :
  (k <= 4)%nat -> detR k (fun i j => c * M i j) = c ^ k * detR k M.
Proof.
  intros k_le.
  assert (k = 0 \/ k = 1 \/ k = 2 \/ k = 3 \/ k = 4)%nat as [-> | [-> | [-> | [-> | ->]]]] by lia;
    expand; ring.
Qed.

Lemma cayley_menger_doubled (k : nat) (d : nat -> nat -> R) :
  (1 <= k <= 4)%nat -> distance_like d ->
  (-1) ^ (k + 1) * detR (k + 2) (bordered R 0 1 d) = detR k (doubled d).
Proof.
  intros k_in [zero symmetric]; rewrite Nat.add_comm, (Nat.add_comm k).
  set (Y := fun i j => d (S i) j - d 0%nat j).
  assert (detR (2 + k) (bordered R 0 1 d) = - detR k (fun i j => -1 * doubled d i j)) as ->.
  { change (0 * detR (S k) (minor R (bordered R 0 1 d) 0)
            + - alternating R 0 Rplus Ropp (S k) (fun j => 1 * detR (S k)
                  (minor R (bordered R 0 1 d) (S j))) = - detR k (fun i j => -1 * doubled d i j)).
    rewrite Rmult_0_l, Rplus_0_l; f_equal.
    replace (fun i j => -1 * doubled d i j) with (fun i j => Y i (S j) - Y i 0%nat).
    - rewrite <- ones_row by exact k_in; f_equal; apply functional_extensionality; intros j.
      rewrite Rmult_1_l.
      set (X := fun i b => d i (if Nat.ltb b j then b else S b)).
      transitivity (detR (S k) (fun i c => match c with O => 1 | S b => X i b end));
        [| now apply ones_column].
      f_equal; apply functional_extensionality; intros i.
      apply functional_extensionality; intros [| b]; [reflexivity |]; unfold minor, X.
      change (Nat.ltb (S b) (S j)) with (Nat.ltb b j); destruct (Nat.ltb b j); reflexivity.
    - apply functional_extensionality; intros i; apply functional_extensionality; intros j.
      unfold Y, doubled; rewrite zero, (symmetric (S i) 0%nat); ring. }
  rewrite det_scale by lia; simpl pow.
  assert ((-1) ^ k * (-1) ^ k = 1) as even by (rewrite <- Rpow_mult_distr; rewrite <- (pow1 k);
    f_equal; ring).
  transitivity ((-1) ^ k * (-1) ^ k * detR k (doubled d)); [ring | rewrite even; ring].
Qed.
(** In words: for up to five points, the Cayley-Menger volume is the Gram determinant of the edges
    from point 0, over k! squared.
    Does not say: the same of more points; nor that the two agree to the last bit.
    Used by: the volume kernels of `geometry`, which take either form. *)
Theorem vol2_gram (k : nat) (d : nat -> nat -> R) : (1 <= k <= 4)%nat -> distance_like d ->
  vol2 k d = detR k (gram d) / (INR (fact k) * INR (fact k)).
Proof.
  intros k_in like; unfold vol2; rewrite cayley_menger_doubled by assumption.
  replace (doubled d) with (fun i j => 2 * gram d i j)
    by (do 2 (apply functional_extensionality; intros); unfold gram, doubled; field).
  rewrite det_scale by lia; field; split; [apply INR_fact_neq_0 | apply pow_nonzero; lra].
Qed.

(** In words: for a triangle this is Heron's formula.
    Does not say: that three numbers are the sides of a triangle.
    Used by: the tests of the volumes in `geometry`.
    Test: tests/train_gpt_style/geometry/test_simplex.py:test_known_volumes_by_both_formulas *)
Theorem heron (d : nat -> nat -> R) : distance_like d ->
  let a := d 0%nat 1%nat in let b := d 0%nat 2%nat in let c := d 1%nat 2%nat in
  16 * vol2 2 d = 2 * (a * b + b * c + c * a) - (a * a + b * b + c * c).
Proof.
  intros like; simpl; rewrite vol2_gram by (exact like || lia).
  unfold gram; expand; destruct like as [zero symmetric].
  rewrite !zero, (symmetric 2 1)%nat; simpl; field.
Qed.

(** In words: squared distances that are c times as large give a squared volume c^k times as large.
    Does not say: that a factor leaves CV alone in floating point.
    Used by: the tests of the volumes in `geometry`; c = s^2 for points s times as far.
    Test: tests/train_gpt_style/geometry/test_simplex.py:test_moving_keeps_a_volume_and_scaling_multiplies_its_square_by_the_eighth_power *)
Theorem vol2_scale (k : nat) (c : R) (d : nat -> nat -> R) : (1 <= k <= 4)%nat ->
  distance_like d -> vol2 k (fun i j => c * d i j) = c ^ k * vol2 k d.
Proof.
  intros k_in like.
  rewrite (vol2_gram k d), vol2_gram; try assumption.
  - replace (gram (fun i j => c * d i j)) with (fun i j => c * gram d i j)
      by (do 2 (apply functional_extensionality; intros); unfold gram; field).
    rewrite det_scale by lia; unfold Rdiv; ring.
  - destruct like as [zero symmetric]; split; intros.
    + rewrite zero; ring.
    + now rewrite symmetric.
Qed.

(* --- No volume of points is negative -------------------------------------- *)

Lemma det_zero_row (k : nat) (M : nat -> nat -> R) :
  (forall j, M 0%nat j = 0) -> detR (S k) M = 0.
Proof.
  intros zero.
  assert (forall m f, (forall j, f j = 0) -> alternating R 0 Rplus Ropp m f = 0) as none.
  { induction m as [| m IHm]; intros f f0; simpl; [reflexivity |].
    rewrite f0, IHm by (intros; apply f0); ring. }
  unfold detR; cbn [det].
  apply none; intros j; rewrite zero; ring.
Qed.

(* What is left of a Gram matrix when the part along the first vector is taken out. *)
Lemma schur (k : nat) (G : nat -> nat -> R) : (1 <= k <= 3)%nat ->
  (forall i j, G i j = G j i) ->
  detR k (fun i j => G 0%nat 0%nat * G (S i) (S j) - G 0%nat (S i) * G 0%nat (S j))
  = G 0%nat 0%nat ^ (k - 1) * detR (S k) G.
Proof.
  intros k_in symmetric.
  assert (k = 1 \/ k = 2 \/ k = 3)%nat as [-> | [-> | ->]] by lia;
    expand; rewrite ?(symmetric 1 0)%nat, ?(symmetric 2 0)%nat, ?(symmetric 3 0)%nat,
      ?(symmetric 2 1)%nat, ?(symmetric 3 1)%nat, ?(symmetric 3 2)%nat; simpl; ring.
Qed.

(** In words: the Gram determinant of up to four vectors is never negative, by Cauchy-Schwarz.
    Does not say: that a computed determinant is not; nor the same of five vectors.
    Used by: the volumes of `geometry`, of up to five points. *)
Theorem gram_det_ge0 (k n : nat) (x : nat -> vector) :
  (k <= 4)%nat -> 0 <= detR k (inner n x).
Proof.
  revert x; induction k as [| k IHk]; intros x k_le; [unfold detR; simpl; lra |].
  pose proof (dot_ge0 n (x 0%nat)) as a_ge0; set (a := dot n (x 0%nat) (x 0%nat)) in *.
  destruct (Nat.eq_dec k 0) as [-> | k_neq0].
  { unfold detR, inner; simpl; fold a; lra. }
  destruct a_ge0 as [a_gt0 | a0].
  - set (y := fun i e => a * x (S i) e + - dot n (x 0%nat) (x (S i)) * x 0%nat e).
    pose proof (IHk y ltac:(lia)) as rest.
    replace (inner n y) with (fun i j => a * (inner n x 0%nat 0%nat * inner n x (S i) (S j)
                              - inner n x 0%nat (S i) * inner n x 0%nat (S j))) in rest.
    + rewrite det_scale, schur in rest by (lia || (intros; apply dot_sym)).
      assert (0 < a ^ k * inner n x 0%nat 0%nat ^ (k - 1)) as factor_gt0
        by (unfold inner; fold a; apply Rmult_lt_0_compat; now apply pow_lt).
      rewrite <- Rmult_assoc in rest; nra.
    + apply functional_extensionality; intros i; apply functional_extensionality; intros j.
      unfold inner, y; fold a.
      rewrite dot_linear, !(dot_sym n _ (fun e => _ + _)), !dot_linear; fold a.
      rewrite (dot_sym n (x (S j)) (x (S i))), (dot_sym n (x (S j)) (x 0%nat)); ring.
  - rewrite det_zero_row; [lra |]; intros j; unfold inner.
    pose proof (cauchy_schwarz n (x 0%nat) (x j)) as square; fold a in square.
    rewrite <- a0, Rmult_0_l in square; nra.
Qed.

Lemma distances_like (n : nat) (p : nat -> vector) : distance_like (distances n p).
Proof.
  split; intros; unfold distances; [apply sum_eq0; intros; ring |].
  apply sum_ext; intros; ring.
Qed.

(** In words: the squared volume of up to five points is never negative.
    Does not say: that a formula in floating point keeps to it.
    Used by: the published "CM valid 100 %", which no network can fail. *)
Theorem vol2_ge0 (k n : nat) (p : nat -> vector) :
  (1 <= k <= 4)%nat -> 0 <= vol2 k (distances n p).
Proof.
  intros k_in; rewrite vol2_gram by (exact k_in || apply distances_like).
  replace (gram (distances n p)) with (inner n (fun i e => p (S i) e - p 0%nat e)).
  - apply Rmult_le_pos; [apply gram_det_ge0; lia |].
    apply Rlt_le, Rinv_0_lt_compat, Rmult_lt_0_compat; apply INR_fact_lt_0.
  - apply functional_extensionality; intros i; apply functional_extensionality; intros j.
    unfold inner, gram, distances, dot.
    rewrite (sum_ext n (fun e => (p (S i) e - p 0%nat e) * (p (S j) e - p 0%nat e)) (fun e => / 2 *
      ((p 0%nat e - p (S i) e) * (p 0%nat e - p (S i) e)
       + ((p 0%nat e - p (S j) e) * (p 0%nat e - p (S j) e)
          + -1 * ((p (S i) e - p (S j) e) * (p (S i) e - p (S j) e)))))) by (intros e; field).
    rewrite sum_scale, !sum_plus, sum_scale; field.
Qed.

(** In words: so the loss without a floor is 0 for any five points.
    Does not say: that a weight on it changes nothing else; a term that is always 0 costs time.
    Used by: CM_FLOOR of `dual_stream`, without which its weight does nothing.
    Code: train_gpt_style/dual_stream/features/volumes.py:Cm,
      train_gpt_style/dual_stream/losses.py:loss_and_facts
    Test: tests/train_gpt_style/dual_stream/test_dual_features.py:test_the_cm_term_is_dead_without_a_floor_and_alive_with_one *)
Theorem cm_loss_zero (n : nat) (p : nat -> vector) : cm_loss 0 n p = 0.
Proof.
  unfold cm_loss; apply Rmax_left; pose proof (vol2_ge0 4 n p ltac:(lia)); lra.
Qed.

(** In words: and along any path of five points its derivative is 0, wherever the path leads.
    Does not say: that an automatic differentiation gives exactly 0 where rounding makes a volume
    negative.
    Used by: CM_FLOOR of `dual_stream`, without which its weight does nothing.
    Code: train_gpt_style/dual_stream/features/volumes.py:Cm,
      train_gpt_style/dual_stream/losses.py:loss_and_facts
    Test: tests/train_gpt_style/dual_stream/test_dual_features.py:test_the_cm_term_is_dead_without_a_floor_and_alive_with_one *)
Theorem cm_loss_flat (n : nat) (path : R -> nat -> vector) (t : R) :
  derivable_pt_lim (fun t => cm_loss 0 n (path t)) t 0.
Proof.
  apply derivable_pt_lim_ext with (f := fun _ => 0); [intros; now rewrite cm_loss_zero |].
  apply derivable_pt_lim_const.
Qed.

(** In words: with a floor the loss is positive exactly where the squared volume is below it.
    Does not say: that a larger volume is better.
    Used by: CM_FLOOR of `dual_stream`.
    Code: train_gpt_style/dual_stream/features/volumes.py:Cm,
      train_gpt_style/dual_stream/losses.py:loss_and_facts
    Test: tests/train_gpt_style/dual_stream/test_dual_features.py:test_the_cm_term_is_dead_without_a_floor_and_alive_with_one *)
Theorem cm_loss_floor (floor : R) (n : nat) (p : nat -> vector) :
  0 < cm_loss floor n p <-> vol2 4 (distances n p) < floor.
Proof.
  unfold cm_loss; split; intros above.
  - apply Rnot_le_lt; intros le; rewrite Rmax_left in above; lra.
  - rewrite Rmax_right; lra.
Qed.
