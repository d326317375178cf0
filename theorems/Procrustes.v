(******************************************************************************)
(*              Orthogonal Procrustes: the best turn of one cloud             *)
(*                                                                            *)
(*    unit_rows n Q    == rows i and j of Q have the product 1 if i = j,      *)
(*                        and 0 otherwise                                     *)
(*   orthogonal n Q    == so have the columns                                 *)
(*     turned n S Q    == the rows of S, each times Q                         *)
(*   product m n X Y   == the sum of all X i j Y i j                          *)
(*     apart m n X Y   == the sum of all (X i j - Y i j)^2                    *)
(*      cross m S T    == the matrix S^T T                                    *)
(*  composed n U s V   == the matrix sum_k s k (row k of U) (row k of V)^T    *)
(*                                                                            *)
(* Source: P. Schoenemann, 1966; the code is                                  *)
(* train_gpt_style/geometry/procrustes.py.                                    *)
(*                                                                            *)
(* Code: train_gpt_style/geometry/procrustes.py:orthogonal_procrustes         *)
(* Test: tests/train_gpt_style/geometry/test_procrustes.py:test_a_rotation_is_found_again *)
(*                                                                            *)
(* Does not say: that every matrix has singular values and vectors; it is     *)
(* assumed of S^T T, and LAPACK computes them.                                *)
(******************************************************************************)

From Coq Require Import Reals Lra Lia Psatz.
From Goldenseal Require Import Vectors Cosine Sums Equilibrium.

Open Scope R_scope.

Definition unit_rows (n : nat) (Q : matrix) : Prop :=
  forall i j, (i < n)%nat -> (j < n)%nat -> dot n (Q i) (Q j) = if Nat.eqb i j then 1 else 0.

Definition orthogonal (n : nat) (Q : matrix) : Prop :=
  unit_rows n Q /\ unit_rows n (transposed Q).

Definition turned (n : nat) (S Q : matrix) : matrix := fun i => act n (transposed Q) (S i).

Definition product (m n : nat) (X Y : matrix) : R := sum m (fun i => dot n (X i) (Y i)).

Definition apart (m n : nat) (X Y : matrix) : R :=
  sum m (fun i => sum n (fun j => (X i j - Y i j) * (X i j - Y i j))).

Definition cross (m : nat) (S T : matrix) : matrix := fun k j => sum m (fun i => S i k * T i j).

Definition composed (n : nat) (U : matrix) (s : nat -> R) (V : matrix) : matrix :=
  fun i j => sum n (fun k => s k * (U k i * V k j)).

Lemma act_combination (n : nat) (Q : matrix) (x : vector) (y : vector) :
  dot n (act n (transposed Q) x) y = sum n (fun k => x k * dot n (Q k) y).
Proof. rewrite dot_act; reflexivity. Qed.

(* A turn and its transpose undo each other. *)
Lemma turn_back (n : nat) (Q : matrix) (x : vector) (k : nat) : unit_rows n Q -> (k < n)%nat ->
  dot n (act n (transposed Q) x) (Q k) = x k.
Proof.
  intros unit k_lt; rewrite act_combination, (sum_only n k) by
    (exact k_lt || (intros j j_lt other; rewrite unit by assumption;
                    destruct (Nat.eqb_spec j k); [contradiction | ring])).
  rewrite unit, Nat.eqb_refl by exact k_lt; ring.
Qed.

(** In words: a turn keeps the length of every row.
    Does not say: that a computed turn does so to the last bit.
    Used by: the clouds that `geometry` turns onto each other. *)
Theorem turned_length (n : nat) (Q : matrix) (x : vector) : unit_rows n Q ->
  dot n (act n (transposed Q) x) (act n (transposed Q) x) = dot n x x.
Proof.
  intros unit; rewrite act_combination; apply sum_ext_lt; intros k k_lt.
  now rewrite (dot_sym n (Q k)), turn_back.
Qed.

Lemma apart_product (m n : nat) (S T Q : matrix) : unit_rows n Q ->
  apart m n (turned n S Q) T
  = product m n S S + product m n T T - 2 * product m n (turned n S Q) T.
