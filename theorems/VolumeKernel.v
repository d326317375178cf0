(******************************************************************************)
(*            The volume kernel: expansion by two rows, and its slopes        *)
(*                                                                            *)
(*      upper == the upper triangle of a symmetric 4 x 4 matrix               *)
(*  top h, low h == its 2 x 2 minors in rows 1-2, columns 12 13 14 23 24 34,  *)
(*              and in rows 3-4, in the same order                            *)
(* two_rows h == the determinant, expanded by these two pairs of rows         *)
(*  doubled10 d == twice the Gram matrix of ten squared distances d 0 .. d 9, *)
(*              in the order 01 02 03 04 12 13 14 23 24 34                    *)
(*   kernel d == two_rows of it, over 9216                                    *)
(* slope k d  == the derivative of kernel by distance number k                *)
(*                                                                            *)
(* Source: P. S. Laplace; the code is train_gpt_style/geometry/volumes.py.    *)
(*                                                                            *)
(* Code: train_gpt_style/geometry/volumes.py:expanded                         *)
(* Test: tests/train_gpt_style/geometry/test_simplex.py:test_the_batched_kernel_is_each_determinant *)
(*                                                                            *)
(* Does not say: anything of rounding; formulas that are equal here differ    *)
(* in their last bits.                                                        *)
(******************************************************************************)

From Coq Require Import Reals Lra Lia.
From Goldenseal Require Import Determinant Simplex LayerNormGradient.

Open Scope R_scope.

Record upper := Upper { h11 : R; h12 : R; h13 : R; h14 : R; h22 : R; h23 : R; h24 : R;
                        h33 : R; h34 : R; h44 : R }.

Definition top (h : upper) (k : nat) : R :=
  match k with
  | 0%nat => h11 h * h22 h - h12 h * h12 h
  | 1%nat => h11 h * h23 h - h12 h * h13 h
  | 2%nat => h11 h * h24 h - h12 h * h14 h
  | 3%nat => h12 h * h23 h - h22 h * h13 h
  | 4%nat => h12 h * h24 h - h22 h * h14 h
  | _ => h13 h * h24 h - h23 h * h14 h
  end.

Definition low (h : upper) (k : nat) : R :=
  match k with
  | 0%nat => h13 h * h24 h - h14 h * h23 h
  | 1%nat => h13 h * h34 h - h14 h * h33 h
  | 2%nat => h13 h * h44 h - h14 h * h34 h
  | 3%nat => h23 h * h34 h - h24 h * h33 h
  | 4%nat => h23 h * h44 h - h24 h * h34 h
  | _ => h33 h * h44 h - h34 h * h34 h
  end.

Definition two_rows (h : upper) : R :=
  top h 0 * low h 5 - top h 1 * low h 4 + top h 2 * low h 3
  + top h 3 * low h 2 - top h 4 * low h 1 + top h 5 * low h 0.

(* Cofactors, above the diagonal. *)
Definition a11 (h : upper) : R := h22 h * low h 5 - h23 h * low h 4 + h24 h * low h 3.
Definition a12 (h : upper) : R := h13 h * low h 4 - h12 h * low h 5 - h14 h * low h 3.
Definition a13 (h : upper) : R := h24 h * top h 5 - h34 h * top h 4 + h44 h * top h 3.
Definition a14 (h : upper) : R := h33 h * top h 4 - h23 h * top h 5 - h34 h * top h 3.
Definition a22 (h : upper) : R := h11 h * low h 5 - h13 h * low h 2 + h14 h * low h 1.
Definition a23 (h : upper) : R := h34 h * top h 2 - h14 h * top h 5 - h44 h * top h 1.
Definition a24 (h : upper) : R := h13 h * top h 5 - h33 h * top h 2 + h34 h * top h 1.
Definition a33 (h : upper) : R := h14 h * top h 4 - h24 h * top h 2 + h44 h * top h 0.
Definition a34 (h : upper) : R := h23 h * top h 2 - h13 h * top h 4 - h34 h * top h 0.
Definition a44 (h : upper) : R := h13 h * top h 3 - h23 h * top h 1 + h33 h * top h 0.

