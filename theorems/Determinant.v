(******************************************************************************)
(*        Determinants by expansion, of Cayley-Menger and Gram matrices       *)
(*                                                                            *)
(*         minor M j == M without row 0 and column j                          *)
(* alternating n f   == f 0 - f 1 + f 2 - ...; n terms                        *)
(*           det n M == the determinant of the first n rows and columns       *)
(*     bordered one d == the squared distances d with a border of ones and    *)
(*                       a 0 in the corner                                    *)
(*                                                                            *)
(* The ring is left open, so that integers can be computed with and reals     *)
(* reasoned about.                                                            *)
(*                                                                            *)
(* Source: P. S. Laplace, expansion by the first row; K. Menger, 1928.        *)
(*                                                                            *)
(* Code: train_gpt_style/geometry/simplex.py:bordered                         *)
(* Test: tests/train_gpt_style/geometry/test_simplex.py:test_known_volumes_by_both_formulas *)
(*                                                                            *)
(* Does not say: that this expansion is a good way to compute, which for      *)
(* floating-point numbers it is not.                                          *)
(******************************************************************************)

From Coq Require Import ZArith.

Section Ring.

Variables (T : Type) (zero one : T) (add mul : T -> T -> T) (opp : T -> T).

Definition minor (M : nat -> nat -> T) (j : nat) : nat -> nat -> T :=
  fun a b => M (S a) (if Nat.ltb b j then b else S b).

Fixpoint alternating (n : nat) (f : nat -> T) : T :=
  match n with
  | O => zero
  | S k => add (f O) (opp (alternating k (fun j => f (S j))))
  end.

Fixpoint det (n : nat) (M : nat -> nat -> T) : T :=
  match n with
  | O => one
  | S k => alternating n (fun j => mul (M O j) (det k (minor M j)))
  end.

Definition bordered (d : nat -> nat -> T) : nat -> nat -> T :=
  fun i j => match i, j with
             | O, O => zero
             | O, S _ | S _, O => one
             | S a, S b => d a b
             end.

End Ring.

Open Scope Z_scope.

Definition detZ : nat -> (nat -> nat -> Z) -> Z := det Z 0 1 Z.add Z.mul Z.opp.

(* The Cayley-Menger determinant of n points with integer squared distances. *)
Definition cayley_menger (n : nat) (d : nat -> nat -> Z) : Z := detZ (S n) (bordered Z 0 1 d).

(* All edges of squared length s. *)
Definition regular (s : Z) : nat -> nat -> Z := fun i j => if Nat.eqb i j then 0 else s.

(** In words: the regular simplexes of 2 to 6 points with edge 1 have the determinants 2, -3, 4, -5
    and 6.
    Does not say: the value for more points; it is (-1)^n n for n of them.
    Used by: the tests of the volumes in `geometry`. *)
Fact regular_computed :
  cayley_menger 2 (regular 1) = 2 /\ cayley_menger 3 (regular 1) = -3 /\
  cayley_menger 4 (regular 1) = 4 /\ cayley_menger 5 (regular 1) = -5 /\
  cayley_menger 6 (regular 1) = 6.
Proof. vm_compute; repeat split; reflexivity. Qed.

(* The regular simplex with edge s, with one edge changed to t. *)
Definition stretched (s t : Z) : nat -> nat -> Z :=
  fun i j => match i, j with
             | O, S O | S O, O => t
             | _, _ => regular s i j
             end.

(* The origin and unit axes. *)
Definition axes : nat -> nat -> Z :=
  fun i j => match i, j with
             | O, O => 0
             | O, S _ | S _, O => 1
             | S a, S b => regular 2 (S a) (S b)
             end.

(* A triangle with sides 3, 4 and 5. *)
Definition triangle_345 : nat -> nat -> Z :=
  fun i j => match i, j with
             | O, S O | S O, O => 9
             | O, S (S O) | S (S O), O => 16
             | S O, S (S O) | S (S O), S O => 25
             | _, _ => 0
             end.

(** In words: five orthonormal points have the determinant -80, the origin with four axes -16, and
    the triangle 3-4-5 -576.
    Does not say: their volumes; these are the determinants over -9216, and over -16 for a triangle.
    Used by: the tests of the volumes in `geometry`. *)
Fact known_shapes_computed :
  cayley_menger 5 (regular 2) = -80 /\ cayley_menger 5 axes = -16 /\
  cayley_menger 3 triangle_345 = -576.
Proof. vm_compute; repeat split; reflexivity. Qed.

(** In words: a regular simplex of five points with one squared edge doubled has -4, with 8/3 of
    it 0, and with three times it a positive one, so that no such points exist.
    Does not say: that a positive determinant in floating point means this; rounding may do it.
    Used by: the tests of the volumes in `geometry`. *)
Fact stretched_computed :
  cayley_menger 5 (stretched 1 2) = -4 /\ cayley_menger 5 (stretched 3 8) = 0 /\
  0 < cayley_menger 5 (stretched 1 3).
Proof. vm_compute; repeat split; reflexivity. Qed.