Proof.
  intros unit; unfold apart, product.
  rewrite (sum_ext m _ (fun i => dot n (S i) (S i) + (dot n (T i) (T i)
                                 + -2 * dot n (turned n S Q i) (T i)))).
  - rewrite !sum_plus, sum_scale; ring.
  - intros i; rewrite <- (turned_length n Q (S i) unit); unfold turned, dot.
    rewrite <- sum_scale, <- !sum_plus; apply sum_ext; intros j; ring.
Qed.

Lemma product_cross (m n : nat) (S T Q : matrix) :
  product m n (turned n S Q) T = sum n (fun k => dot n (Q k) (cross m S T k)).
Proof.
  unfold product, turned.
  rewrite (sum_ext m _ (fun i => sum n (fun k => S i k * dot n (Q k) (T i))))
    by (intros i; apply act_combination).
  rewrite sum_swap; apply sum_ext; intros k; unfold dot, cross.
  rewrite (sum_ext m _ (fun i => sum n (fun j => Q k j * (S i k * T i j))))
    by (intros i; rewrite <- sum_scale; apply sum_ext; intros j; ring).
  rewrite sum_swap; apply sum_ext; intros j; apply sum_scale.
Qed.

Lemma product_composed (n : nat) (U V Q : matrix) (s : nat -> R) :
  sum n (fun k => dot n (Q k) (composed n U s V k))
  = sum n (fun l => s l * dot n (act n (transposed Q) (U l)) (V l)).
Proof.
  rewrite (sum_ext n _ (fun k => sum n (fun l => s l * (U l k * dot n (Q k) (V l))))).
  - rewrite sum_swap; apply sum_ext; intros l; rewrite act_combination; apply sum_scale.
  - intros k; unfold dot at 1, composed.
    rewrite (sum_ext n _ (fun j => sum n (fun l => Q k j * (s l * (U l k * V l j)))))
      by (intros j; now rewrite sum_scale).
    rewrite sum_swap; apply sum_ext; intros l; unfold dot.
    rewrite <- !sum_scale; apply sum_ext; intros j; ring.
Qed.

(** In words: for numbers s >= 0 and any rotation or reflection Q, the trace of Q diag(s) is at most
    the sum of s, which the identity reaches.
    Does not say: that only the identity reaches it; where s is 0 others do.
    Used by: the orthogonal Procrustes of `geometry`. *)
Theorem trace_bound (n : nat) (s : nat -> R) (Q : matrix) : unit_rows n Q ->
  (forall k, (k < n)%nat -> 0 <= s k) -> sum n (fun k => Q k k * s k) <= sum n s.
Proof.
  intros unit s_ge0; apply sum_le; intros k k_lt.
  assert (Q k k * Q k k <= 1) as small.
  { pose proof (unit k k k_lt k_lt) as row; rewrite Nat.eqb_refl in row; rewrite <- row.
    apply (sum_term_le n k (fun j => Q k j * Q k j)); [exact k_lt | intros; apply Rle_0_sqr]. }
  pose proof (s_ge0 k k_lt); nra.
Qed.

(** In words: whatever turn is taken, the product of the turned cloud and the target is at most the
    sum of the singular values of S^T T.
    Does not say: that the singular values are computed well.
    Used by: the orthogonal Procrustes of `geometry`. *)
Theorem procrustes_bound (m n : nat) (S T U V Q : matrix) (s : nat -> R) :
  (forall i j, cross m S T i j = composed n U s V i j) ->
  (forall k, (k < n)%nat -> 0 <= s k) ->
  unit_rows n U -> unit_rows n V -> unit_rows n Q ->
  product m n (turned n S Q) T <= sum n s.
Proof.
  intros svd s_ge0 U_unit V_unit R_unit; rewrite product_cross.
  rewrite (sum_ext n _ (fun k => dot n (Q k) (composed n U s V k)))
    by (intros k; apply sum_ext; intros j; now rewrite svd).
  rewrite product_composed; apply sum_le; intros l l_lt.
  rewrite <- (Rmult_1_r (s l)) at 2; apply Rmult_le_compat_l; [now apply s_ge0 |].
  pose proof (cauchy_schwarz n (act n (transposed Q) (U l)) (V l)) as square.
  rewrite turned_length, U_unit, V_unit, Nat.eqb_refl in square by assumption; nra.
