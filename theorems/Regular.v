(******************************************************************************)
(*      The Cayley-Menger determinant of a regular simplex, of any size       *)
(*                                                                            *)
(*     sign n == (-1)^n                                                       *)
(*     hole m == the m x m matrix of ones with 0 on the diagonal              *)
(*  flanked t == a column of ones, then `hole` without its column t           *)
(*                                                                            *)
(* Source: derived here, by expansion along first rows.                       *)
(*                                                                            *)
(* Code: train_gpt_style/geometry/simplex.py:regular_simplex                  *)
(* Test: tests/train_gpt_style/geometry/test_simplex.py:test_the_determinant_of_a_regular_simplex_is_n_with_alternating_sign *)
(*                                                                            *)
(* Does not say: anything of simplexes with other edges.                      *)
(******************************************************************************)

From Coq Require Import ZArith Lia FunctionalExtensionality.
From Goldenseal Require Import Determinant.

Open Scope Z_scope.

Fixpoint sign (n : nat) : Z :=
  match n with
  | O => 1
  | S k => - sign k
  end.

Definition hole : nat -> nat -> Z := regular 1.

Definition flanked (t : nat) : nat -> nat -> Z :=
  fun i j => match j with
             | O => 1
             | S k => hole i (if Nat.ltb k t then k else S k)
             end.

Definition altZ : nat -> (nat -> Z) -> Z := alternating Z 0 Z.add Z.opp.

Lemma detZ_step (n : nat) (M : nat -> nat -> Z) :
  detZ (S n) M = altZ (S n) (fun j => M O j * detZ n (minor Z M j)).
Proof. reflexivity. Qed.

Lemma altZ_ext (n : nat) (f g : nat -> Z) :
  (forall j, (j < n)%nat -> f j = g j) -> altZ n f = altZ n g.
Proof.
  revert f g; induction n as [| n IHn]; intros f g fg; [reflexivity |]; unfold altZ; simpl.
  rewrite fg by lia; do 2 f_equal; apply IHn; intros; apply fg; lia.
Qed.

Lemma altZ_zero (n : nat) (f : nat -> Z) : (forall j, (j < n)%nat -> f j = 0) -> altZ n f = 0.
Proof.
  intros f0; rewrite (altZ_ext n f (fun _ => 0)) by exact f0; clear f0.
  induction n as [| n IHn]; [reflexivity |]; unfold altZ in *; simpl; now rewrite IHn.
Qed.

Lemma altZ_only (n k : nat) (f : nat -> Z) : (k < n)%nat ->
  (forall j, (j < n)%nat -> j <> k -> f j = 0) -> altZ n f = sign k * f k.
Proof.
  revert k f; induction n as [| n IHn]; intros k f k_lt others; [lia |].
  change (altZ (S n) f) with (f O + - altZ n (fun j => f (S j))).
  destruct k as [| k].
  - rewrite altZ_zero by (intros; apply others; lia); change (sign O) with 1; ring.
  - rewrite (IHn k) by (intros; try apply others; lia).
    rewrite others by lia; change (sign (S k)) with (- sign k); ring.
Qed.

Lemma altZ_signs (n : nat) (c : Z) : altZ n (fun j => c * sign j) = c * Z.of_nat n.
Proof.
  revert c; induction n as [| n IHn]; intros c; [unfold altZ; simpl; ring |].
  change (altZ (S n) (fun j => c * sign j)) with (c * 1 + - altZ n (fun j => c * - sign j)).
  rewrite (altZ_ext n _ (fun j => - c * sign j)) by (intros; ring); rewrite IHn; lia.
Qed.

Lemma detZ_ext (n : nat) (M N : nat -> nat -> Z) :
  (forall i j, (i < n)%nat -> (j < n)%nat -> M i j = N i j) -> detZ n M = detZ n N.
