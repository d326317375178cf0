(******************************************************************************)
(*              RMS normalisation: its scale and its gradient                 *)
(*                                                                            *)
(*      size eps n x  == sqrt (mean of x^2 + eps)                             *)
(*    shaped eps n x  == x / size                                             *)
(* shaped_back eps n u x == (u - z mean (u z)) / size, z = shaped             *)
(*                                                                            *)
(* Source: B. Zhang and R. Sennrich, arXiv 1910.07467; the code is            *)
(* train_gpt_style/gpt/model.py, by torch's rms_norm.                         *)
(*                                                                            *)
(* Code: train_gpt_style/gpt/model.py:CausalSelfAttention                     *)
(* Test: tests/theorems/test_ties_models.py:test_queries_and_keys_of_another_length_give_the_same_attention *)
(* Test: tests/theorems/test_ties.py:test_the_gradients_of_the_norms_are_those_of_the_theorems *)
(*                                                                            *)
(* Does not say: what eps torch takes when none is given; for binary32 it is  *)
(* 2^-23.                                                                     *)
(******************************************************************************)

From Coq Require Import Reals Lra Lia.
From Goldenseal Require Import Vectors Cosine Sums LayerNormGradient.

Open Scope R_scope.

Definition mean_square (n : nat) (x : vector) : R := dot n x x / INR n.

Definition size (eps : R) (n : nat) (x : vector) : R := sqrt (mean_square n x + eps).

Definition shaped (eps : R) (n : nat) (x : vector) : vector := fun j => x j / size eps n x.

Definition shaped_back (eps : R) (n : nat) (u x : vector) : vector :=
  fun j => (u j - shaped eps n x j * (dot n u (shaped eps n x) / INR n)) / size eps n x.

Lemma size_gt0 (eps : R) (n : nat) (x : vector) : 0 < mean_square n x + eps -> 0 < size eps n x.
Proof. apply sqrt_lt_R0. Qed.

Lemma size_scale (eps c : R) (n : nat) (x : vector) : 0 <= c -> 0 < mean_square n x + eps ->
  size (c * c * eps) n (fun j => c * x j) = c * size eps n x.
Proof.
  intros c_ge0 inside; unfold size.
  assert (mean_square n (fun j => c * x j) = c * c * mean_square n x) as ->.
  { unfold mean_square, dot; rewrite (sum_ext n _ (fun j => c * c * (x j * x j))) by (intros; ring).
    rewrite sum_scale; unfold Rdiv; ring. }
  replace (c * c * mean_square n x + c * c * eps) with (c * c * (mean_square n x + eps)) by ring.
  rewrite sqrt_mult by (try apply Rle_0_sqr; lra); now rewrite sqrt_square.
Qed.

(** In words: a positive factor leaves the result, if eps grows with the square of the factor; for
    eps = 0 it leaves it always.
    Does not say: that eps is nothing beside a short vector.
    Used by: the norms of queries, keys and blocks of the GPT. *)
Theorem shaped_scale (eps c : R) (n : nat) (x : vector) (j : nat) :
  0 < c -> 0 < mean_square n x + eps ->
  shaped (c * c * eps) n (fun j => c * x j) j = shaped eps n x j.
Proof.
  intros c_gt0 inside; unfold shaped; rewrite size_scale by lra.
  pose proof (size_gt0 eps n x inside); field; lra.
Qed.

Lemma dot_shaped (eps : R) (n : nat) (u x : vector) :
  dot n u (shaped eps n x) = dot n u x / size eps n x.
Proof.
  unfold dot, shaped, Rdiv; rewrite Rmult_comm, <- sum_scale; apply sum_ext; intros j; ring.
Qed.

Lemma dot_shaped_back (eps : R) (n : nat) (u x v : vector) :
  dot n (shaped_back eps n u x) v
  = (dot n u v - dot n u (shaped eps n x) * dot n (shaped eps n x) v / INR n) / size eps n x.
Proof.
  unfold dot at 1, shaped_back.
  rewrite (sum_ext n _ (fun j => / size eps n x * (u j * v j
    + - (dot n u (shaped eps n x) / INR n) * (shaped eps n x j * v j))))
    by (intros j; unfold Rdiv; ring).
  rewrite sum_scale, sum_plus, sum_scale; unfold dot, Rdiv; ring.
Qed.

(** In words: the formula is the gradient: along every v it is the derivative of <u, shaped x>.
    Does not say: that an automatic differentiation computes it; a test compares.
    Used by: the norms of queries, keys and blocks of the GPT. *)
Theorem shaped_gradient (eps : R) (n : nat) (u x v : vector) :
  (0 < n)%nat -> 0 < mean_square n x + eps ->
  derivable_pt_lim (fun t => dot n u (shaped eps n (fun j => 1 * x j + t * v j))) 0
    (dot n (shaped_back eps n u x) v).
Proof.
  intros n_gt0 inside; pose proof (INR_gt0 n n_gt0) as INR_gt0.
  pose proof (size_gt0 eps n x inside) as size_gt0.
  set (top := fun t => dot n u x + t * dot n u v + t * t * 0).
  set (under := fun t => (mean_square n x + eps) + t * (2 * (dot n x v / INR n))
                         + t * t * mean_square n v).
  assert (under 0 = mean_square n x + eps) as under0 by (unfold under; ring).
  apply derivable_pt_lim_ext with (f := (top / comp sqrt under)%F).
  { intros t; rewrite dot_shaped; unfold div_fct, comp, top, under, size; f_equal.
    - rewrite (dot_sym n u (fun j => 1 * x j + t * v j)), dot_linear, !(dot_sym n _ u); ring.
    - f_equal; unfold mean_square; rewrite dot_combination; field; lra. }
  replace (dot n (shaped_back eps n u x) v) with
    ((dot n u v * comp sqrt under 0
      - (/ (2 * sqrt (under 0)) * (2 * (dot n x v / INR n))) * top 0) / Rsqr (comp sqrt under 0)).
  - apply derivable_pt_lim_div.
    + apply derivable_quadratic.
    + apply derivable_pt_lim_comp; [apply derivable_quadratic |].
      apply derivable_pt_lim_sqrt; now rewrite under0.
    + unfold comp; rewrite under0; fold (size eps n x); lra.
  - unfold comp; rewrite under0; fold (size eps n x).
    rewrite dot_shaped_back, (dot_sym n (shaped eps n x) v), !dot_shaped, (dot_sym n v x).
    unfold top, Rsqr; field; split; lra.
Qed.

(** In words: the product of gradient and input is <u, z> eps / (mean of x^2 + eps); for eps = 0 the
    two are orthogonal.
    Does not say: that the gradient is orthogonal to the ones, as behind a layer norm.
    Used by: the norms of queries, keys and blocks of the GPT. *)
Theorem shaped_radial (eps : R) (n : nat) (u x : vector) : (0 < n)%nat ->
  0 < mean_square n x + eps ->
  dot n (shaped_back eps n u x) x
  = dot n u (shaped eps n x) * (eps / (mean_square n x + eps)).
Proof.
  intros n_gt0 inside; pose proof (INR_gt0 n n_gt0) as INR_gt0.
  pose proof (size_gt0 eps n x inside) as size_gt0.
  assert (size eps n x * size eps n x = mean_square n x + eps) as square
    by (unfold size; now rewrite sqrt_sqrt by lra).
  rewrite dot_shaped_back, (dot_sym n (shaped eps n x) x), !dot_shaped, <- square.
  assert (dot n x x = INR n * (size eps n x * size eps n x - eps)) as ->
    by (rewrite square; unfold mean_square; field; lra).
  field; split; lra.
Qed.

(** In words: an input c times as long has a gradient c times as short.
    Does not say: that training keeps inputs short.
    Used by: the norms of queries, keys and blocks of the GPT. *)
Theorem shaped_back_scale (eps c : R) (n : nat) (u x : vector) (j : nat) :
  0 < c -> 0 < mean_square n x + eps ->
  shaped_back (c * c * eps) n u (fun j => c * x j) j = shaped_back eps n u x j / c.
Proof.
  intros c_gt0 inside; unfold shaped_back; rewrite shaped_scale, size_scale by lra.
  assert (dot n u (shaped (c * c * eps) n (fun j => c * x j)) = dot n u (shaped eps n x)) as ->
    by (apply sum_ext; intros k; now rewrite shaped_scale by lra).
  pose proof (size_gt0 eps n x inside); unfold Rdiv; rewrite Rinv_mult; ring.
Qed.