Definition doubled10 (d : nat -> R) : upper :=
  Upper (2 * d 0%nat) (d 0%nat + d 1%nat - d 4%nat) (d 0%nat + d 2%nat - d 5%nat) (d 0%nat + d 3%nat - d 6%nat)
        (2 * d 1%nat) (d 1%nat + d 2%nat - d 7%nat) (d 1%nat + d 3%nat - d 8%nat)
        (2 * d 2%nat) (d 2%nat + d 3%nat - d 9%nat) (2 * d 3%nat).

Definition kernel (d : nat -> R) : R := two_rows (doubled10 d) / 9216.

Definition row_sum (k : nat) (h : upper) : R :=
  match k with
  | 0%nat => a11 h + a12 h + a13 h + a14 h
  | 1%nat => a12 h + a22 h + a23 h + a24 h
  | 2%nat => a13 h + a23 h + a33 h + a34 h
  | 3%nat => a14 h + a24 h + a34 h + a44 h
  | 4%nat => - a12 h
  | 5%nat => - a13 h
  | 6%nat => - a14 h
  | 7%nat => - a23 h
  | 8%nat => - a24 h
  | _ => - a34 h
  end.

Definition slope (k : nat) (d : nat -> R) : R := row_sum k (doubled10 d) / 4608.

(* The ten distances of a table of them. *)
Definition pairs (d : nat -> nat -> R) (k : nat) : R :=
  match k with
  | 0%nat => d 0%nat 1%nat | 1%nat => d 0%nat 2%nat | 2%nat => d 0%nat 3%nat
  | 3%nat => d 0%nat 4%nat | 4%nat => d 1%nat 2%nat | 5%nat => d 1%nat 3%nat
  | 6%nat => d 1%nat 4%nat | 7%nat => d 2%nat 3%nat | 8%nat => d 2%nat 4%nat
  | _ => d 3%nat 4%nat
  end.

Definition upper_of (M : nat -> nat -> R) : upper :=
  Upper (M 0%nat 0%nat) (M 0%nat 1%nat) (M 0%nat 2%nat) (M 0%nat 3%nat) (M 1%nat 1%nat) (M 1%nat 2%nat) (M 1%nat 3%nat) (M 2%nat 2%nat) (M 2%nat 3%nat) (M 3%nat 3%nat).

Lemma two_rows_det (M : nat -> nat -> R) :
  (forall i j, M i j = M j i) -> two_rows (upper_of M) = detR 4 M.
Proof.
  intros symmetric; unfold two_rows, top, low, upper_of; expand; simpl.
  rewrite (symmetric 1%nat 0%nat), (symmetric 2%nat 0%nat), (symmetric 3%nat 0%nat), (symmetric 2%nat 1%nat), (symmetric 3%nat 1%nat),
    (symmetric 3%nat 2%nat); ring.
Qed.

(** In words: the kernel computes the Cayley-Menger volume of five points.
    Does not say: that it is as exact in floating point; a test compares.
    Used by: `expanded` of `geometry`. *)
Theorem kernel_volume (d : nat -> nat -> R) : distance_like d -> kernel (pairs d) = vol2 4 d.
Proof.
  intros like; unfold vol2; rewrite cayley_menger_doubled by (exact like || lia).
  destruct like as [zero symmetric]; rewrite <- two_rows_det.
  - unfold kernel; replace (doubled10 (pairs d)) with (upper_of (doubled d)).
    + replace (INR (fact 4)) with 24 by (simpl; ring); field.
    + unfold doubled10, upper_of, doubled; simpl; rewrite !zero; f_equal; ring.
  - intros i j; unfold doubled; rewrite (symmetric (S i)); ring.
Qed.

Definition moved (k : nat) (t : R) (d : nat -> R) : nat -> R :=
  fun j => if Nat.eqb j k then d j + t else d j.

