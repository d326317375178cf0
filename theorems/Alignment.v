(******************************************************************************)
(*           Aligning clouds: whitening, equal Gram matrices, consensus       *)
(*                                                                            *)
(*     diagonal w      == the matrix with w on its diagonal and 0 elsewhere   *)
(*  matmul n A B       == the product of two matrices                         *)
(*   mirror D w z      == z, reflected in the hyperplane orthogonal to w      *)
(*  mse D x y          == the mean of the squares of x - y over D entries     *)
(*  objective N n x c  == the sum over clouds i < N of |x i - c|^2            *)
(*  consensus N x      == the mean of the clouds                              *)
(*                                                                            *)
(* Source: textbook; A. Householder, 1958; J. Gower, 1975, for the consensus; *)
(* the code is train_gpt_style/geometry.                                      *)
(*                                                                            *)
(* Code: train_gpt_style/geometry/procrustes.py:whitened_procrustes           *)
(* Test: tests/train_gpt_style/geometry/test_procrustes.py:test_any_linear_map_is_undone_by_whitening_and_mapped_back_exactly *)
(*                                                                            *)
(* Does not say: that two clouds which can be aligned encode the same things; *)
(* few rows can always be aligned.                                            *)
(******************************************************************************)

From Coq Require Import Reals Lra Lia Psatz.
From Goldenseal Require Import Vectors Cosine Sums.

Open Scope R_scope.

(* --- Whitening ------------------------------------------------------------ *)

Definition diagonal (w : nat -> R) : matrix := fun i j => if Nat.eqb i j then w i else 0.

Definition matmul (n : nat) (A B : matrix) : matrix :=
  fun i j => sum n (fun k => A i k * B k j).

Lemma matmul_diagonal (n : nat) (v w : nat -> R) (i j : nat) : (i < n)%nat ->
  matmul n (diagonal v) (diagonal w) i j = diagonal (fun k => v k * w k) i j.
Proof.
  intros i_lt; unfold matmul, diagonal; rewrite (sum_only n i).
  - rewrite Nat.eqb_refl; destruct (Nat.eqb i j); ring.
  - exact i_lt.
  - intros k _ other; destruct (Nat.eqb_spec i k); [congruence | ring].
Qed.

(** In words: with W = C^(-1/2) for a diagonal C without zeros, W C W is the identity.
    Does not say: that the covariance is diagonal; in the axes of its eigenvectors it is.
    Used by: the whitening of `geometry`. *)
Theorem whitening (n : nat) (c : nat -> R) (i j : nat) : (i < n)%nat ->
  (forall k, (k < n)%nat -> 0 < c k) ->
  let W := diagonal (fun k => / sqrt (c k)) in
  matmul n W (matmul n (diagonal c) W) i j = diagonal (fun _ => 1) i j.
Proof.
  intros i_lt c_gt0 W; unfold W, matmul at 1.
  rewrite (sum_ext_lt n _ (fun k => diagonal (fun k => / sqrt (c k)) i k
             * diagonal (fun k => c k * / sqrt (c k)) k j))
    by (intros k k_lt; now rewrite matmul_diagonal).
  fold (matmul n (diagonal (fun k => / sqrt (c k))) (diagonal (fun k => c k * / sqrt (c k))) i j).
  rewrite matmul_diagonal by exact i_lt; unfold diagonal.
  destruct (Nat.eqb i j); [| reflexivity].
  pose proof (sqrt_lt_R0 _ (c_gt0 i i_lt)) as root_gt0.
  rewrite <- (sqrt_sqrt (c i)) at 2 by (apply Rlt_le, c_gt0, i_lt); field; lra.
Qed.

(** In words: with a floor under the eigenvalues no whitened variance is above 1, and those that
    reach the floor are 1.
    Does not say: that a direction below the floor is noise.
    Used by: WHITEN_FLOOR of `soup`.
    Code: train_gpt_style/soup/consensus.py:calibrate
    Test: tests/train_gpt_style/soup/test_soup_consensus.py:test_constant_columns_fall_to_the_floor_and_a_constant_cloud_is_refused *)
Theorem whitening_floor (c floor : R) : 0 < floor -> 0 <= c ->
  let w := / sqrt (Rmax c floor) in
  0 <= w * c * w <= 1 /\ (floor <= c -> w * c * w = 1).
Proof.
  intros floor_gt0 c_ge0 w.
  pose proof (Rmax_l c floor) as above; pose proof (Rmax_r c floor) as above'.
  assert (0 < sqrt (Rmax c floor)) as root_gt0 by (apply sqrt_lt_R0; lra).
  assert (w * c * w = c / Rmax c floor) as ->.
  { unfold w; rewrite <- (sqrt_sqrt (Rmax c floor)) at 3 by lra; field; lra. }
  split; [split |].
  - apply Rmult_le_pos; [exact c_ge0 | apply Rlt_le, Rinv_0_lt_compat; lra].
  - apply Rmult_le_reg_r with (Rmax c floor); [lra |].
    unfold Rdiv; rewrite Rmult_assoc, Rinv_l; lra.
  - intros reaches; rewrite Rmax_left by exact reaches; field; lra.
