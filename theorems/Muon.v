(******************************************************************************)
(*         Muon's quintic: where five steps take a singular value             *)
(*                                                                            *)
(*   quintic a b c x == a x + b x^3 + c x^5                                   *)
(*        spelled x  == the same with 3.4445, -4.775 and 2.0315               *)
(*      close a b c  == each coefficient is within 1e-7 of the spelled one,   *)
(*                      as the doubles and the single floats are              *)
(*    coefficient k d0 d1 d3 d5 l u == what stands at (x - l)^k (u - x)^(5-k) *)
(*                      in (u - l)^5 (d0 + d1 x + d3 x^3 + d5 x^5)            *)
(*       steps a b c n x == x after n steps                                   *)
(*                                                                            *)
(* Bounds on an interval are shown by S. Bernstein's form: a polynomial is    *)
(* not negative between l and u if none of its coefficients there is.         *)
(*                                                                            *)
(* Source: K. Jordan et al., Muon, 2024; the code is train_gpt_style/gpt/     *)
(* muon.py.                                                                   *)
(*                                                                            *)
(* Code: train_gpt_style/gpt/muon.py:newton_schulz                            *)
(* Code: train_gpt_style/gpt/constants.py:NS_A                                *)
(* Test: tests/theorems/test_ties.py:test_five_steps_bring_a_singular_value_near_one *)
(*                                                                            *)
(* Does not say: anything of the iteration in bfloat16, which the code uses;  *)
(* its rounding is some 1 in 256 at each operation.                           *)
(******************************************************************************)

From Coq Require Import Reals Lra Lia Psatz.
From Flocq Require Import Core.
From Goldenseal Require Import Rounding Constants Vectors Sums Alignment.

Open Scope R_scope.

Definition quintic (a b c x : R) : R := a * x + b * (x * x * x) + c * (x * x * x * x * x).

Definition spelled (x : R) : R := quintic (6889 / 2000) (- (191 / 40)) (4063 / 2000) x.

Definition close (a b c : R) : Prop :=
  Rabs (a - 6889 / 2000) <= / 10000000 /\ Rabs (b + 191 / 40) <= / 10000000 /\
  Rabs (c - 4063 / 2000) <= / 10000000.

Fixpoint steps (a b c : R) (n : nat) (x : R) : R :=
  match n with
  | O => x
  | S k => quintic a b c (steps a b c k x)
  end.

(* --- Bernstein's form ----------------------------------------------------- *)

Definition coefficient (k : nat) (d0 d1 d3 d5 l u : R) : R :=
  match k with
  | 0%nat => d0 + d1 * l + d3 * (l * l * l) + d5 * (l * l * l * l * l)
  | 1%nat => 5 * d0 + d1 * (4 * l + u) + d3 * (2 * l * l * l + 3 * l * l * u)
             + 5 * d5 * (l * l * l * l * u)
  | 2%nat => 10 * d0 + d1 * (6 * l + 4 * u) + d3 * (l * l * l + 6 * l * l * u + 3 * l * u * u)
             + 10 * d5 * (l * l * l * u * u)
  | 3%nat => 10 * d0 + d1 * (4 * l + 6 * u) + d3 * (3 * l * l * u + 6 * l * u * u + u * u * u)
             + 10 * d5 * (l * l * u * u * u)
  | 4%nat => 5 * d0 + d1 * (l + 4 * u) + d3 * (3 * l * u * u + 2 * u * u * u)
             + 5 * d5 * (l * u * u * u * u)
  | _ => d0 + d1 * u + d3 * (u * u * u) + d5 * (u * u * u * u * u)
  end.

Definition all_positive (d0 d1 d3 d5 l u : R) : Prop :=
  l < u /\ 0 <= coefficient 0 d0 d1 d3 d5 l u /\ 0 <= coefficient 1 d0 d1 d3 d5 l u /\
  0 <= coefficient 2 d0 d1 d3 d5 l u /\ 0 <= coefficient 3 d0 d1 d3 d5 l u /\
  0 <= coefficient 4 d0 d1 d3 d5 l u /\ 0 <= coefficient 5 d0 d1 d3 d5 l u.

Lemma bernstein (d0 d1 d3 d5 l u x : R) : all_positive d0 d1 d3 d5 l u -> l <= x <= u ->
  0 <= d0 + d1 * x + d3 * (x * x * x) + d5 * (x * x * x * x * x).
Proof.
  intros (less & e0 & e1 & e2 & e3 & e4 & e5) x_in.
  set (s := x - l); set (t := u - x).
  assert (0 <= s) as s_ge0 by (unfold s; lra); assert (0 <= t) as t_ge0 by (unfold t; lra).
  assert (0 < (u - l) ^ 5) as width_gt0 by (apply pow_lt; lra).
  apply Rmult_le_reg_l with ((u - l) ^ 5); [exact width_gt0 |]; rewrite Rmult_0_r.
  replace ((u - l) ^ 5 * (d0 + d1 * x + d3 * (x * x * x) + d5 * (x * x * x * x * x))) with
    (coefficient 0 d0 d1 d3 d5 l u * t ^ 5 + coefficient 1 d0 d1 d3 d5 l u * (s * t ^ 4)
     + coefficient 2 d0 d1 d3 d5 l u * (s ^ 2 * t ^ 3)
     + coefficient 3 d0 d1 d3 d5 l u * (s ^ 3 * t ^ 2)
     + coefficient 4 d0 d1 d3 d5 l u * (s ^ 4 * t) + coefficient 5 d0 d1 d3 d5 l u * s ^ 5)
    by (unfold coefficient, s, t; ring).
  clearbody s t; repeat apply Rplus_le_le_0_compat; apply Rmult_le_pos;
    first [assumption | now apply pow_le
          | apply Rmult_le_pos; first [assumption | now apply pow_le]].
Qed.

Lemma spelled_above (low l u x : R) :
  all_positive (- low) (6889 / 2000) (- (191 / 40)) (4063 / 2000) l u -> l <= x <= u ->
  low <= spelled x.
Proof. intros all x_in; pose proof (bernstein _ _ _ _ l u x all x_in); unfold spelled, quintic; lra. Qed.

Lemma spelled_below (high l u x : R) :
  all_positive high (- (6889 / 2000)) (191 / 40) (- (4063 / 2000)) l u -> l <= x <= u ->
  spelled x <= high.
Proof. intros all x_in; pose proof (bernstein _ _ _ _ l u x all x_in); unfold spelled, quintic; lra. Qed.

Ltac computed := unfold all_positive, coefficient; lra.
Ltac above l u := apply (spelled_above _ l u); [computed | lra].
Ltac below l u := apply (spelled_below _ l u); [computed | lra].

Lemma spelled_le_121 (x : R) : 0 <= x <= 121 / 100 -> spelled x <= 121 / 100 - / 1000000.
Proof.
  intros x_in.
  destruct (Rle_lt_dec x (121 / 400)); [below 0 (121 / 400) |].
  destruct (Rle_lt_dec x (363 / 800)); [below (121 / 400) (363 / 800) |].
  destruct (Rle_lt_dec x (121 / 200)); [below (363 / 800) (121 / 200) | below (121 / 200) (121 / 100)].
Qed.

Lemma spelled_ge_17 (x : R) : 1 / 20 <= x <= 1 -> 17 / 100 + / 1000000 <= spelled x.
Proof. intros x_in; above (1 / 20) 1. Qed.

Lemma spelled_ge_56 (x : R) : 17 / 100 <= x <= 121 / 100 -> 56 / 100 + / 1000000 <= spelled x.
Proof.
  intros x_in.
  destruct (Rle_lt_dec x (69 / 100)); [above (17 / 100) (69 / 100) |].
  destruct (Rle_lt_dec x (19 / 20)); [above (69 / 100) (19 / 20) | above (19 / 20) (121 / 100)].
Qed.

Lemma spelled_ge_68 (x : R) : 56 / 100 <= x <= 121 / 100 -> 68 / 100 + / 1000000 <= spelled x.
Proof.
  intros x_in.
  destruct (Rle_lt_dec x (177 / 200)); [above (56 / 100) (177 / 200) |].
  destruct (Rle_lt_dec x (419 / 400)); [above (177 / 200) (419 / 400) | above (419 / 400) (121 / 100)].
Qed.

Lemma spelled_le_114 (x : R) : 68 / 100 <= x <= 121 / 100 -> spelled x <= 114 / 100 - / 1000000.
Proof. intros x_in; below (68 / 100) (121 / 100). Qed.

(* --- Coefficients that are close ------------------------------------------ *)

Lemma close_quintic (a b c x : R) : close a b c -> 0 <= x <= 121 / 100 ->
  spelled x - / 1000000 <= quintic a b c x <= spelled x + / 1000000.
Proof.
  intros (near_a & near_b & near_c) x_in.
  apply Rabs_le_inv in near_a; apply Rabs_le_inv in near_b; apply Rabs_le_inv in near_c.
  assert (0 <= x * x * x <= 2) as cube by (split; nra).
  assert (0 <= x * x * x * x * x <= 3) as fifth by (assert (0 <= x * x <= 3 / 2) by nra; split; nra).
  unfold spelled, quintic; split; nra.
Qed.

(** In words: no singular value from 0 to 1.21 ever leaves this interval.
    Does not say: that a matrix has none above; the code divides by the norm, which gives 1 at most.
    Used by: the Newton-Schulz steps of Muon. *)
Theorem muon_stays (a b c x : R) (n : nat) :
  close a b c -> 0 <= x <= 121 / 100 -> 0 <= steps a b c n x <= 121 / 100.
Proof.
  intros near x_in; induction n as [| n IHn]; [exact x_in |]; simpl.
  set (y := steps a b c n x) in *; clearbody y.
  pose proof (close_quintic a b c y near IHn) as around.
  pose proof (spelled_le_121 y IHn).
  split; [| lra]; destruct near as (near_a & near_b & near_c).
  apply Rabs_le_inv in near_a; apply Rabs_le_inv in near_b; apply Rabs_le_inv in near_c.
  replace (quintic a b c y) with (y * (a + b * (y * y) + c * (y * y) * (y * y)))
    by (unfold quintic; ring).
  apply Rmult_le_pos; [apply IHn |]; set (z := y * y).
  assert (0 <= z) by apply Rle_0_sqr; clearbody z.
  pose proof (Rle_0_sqr (z - 6 / 5)) as square; unfold Rsqr in square; nra.
Qed.

(** In words: five steps take every singular value from 0.05 to 1 into [0.68, 1.14].
    Does not say: that smaller ones get there; 0.01 needs more steps.
    Used by: MUON_BACKEND_STEPS = 5, the steps of Muon. *)
Theorem muon_five (a b c x : R) :
  close a b c -> 1 / 20 <= x <= 1 -> 68 / 100 <= steps a b c 5 x <= 114 / 100.
Proof.
  intros near x_in.
  assert (forall low y, low <= y <= 121 / 100 -> 0 <= low -> 0 <= y <= 121 / 100) as wide
    by (intros; lra).
  assert (17 / 100 <= steps a b c 1 x <= 121 / 100) as one.
  { pose proof (close_quintic a b c x near ltac:(lra)); pose proof (spelled_ge_17 x x_in).
    pose proof (spelled_le_121 x ltac:(lra)); simpl; lra. }
  assert (56 / 100 <= steps a b c 2 x <= 121 / 100) as two.
  { pose proof (close_quintic a b c _ near (wide _ _ one ltac:(lra))).
    pose proof (spelled_ge_56 _ one); pose proof (spelled_le_121 _ (wide _ _ one ltac:(lra))).
    change (steps a b c 2 x) with (quintic a b c (steps a b c 1 x)); lra. }
  assert (68 / 100 <= steps a b c 3 x <= 121 / 100) as three.
  { pose proof (close_quintic a b c _ near (wide _ _ two ltac:(lra))).
    pose proof (spelled_ge_68 _ two); pose proof (spelled_le_121 _ (wide _ _ two ltac:(lra))).
    change (steps a b c 3 x) with (quintic a b c (steps a b c 2 x)); lra. }
  assert (forall y, 68 / 100 <= y <= 121 / 100 -> 68 / 100 <= quintic a b c y <= 114 / 100) as last.
  { intros y y_in; pose proof (close_quintic a b c y near ltac:(lra)).
    pose proof (spelled_ge_68 y ltac:(lra)); pose proof (spelled_le_114 y y_in); lra. }
  change (steps a b c 5 x) with (quintic a b c (quintic a b c (steps a b c 3 x))).
  apply last; pose proof (last _ three); lra.
Qed.

(** In words: from 1.264 on each step makes it larger by a thousandth at least, so it diverges.
    Does not say: what happens between 1.21 and 1.264.
    Used by: the division by the norm before the steps of Muon, without which they could diverge. *)
Theorem muon_diverges (a b c x : R) (n : nat) : close a b c -> 158 / 125 <= x ->
  x * (1 + / 1000) ^ n <= steps a b c n x.
Proof.
  intros (near_a & near_b & near_c) x_ge.
  apply Rabs_le_inv in near_a; apply Rabs_le_inv in near_b; apply Rabs_le_inv in near_c.
  assert (forall y, 158 / 125 <= y -> (1 + / 1000) * y <= quintic a b c y) as grows.
  { intros y y_ge; replace (quintic a b c y) with ((a + b * (y * y) + c * (y * y) * (y * y)) * y)
      by (unfold quintic; ring).
    apply Rmult_le_compat_r; [lra |]; set (z := y * y).
    assert (24964 / 15625 <= z) by (unfold z; nra); clearbody z.
    assert (0 <= (z - 24964 / 15625) * (c * (z + 24964 / 15625) + b)) by (apply Rmult_le_pos; nra).
    nra. }
  assert (1 <= (1 + / 1000) ^ n) as power_ge1 by (apply pow_R1_Rle; lra).
  assert (158 / 125 <= x * (1 + / 1000) ^ n) as far by nra.
  clear power_ge1 far; induction n as [| n IHn]; simpl; [lra |].
  assert (1 <= (1 + / 1000) ^ n) as power_ge1 by (apply pow_R1_Rle; lra).
  pose proof (grows (steps a b c n x) ltac:(nra)); nra.
Qed.

(** In words: the three doubles of the code are close.
    Does not say: that their bfloat16 copies are; those are off by up to 0.004 of themselves.
    Used by: the theorems above, for NS_A, NS_B and NS_C. *)
Theorem muon_doubles_close : close NS_A_double NS_B_double NS_C_double.
Proof.
  unfold close, NS_A_double, NS_B_double, NS_C_double, F2R; simpl.
  repeat split; apply Rabs_le; lra.
Qed.