Proof.
  revert M N; induction n as [| n IHn]; intros M N same; [reflexivity |].
  rewrite !detZ_step; apply altZ_ext; intros j j_lt; rewrite same by lia; f_equal.
  apply IHn; intros a b a_lt b_lt; unfold minor; apply same; [lia |].
  destruct (Nat.ltb_spec b j); lia.
Qed.

(* Two equal columns side by side. *)
Lemma detZ_twins (n c : nat) (M : nat -> nat -> Z) : (S c < n)%nat ->
  (forall i, (i < n)%nat -> M i c = M i (S c)) -> detZ n M = 0.
Proof.
  revert c M; induction n as [| n IHn]; intros c M c_lt twins; [lia |]; rewrite detZ_step.
  set (f := fun j => M O j * detZ n (minor Z M j)).
  assert (f c = f (S c)) as cancel.
  { unfold f; rewrite twins by lia; f_equal; apply detZ_ext; intros i j i_lt j_lt; unfold minor.
    destruct (Nat.ltb_spec j c), (Nat.ltb_spec j (S c)); try lia; try reflexivity.
    replace j with c by lia; symmetry; apply twins; lia. }
  assert (forall j, (j < S n)%nat -> j <> c -> j <> S c -> f j = 0) as others.
  { intros j j_lt other other'; unfold f.
    replace (detZ n (minor Z M j)) with 0; [ring | symmetry].
    destruct (Nat.lt_ge_cases j c) as [before | after].
    - apply (IHn (pred c)); [lia |]; intros i i_lt; unfold minor.
      destruct (Nat.ltb_spec (pred c) j), (Nat.ltb_spec (S (pred c)) j); try lia.
      replace (S (pred c)) with c by lia; apply twins; lia.
    - apply (IHn c); [lia |]; intros i i_lt; unfold minor.
      destruct (Nat.ltb_spec c j), (Nat.ltb_spec (S c) j); try lia; apply twins; lia. }
  clearbody f; clear M twins IHn; revert c f c_lt cancel others.
  induction (S n) as [| m IHm]; intros c f c_lt cancel others; [lia |].
  change (altZ (S m) f) with (f O + - altZ m (fun j => f (S j))).
  destruct c as [| c].
  - rewrite (altZ_only m 0) by (intros; try apply others; lia); change (sign O) with 1; lia.
  - rewrite (IHm c) by (intros; try apply others; try apply cancel; lia).
    rewrite others by lia; ring.
Qed.

(* What is left of each family when the first row and a column are taken away. *)

Lemma hole_minor (k i j : nat) : minor Z hole (S k) i j = flanked k i j.
Proof.
  unfold minor, flanked; destruct j as [| j]; [reflexivity |].
  change (Nat.ltb (S j) (S k)) with (Nat.ltb j k); destruct (Nat.ltb j k); reflexivity.
Qed.

Lemma flanked_0_minor (k i j : nat) : minor Z (flanked 0) (S k) i j = flanked k i j.
Proof.
  unfold minor, flanked at 2; destruct j as [| j]; [reflexivity |].
  change (Nat.ltb (S j) (S k)) with (Nat.ltb j k); destruct (Nat.ltb j k); reflexivity.
Qed.

Lemma flanked_S_minor (t i j : nat) : minor Z (flanked (S t)) 0 i j = flanked t i j.
Proof.
  unfold minor, flanked; simpl; destruct j as [| j]; [reflexivity |].
  change (Nat.ltb (S j) (S t)) with (Nat.ltb j t); destruct (Nat.ltb j t); reflexivity.
Qed.

Lemma sign_minus (m k : nat) : (k <= m)%nat -> sign (m - k) = sign m * sign k.
Proof.
  induction k as [| k IHk]; intros k_le; [rewrite Nat.sub_0_r; simpl; ring |].
  assert (sign (m - k) = - sign (m - S k)) as step
    by (replace (m - k)%nat with (S (m - S k)) by lia; reflexivity).
  rewrite IHk in step by lia; change (sign (S k)) with (- sign k); lia.
Qed.