Qed.

Definition best_turn (n : nat) (U V : matrix) : matrix :=
  fun k j => sum n (fun l => U l k * V l j).

Lemma best_turn_row (n : nat) (U V : matrix) (l j : nat) : unit_rows n U -> (l < n)%nat ->
  act n (transposed (best_turn n U V)) (U l) j = V l j.
Proof.
  intros U_unit l_lt; unfold act, transposed, best_turn.
  rewrite (sum_ext n _ (fun k => sum n (fun h => V h j * (U h k * U l k))))
    by (intros k; rewrite Rmult_comm, <- sum_scale; apply sum_ext; intros h; ring).
  rewrite sum_swap.
  rewrite (sum_ext_lt n _ (fun h => V h j * dot n (U h) (U l)))
    by (intros h _; apply sum_scale).
  rewrite (sum_only n l); [rewrite U_unit, Nat.eqb_refl by exact l_lt; ring | exact l_lt |].
  intros h h_lt other; rewrite U_unit by assumption.
  destruct (Nat.eqb_spec h l); [contradiction | ring].
Qed.

(** In words: U^T V is itself a turn.
    Does not say: that its determinant is 1; it may be a reflection.
    Used by: the orthogonal Procrustes of `geometry`, and its switch `proper`.
    Test: tests/train_gpt_style/geometry/test_procrustes.py:test_a_proper_fit_is_no_reflection *)
Theorem best_turn_orthogonal (n : nat) (U V : matrix) :
  orthogonal n U -> unit_rows n V -> unit_rows n (best_turn n U V).
Proof.
  intros [U_rows U_columns] V_unit k k' k_lt k'_lt.
  assert (forall a y, dot n (best_turn n U V a) y = sum n (fun l => U l a * dot n (V l) y)) as row.
  { intros a y; unfold dot, best_turn.
    rewrite (sum_ext n _ (fun j => sum n (fun l => U l a * (V l j * y j))))
      by (intros j; rewrite Rmult_comm, <- sum_scale; apply sum_ext; intros l; ring).
    rewrite sum_swap; apply sum_ext; intros l; apply sum_scale. }
  rewrite <- (U_columns k k' k_lt k'_lt), row; apply sum_ext_lt; intros l l_lt.
  unfold transposed; f_equal; rewrite dot_sym, row.
  rewrite (sum_only n l); [rewrite V_unit, Nat.eqb_refl by exact l_lt; ring | exact l_lt |].
  intros h h_lt other; rewrite V_unit by assumption.
  destruct (Nat.eqb_spec h l); [contradiction | ring].
Qed.

(** In words: the turn U^T V reaches the bound, so no turn brings the cloud nearer to the target.
    Does not say: that it is the only one.
    Used by: the orthogonal Procrustes of `geometry`. *)
Theorem procrustes_best (m n : nat) (S T U V Q : matrix) (s : nat -> R) :
  (forall i j, cross m S T i j = composed n U s V i j) ->
  (forall k, (k < n)%nat -> 0 <= s k) ->
  orthogonal n U -> unit_rows n V -> unit_rows n Q ->
  apart m n (turned n S (best_turn n U V)) T <= apart m n (turned n S Q) T.
Proof.
  intros svd s_ge0 U_orthogonal V_unit R_unit.
  pose proof (best_turn_orthogonal n U V U_orthogonal V_unit) as best_unit.
  rewrite !apart_product by assumption.
  pose proof (procrustes_bound m n S T U V Q s svd s_ge0 (proj1 U_orthogonal) V_unit R_unit).
  assert (product m n (turned n S (best_turn n U V)) T = sum n s); [| lra].
  rewrite product_cross.
  rewrite (sum_ext n _ (fun k => dot n (best_turn n U V k) (composed n U s V k)))
    by (intros k; apply sum_ext; intros j; now rewrite svd).
  rewrite product_composed; apply sum_ext_lt; intros l l_lt.
  rewrite (dot_ext n _ (V l)) by (intros; apply best_turn_row; [apply U_orthogonal | exact l_lt]).
  rewrite V_unit, Nat.eqb_refl by exact l_lt; ring.
Qed.