Qed.

(* --- Rows with equal Gram matrices ---------------------------------------- *)

Definition mirror (D : nat) (w z : vector) : vector :=
  fun j => 1 * z j + - (2 * dot D z w / dot D w w) * w j.

Definition keeps_products (D : nat) (Q : vector -> vector) : Prop :=
  forall a b, dot D (Q a) (Q b) = dot D a b.

Lemma dot_zero (D : nat) (w z : vector) : dot D w w = 0 -> dot D z w = 0.
Proof.
  intros w0; pose proof (cauchy_schwarz D z w) as square; rewrite w0, Rmult_0_r in square; nra.
Qed.

Lemma mirror_keeps (D : nat) (w : vector) : keeps_products D (mirror D w).
Proof.
  intros a b; unfold mirror; rewrite dot_linear, !(dot_sym D _ (fun j => _ + _)), !dot_linear.
  rewrite (dot_sym D b a), (dot_sym D w a), (dot_sym D b w).
  destruct (Req_dec (dot D w w) 0) as [zero | nonzero].
  - rewrite (dot_sym D w b), !(dot_zero D w) by exact zero; unfold Rdiv; ring.
  - rewrite (dot_sym D w b); field; exact nonzero.
Qed.

Lemma mirror_fixes (D : nat) (w z : vector) (j : nat) : dot D z w = 0 -> mirror D w z j = z j.
Proof. intros flat; unfold mirror; rewrite flat; unfold Rdiv; ring. Qed.

Lemma mirror_swaps (D : nat) (x y : vector) (j : nat) : (j < D)%nat -> dot D x x = dot D y y ->
  mirror D (fun j => x j - y j) x j = y j.
Proof.
  intros j_lt same; unfold mirror; set (w := fun j => x j - y j).
  assert (forall z, dot D z w = dot D z x - dot D z y) as minus.
  { intros z; replace (dot D z x - dot D z y) with (1 * dot D x z + -1 * dot D y z)
      by (rewrite (dot_sym D x), (dot_sym D y); ring).
    rewrite <- dot_linear, dot_sym; apply dot_ext; intros; unfold w; ring. }
  destruct (Req_dec (dot D w w) 0) as [zero | nonzero].
  - assert (w j * w j <= dot D w w) as part
      by (apply (sum_term_le D j (fun j => w j * w j)); [exact j_lt | intros; apply Rle_0_sqr]).
    assert (x j - y j = 0) as same_entry by (change (w j = 0); nra).
    rewrite same_entry; lra.
  - assert (dot D w w = 2 * dot D x w) as twice.
    { rewrite !minus, !(dot_sym D w), !minus, (dot_sym D y x), same; ring. }
    rewrite <- twice; field; exact nonzero.
Qed.

(** In words: two lists of any length, of vectors with the same scalar products, are turned onto
    each other exactly by a map that keeps all scalar products.
    Does not say: that clouds with other scalar products can be aligned; whitening makes those of
    few rows equal, which is why a fit on n <= D + 1 rows shows nothing.
    Used by: the warning of `geometry` and `soup` at few rows.
    Code: train_gpt_style/geometry/procrustes.py:held_out
    Test: tests/train_gpt_style/geometry/test_procrustes.py:test_few_rows_fit_any_two_clouds_and_the_held_out_ones_tell *)
Theorem equal_gram (D n : nat) (x y : nat -> vector) :
  (forall i j, (i < n)%nat -> (j < n)%nat -> dot D (x i) (x j) = dot D (y i) (y j)) ->
  exists Q : vector -> vector, keeps_products D Q /\
    forall i j, (i < n)%nat -> (j < D)%nat -> Q (x i) j = y i j.
Proof.
  induction n as [| n IHn]; intros same.
  { exists (fun z => z); split; [intros a b; reflexivity | lia]. }
  destruct IHn as (Q & keeps & maps); [auto with arith |].
  set (w := fun j => Q (x n) j - y n j); exists (fun z => mirror D w (Q z)); split.
  { intros a b; rewrite mirror_keeps; apply keeps. }
  intros i j i_lt j_lt; destruct (Nat.eq_dec i n) as [-> | other].
  - apply mirror_swaps; [exact j_lt |]; rewrite keeps; apply same; lia.
  - (* The new mirror leaves the earlier rows where they are. *)
    rewrite mirror_fixes; [apply maps; lia |].
    rewrite dot_sym; unfold w.
    rewrite (dot_ext D _ (fun j => 1 * Q (x n) j + -1 * y n j)) by (intros; ring).
    rewrite dot_linear, keeps, same, (dot_sym D (y n)) by lia.
    rewrite (dot_sym D (y n)), <- (dot_ext D (Q (x i)) (y i) (y n)) by (intros; apply maps; lia).
    ring.
Qed.

(* --- Squared error and cosine --------------------------------------------- *)

Definition mse (D : nat) (x y : vector) : R :=
  sum D (fun j => (x j - y j) * (x j - y j)) / INR D.