(* What a change of one distance does to the doubled Gram matrix. *)
Definition bumped (k : nat) (t : R) (h : upper) : upper :=
  let '(Upper p11 p12 p13 p14 p22 p23 p24 p33 p34 p44) := h in
  match k with
  | 0%nat => Upper (p11 + 2 * t) (p12 + t) (p13 + t) (p14 + t) p22 p23 p24 p33 p34 p44
  | 1%nat => Upper p11 (p12 + t) p13 p14 (p22 + 2 * t) (p23 + t) (p24 + t) p33 p34 p44
  | 2%nat => Upper p11 p12 (p13 + t) p14 p22 (p23 + t) p24 (p33 + 2 * t) (p34 + t) p44
  | 3%nat => Upper p11 p12 p13 (p14 + t) p22 p23 (p24 + t) p33 (p34 + t) (p44 + 2 * t)
  | 4%nat => Upper p11 (p12 - t) p13 p14 p22 p23 p24 p33 p34 p44
  | 5%nat => Upper p11 p12 (p13 - t) p14 p22 p23 p24 p33 p34 p44
  | 6%nat => Upper p11 p12 p13 (p14 - t) p22 p23 p24 p33 p34 p44
  | 7%nat => Upper p11 p12 p13 p14 p22 (p23 - t) p24 p33 p34 p44
  | 8%nat => Upper p11 p12 p13 p14 p22 p23 (p24 - t) p33 p34 p44
  | _ => Upper p11 p12 p13 p14 p22 p23 p24 p33 (p34 - t) p44
  end.

Lemma doubled10_moved (k : nat) (t : R) (d : nat -> R) : (k < 10)%nat ->
  doubled10 (moved k t d) = bumped k t (doubled10 d).
Proof.
  intros k_lt; unfold doubled10, moved.
  do 10 (destruct k as [| k]; [simpl; f_equal; ring |]); lia.
Qed.

(* What stands with t^2 when the distance number k grows by t. *)
Definition face (aa ab ac bb bc cc : R) : R :=
  2 * (ab * cc - ac * bc) + 2 * (ac * bb - ab * bc) + 2 * (aa * bc - ab * ac)
  - (bb * cc - bc * bc) - (aa * cc - ac * ac) - (aa * bb - ab * ab).

Definition curve (k : nat) (h : upper) : R :=
  let '(Upper p11 p12 p13 p14 p22 p23 p24 p33 p34 p44) := h in
  match k with
  | 0%nat => face p22 p23 p24 p33 p34 p44
  | 1%nat => face p11 p13 p14 p33 p34 p44
  | 2%nat => face p11 p12 p14 p22 p24 p44
  | 3%nat => face p11 p12 p13 p22 p23 p33
  | 4%nat => p34 * p34 - p33 * p44
  | 5%nat => p24 * p24 - p22 * p44
  | 6%nat => p23 * p23 - p22 * p33
  | 7%nat => p14 * p14 - p11 * p44
  | 8%nat => p13 * p13 - p11 * p33
  | _ => p12 * p12 - p11 * p22
  end.

Lemma two_rows_bumped (k : nat) (h : upper) (t : R) : (k < 10)%nat ->
  two_rows (bumped k t h) = two_rows h + 2 * t * row_sum k h + t * t * curve k h.
Proof.
  intros k_lt; destruct h.
  do 10 (destruct k as [| k]; [
    cbv [bumped row_sum curve face two_rows top low a11 a12 a13 a14 a22 a23 a24 a33 a34 a44
         h11 h12 h13 h14 h22 h23 h24 h33 h34 h44]; ring |]); lia.
Qed.

(** In words: each slope is the derivative of the kernel by that distance.
    Does not say: anything of the second derivatives, which the code does not offer.
    Used by: `slopes` of `geometry`.
    Code: train_gpt_style/geometry/volumes.py:slopes,
      train_gpt_style/geometry/volumes.py:volume2
    Test: tests/train_gpt_style/geometry/test_simplex.py:test_the_closed_form_gradient_is_that_of_autograd_and_of_differences *)
Theorem slope_is_derivative (k : nat) (d : nat -> R) : (k < 10)%nat ->
  derivable_pt_lim (fun t => kernel (moved k t d)) 0 (slope k d).
Proof.
  intros k_lt; set (h := doubled10 d).
  apply derivable_pt_lim_ext with
    (f := fun t => kernel d + t * slope k d + t * t * (curve k h / 9216)).
  - intros t; unfold kernel, slope; rewrite doubled10_moved by exact k_lt; fold h.
    pose proof (two_rows_bumped k h t k_lt); lra.
  - apply derivable_quadratic.
Qed.
