(******************************************************************************)
(*                    Cosine similarity of real vectors                       *)
(*                                                                            *)
(*        dot n x y == the scalar product of the first n entries              *)
(* cosine eps n x y == dot n x y, divided by the two norms, each raised to    *)
(*                     eps where it is below                                  *)
(*                                                                            *)
(* Source: textbook (Cauchy-Schwarz); the form with eps is that of            *)
(* torch.nn.functional.cosine_similarity.                                     *)
(*                                                                            *)
(* Code: train_gpt_style/gpt/features/jepa.py:SpanLoss                        *)
(* Test: tests/train_gpt_style/gpt/test_gpt_jepa.py:test_the_loss_lies_between_zero_and_two *)
(*                                                                            *)
(* Does not say: that a computed cosine lies in [-1, 1]; rounding may carry   *)
(* it out by some ulp.                                                        *)
(******************************************************************************)

From Coq Require Import Reals Lra.
From Goldenseal Require Import Vectors.

Open Scope R_scope.

Definition dot (n : nat) (x y : vector) : R := sum n (fun j => x j * y j).

Definition cosine (eps : R) (n : nat) (x y : vector) : R :=
  dot n x y / (Rmax (norm n x) eps * Rmax (norm n y) eps).

(* The squared length of s x + t y, as a quadratic form in s and t. *)
Lemma dot_combination (n : nat) (s t : R) (x y : vector) :
  dot n (fun j => s * x j + t * y j) (fun j => s * x j + t * y j)
  = s * s * dot n x x + 2 * s * t * dot n x y + t * t * dot n y y.
Proof. unfold dot; induction n as [| n IHn]; simpl; [| rewrite IHn]; ring. Qed.

Lemma dot_ge0 (n : nat) (x : vector) : 0 <= dot n x x.
Proof. apply sum_sqr_ge0. Qed.

(** In words: the square of a scalar product is at most the product of the squared norms.
    Does not say: anything about a scalar product that was summed in floating point.
    Used by: the bound of the JEPA loss. *)
Theorem cauchy_schwarz (n : nat) (x y : vector) :
  dot n x y * dot n x y <= dot n x x * dot n y y.
Proof.
  pose proof (dot_ge0 n (fun j => dot n y y * x j + - dot n x y * y j)) as form.
  rewrite dot_combination in form.
  destruct (dot_ge0 n y) as [yy_gt0 | yy0].
  - apply Rmult_le_reg_l with (dot n y y); [exact yy_gt0 | nra].
  - (* y is zero: then so is the scalar product, or the form would be negative somewhere. *)
    rewrite <- yy0, Rmult_0_r.
    destruct (Req_dec (dot n x y) 0) as [-> | xy_neq0]; [lra | exfalso].
    set (t := - (dot n x x + 1) / (2 * dot n x y)).
    pose proof (dot_ge0 n (fun j => 1 * x j + t * y j)) as negative.
    rewrite dot_combination, <- yy0 in negative.
    replace (2 * 1 * t * dot n x y) with (- (dot n x x + 1)) in negative
      by (unfold t; field; exact xy_neq0).
    lra.
Qed.

Lemma norm_ge0 (n : nat) (x : vector) : 0 <= norm n x.
Proof. apply sqrt_pos. Qed.

Lemma Rabs_dot_le (n : nat) (x y : vector) : Rabs (dot n x y) <= norm n x * norm n y.
Proof.
  unfold norm; rewrite <- sqrt_mult by apply sum_sqr_ge0.
  rewrite <- sqrt_Rsqr_abs; apply sqrt_le_1_alt, cauchy_schwarz.
Qed.

(** In words: the cosine lies between -1 and 1, by Cauchy-Schwarz.
    Does not say: that it is the cosine of an angle; for vectors shorter than eps it is smaller.
    Used by: the bound of the JEPA loss. *)
Theorem cosine_bounds (eps : R) (n : nat) (x y : vector) :
  0 < eps -> -1 <= cosine eps n x y <= 1.
Proof.
  intros eps_gt0.
  cut (Rabs (cosine eps n x y) <= 1).
  { intros small; pose proof (Rle_abs (cosine eps n x y)) as above.
    pose proof (Rle_abs (- cosine eps n x y)) as below; rewrite Rabs_Ropp in below; lra. }
  unfold cosine, Rdiv.
  pose proof (norm_ge0 n x) as x_ge0; pose proof (norm_ge0 n y) as y_ge0.
  pose proof (Rmax_l (norm n x) eps) as x_le; pose proof (Rmax_r (norm n x) eps) as eps_x.
  pose proof (Rmax_l (norm n y) eps) as y_le; pose proof (Rmax_r (norm n y) eps) as eps_y.
  assert (0 < Rmax (norm n x) eps * Rmax (norm n y) eps) as below_gt0
    by (apply Rmult_lt_0_compat; lra).
  rewrite Rabs_mult, Rabs_inv, (Rabs_right (_ * _)) by lra.
  apply Rmult_le_reg_r with (Rmax (norm n x) eps * Rmax (norm n y) eps); [exact below_gt0 |].
  rewrite Rmult_assoc, Rinv_l by lra.
  pose proof (Rabs_dot_le n x y) as dot_le.
  assert (norm n x * norm n y <= Rmax (norm n x) eps * Rmax (norm n y) eps)
    by (apply Rmult_le_compat; assumption).
  lra.
Qed.

(** In words: two positive multiples of one vector, neither shorter than eps, have cosine 1.
    Does not say: that the computed value is 1 to the last bit.
    Used by: the JEPA loss of a stream that is linear in time.
    Test: tests/train_gpt_style/gpt/test_gpt_jepa.py:test_a_still_stream_has_loss_one_and_a_linear_one_loss_zero *)
Theorem cosine_parallel (eps c d : R) (n : nat) (v : vector) :
  0 < eps -> 0 < c -> 0 < d -> eps <= c * norm n v -> eps <= d * norm n v ->
  cosine eps n (fun j => c * v j) (fun j => d * v j) = 1.
Proof.
  intros eps_gt0 c_gt0 d_gt0 c_long d_long; unfold cosine.
  rewrite !norm_scale by lra.
  rewrite (Rmax_left (c * norm n v)), (Rmax_left (d * norm n v)) by lra.
  assert (dot n (fun j => c * v j) (fun j => d * v j) = (c * norm n v) * (d * norm n v)) as ->.
  - unfold dot; rewrite (sum_ext n _ (fun j => (c * d) * (v j * v j))) by (intros j; ring).
    rewrite sum_scale.
    replace (c * norm n v * (d * norm n v)) with (c * d * (norm n v * norm n v)) by ring.
    unfold norm; rewrite sqrt_sqrt by apply sum_sqr_ge0; reflexivity.
  - unfold Rdiv; apply Rinv_r; apply Rgt_not_eq, Rmult_lt_0_compat; lra.
Qed.

(** In words: the cosine with a zero vector is zero, whatever the other vector is.
    Does not say: that a gradient flows there.
    Used by: the JEPA loss of a stream that does not move.
    Test: tests/train_gpt_style/gpt/test_gpt_jepa.py:test_a_still_stream_has_loss_one_and_a_linear_one_loss_zero *)
Theorem cosine_zero (eps : R) (n : nat) (x y : vector) :
  (forall j, (j < n)%nat -> x j = 0) -> cosine eps n x y = 0.
Proof.
  intros x0; unfold cosine, dot.
  rewrite sum_eq0 by (intros j j_lt; rewrite x0 by exact j_lt; ring).
  unfold Rdiv; ring.
Qed.