(** In words: between unit vectors the mean squared error is 2 (1 - cosine) / D.
    Does not say: anything of vectors that are not of length 1.
    Used by: the loss of the student of `soup`.
    Code: train_gpt_style/soup_student/model.py:loss_of
    Test: tests/train_gpt_style/soup/test_soup_student.py:test_the_squared_error_of_unit_rows_is_their_cosine *)
Theorem mse_cosine (D : nat) (x y : vector) : (0 < D)%nat -> dot D x x = 1 -> dot D y y = 1 ->
  mse D x y = 2 * (1 - dot D x y) / INR D.
Proof.
  intros D_gt0 x1 y1; unfold mse; f_equal.
  pose proof (dot_combination D 1 (-1) x y) as square; rewrite x1, y1 in square.
  transitivity (dot D (fun j => 1 * x j + -1 * y j) (fun j => 1 * x j + -1 * y j)); [| lra].
  apply sum_ext; intros j; ring.
Qed.

(** In words: at 128 entries, an alignment of weight a and a squared error of weight m are together
    a + m / 64 times one alignment; with one half each, 65 / 128.
    Does not say: which two weights the original had; the log shows only this sum.
    Used by: the recommended weights of `soup`.
    Code: train_gpt_style/soup_student/model.py:loss_of
    Test: tests/train_gpt_style/soup/test_soup_student.py:test_the_squared_error_of_unit_rows_is_their_cosine *)
Theorem alignment_weight (a m : R) (x y : vector) : dot 128 x x = 1 -> dot 128 y y = 1 ->
  m * mse 128 x y + a * (1 - dot 128 x y) = (a + m / 64) * (1 - dot 128 x y) /\
  1 / 2 + 1 / 2 / 64 = 65 / 128.
Proof.
  intros x1 y1; split; [| field].
  rewrite mse_cosine by (assumption || lia).
  replace (INR 128) with 128 by (rewrite INR_IZR_INZ; reflexivity); field.
Qed.

(* --- Consensus ------------------------------------------------------------ *)

Definition objective (N n : nat) (x : nat -> vector) (c : vector) : R :=
  sum N (fun i => sum n (fun j => (x i j - c j) * (x i j - c j))).

Definition consensus (N : nat) (x : nat -> vector) : vector := fun j => mean N (fun i => x i j).

Lemma objective_consensus (N n : nat) (x : nat -> vector) (c : vector) : (0 < N)%nat ->
  objective N n x c
  = objective N n x (consensus N x)
    + INR N * sum n (fun j => (consensus N x j - c j) * (consensus N x j - c j)).
Proof.
  intros N_gt0; pose proof (INR_gt0 N N_gt0) as INR_gt0; unfold objective.
  rewrite !(sum_swap N n), <- sum_scale, <- sum_plus; apply sum_ext; intros j.
  set (m := consensus N x j).
  assert (sum N (fun i => x i j) = INR N * m) as total by (unfold m, consensus, mean; field; lra).
  rewrite (sum_ext N _ (fun i => (x i j - m) * (x i j - m)
             + (2 * (m - c j) * x i j + (c j * c j - m * m)))) by (intros; ring).
  rewrite sum_plus, (sum_plus N (fun i => _ * x i j)), sum_scale, sum_const, total; ring.
Qed.

(** In words: of all centres the mean of the clouds has the least objective.
    Does not say: that the clouds are near to it.
    Used by: the generalised Procrustes of `geometry`.
    Code: train_gpt_style/geometry/gpa.py:generalised_procrustes
    Test: tests/train_gpt_style/geometry/test_procrustes.py:test_the_objective_of_a_consensus_never_rises *)
Theorem consensus_least (N n : nat) (x : nat -> vector) (c : vector) :
  (0 < N)%nat -> objective N n x (consensus N x) <= objective N n x c.
Proof.
  intros N_gt0; rewrite (objective_consensus N n x c N_gt0).
  pose proof (INR_gt0 N N_gt0) as INR_gt0.
  pose proof (sum_sqr_ge0 n (fun j => consensus N x j - c j)) as square; nra.
Qed.

(** In words: so a round of it, turns that are no worse and then the mean, never raises the
    objective.
    Does not say: that the rounds reach the least objective of all; they may stop at another.
    Used by: the generalised Procrustes of `geometry`, which asserts it.
    Code: train_gpt_style/geometry/gpa.py:generalised_procrustes
    Test: tests/train_gpt_style/geometry/test_procrustes.py:test_the_objective_of_a_consensus_never_rises *)
Theorem consensus_round (N n : nat) (x x' : nat -> vector) (c : vector) : (0 < N)%nat ->
  (forall i, (i < N)%nat -> sum n (fun j => (x' i j - c j) * (x' i j - c j))
                            <= sum n (fun j => (x i j - c j) * (x i j - c j))) ->
  objective N n x' (consensus N x') <= objective N n x c.
Proof.
  intros N_gt0 no_worse.
  apply Rle_trans with (objective N n x' c); [now apply consensus_least | now apply sum_le].
Qed.