(* A first row of ones beside a 0 or a 1, over minors that are `flanked`. *)
Lemma row_of_ones (m : nat) (f : nat -> Z) :
  (forall k, (k <= m)%nat -> f k = sign (m - k)) -> altZ (S m) f = sign m * Z.of_nat (S m).
Proof.
  intros known; rewrite <- altZ_signs; apply altZ_ext; intros k k_lt.
  rewrite known by lia; apply sign_minus; lia.
Qed.

Lemma families (m : nat) :
  (forall t, (t <= m)%nat -> detZ (S m) (flanked t) = sign (m - t)) /\
  detZ (S m) hole = sign m * Z.of_nat m.
Proof.
  induction m as [| m [IHflanked IHhole]].
  { split; [intros t t_le; replace t with O by lia |]; reflexivity. }
  assert (altZ (S m) (fun k => detZ (S m) (flanked k)) = sign m * Z.of_nat (S m)) as ones
    by (now apply row_of_ones).
  assert (forall M, (forall k, (k <= m)%nat -> M O (S k) = 1) ->
          (forall k i j, minor Z M (S k) i j = flanked k i j) ->
          detZ (S (S m)) M = M O O * detZ (S m) (minor Z M 0) - sign m * Z.of_nat (S m)) as expanded.
  { intros M row minors; rewrite detZ_step, <- ones.
    change (altZ (S (S m)) ?f) with (f O + - altZ (S m) (fun j => f (S j))); cbv beta.
    unfold Z.sub; do 2 f_equal; apply altZ_ext; intros k k_lt.
    rewrite row, Z.mul_1_l by lia; apply detZ_ext; intros; apply minors. }
  split.
  - intros [| t] t_le.
    + rewrite expanded by (intros; reflexivity || apply flanked_0_minor).
      rewrite (detZ_ext (S m) _ hole) by reflexivity; rewrite IHhole.
      change (flanked 0 0 0) with 1; change (sign (S m - 0)) with (- sign m); lia.
    + rewrite detZ_step, (altZ_only _ 0); [| lia |].
      * change (sign 0) with 1; change (flanked (S t) 0 0) with 1.
        rewrite (detZ_ext (S m) _ (flanked t)) by (intros; apply flanked_S_minor).
        rewrite IHflanked by lia; replace (S m - S t)%nat with (m - t)%nat by lia; ring.
      * intros [| [| k]] k_lt other; [lia | change (flanked (S t) 0 1) with 0; ring |].
        rewrite (detZ_twins (S m) 0); [ring | lia | reflexivity].
  - rewrite expanded by (intros; reflexivity || apply hole_minor).
    change (hole 0 0) with 0; change (sign (S m)) with (- sign m); lia.
Qed.

(** In words: the Cayley-Menger determinant of a regular simplex of n points with edge 1 is
    (-1)^n n.
    Does not say: anything of other edges; a squared edge s multiplies it by s^(n - 1).
    Used by: the tests of the volumes in `geometry`. *)
Theorem regular_any (n : nat) : (0 < n)%nat ->
  cayley_menger n (regular 1) = sign n * Z.of_nat n.
Proof.
  destruct n as [| m]; [lia | intros _]; unfold cayley_menger; rewrite detZ_step.
  set (M := bordered Z 0 1 (regular 1)).
  change (M O O * detZ (S m) (minor Z M 0)
          + - altZ (S m) (fun k => 1 * detZ (S m) (minor Z M (S k)))
          = - sign m * Z.of_nat (S m)).
  change (M O O) with 0; rewrite (row_of_ones m); [ring |].
  intros k k_le; rewrite Z.mul_1_l, <- (proj1 (families m) k k_le).
  apply detZ_ext; intros i j _ _; unfold minor, M, flanked; simpl.
  destruct j as [| j]; [reflexivity |].
  change (Nat.ltb (S j) (S k)) with (Nat.ltb j k); destruct (Nat.ltb j k); reflexivity.
Qed.
