(******************************************************************************)
(*              Layer normalisation: what it forgets, and its gradient        *)
(*                                                                            *)
(* deviation eps n x  == sqrt (variance n x + eps)                            *)
(*    normed eps n x  == (x - its mean) / deviation                           *)
(* backward eps n u x == the gradient at x when u is the gradient at the      *)
(*                       normed vector (scale already multiplied in):         *)
(*                       (u - mean u - z mean (u z)) / deviation, z = normed  *)
(*                                                                            *)
(* Source: J. Ba et al., Layer Normalization, arXiv 1607.06450; the gradient  *)
(* by the chain rule, and proved to be the derivative below.                  *)
(*                                                                            *)
(* Code: train_gpt_style/credit/metrics.py:measured                           *)
(* Test: tests/train_gpt_style/credit/test_credit_laws.py:test_the_gradient_at_the_top_is_orthogonal_to_the_state_and_falls_with_its_scale *)
(* Test: tests/theorems/test_ties.py:test_the_gradients_of_the_norms_are_those_of_the_theorems *)
(*                                                                            *)
(* Does not say: that a network trained behind a layer norm has small         *)
(* gradients; only how the gradient follows the length of the input.          *)
(******************************************************************************)

From Coq Require Import Reals Lra Lia.
From Goldenseal Require Import Vectors Cosine Sums.

Open Scope R_scope.

Definition deviation (eps : R) (n : nat) (x : vector) : R := sqrt (variance n x + eps).

Definition normed (eps : R) (n : nat) (x : vector) : vector :=
  fun j => centred n x j / deviation eps n x.

Definition backward (eps : R) (n : nat) (u x : vector) : vector :=
  fun j => (u j - mean n u - normed eps n x j * mean n (fun k => u k * normed eps n x k))
           / deviation eps n x.

Definition ones : vector := fun _ => 1.

Lemma centred_linear (n : nat) (s t : R) (x y : vector) (j : nat) :
  centred n (fun k => s * x k + t * y k) j = s * centred n x j + t * centred n y j.
Proof. unfold centred; rewrite mean_linear; ring. Qed.

Lemma centred_scale (n : nat) (c : R) (x : vector) (j : nat) :
  centred n (fun k => c * x k) j = c * centred n x j.
Proof.
  unfold centred; replace (mean n (fun k => c * x k)) with (c * mean n x); [ring |].
  unfold mean; rewrite sum_scale; unfold Rdiv; ring.
Qed.

Lemma variance_scale (n : nat) (c : R) (x : vector) :
  variance n (fun k => c * x k) = c * c * variance n x.
Proof.
  unfold variance, mean at 1.
  rewrite (sum_ext n _ (fun j => c * c * (centred n x j * centred n x j))).
  - rewrite sum_scale; unfold mean, Rdiv; ring.
  - intros j; rewrite centred_scale; ring.
Qed.

Lemma deviation_scale (eps : R) (n : nat) (c : R) (x : vector) :
  0 <= c -> 0 <= variance n x + eps ->
  deviation (c * c * eps) n (fun k => c * x k) = c * deviation eps n x.
Proof.
  intros c_ge0 inside; unfold deviation; rewrite variance_scale.
  replace (c * c * variance n x + c * c * eps) with (c * c * (variance n x + eps)) by ring.
  rewrite sqrt_mult by (exact inside || apply Rle_0_sqr).
  now rewrite sqrt_square.
Qed.

Lemma deviation_gt0 (eps : R) (n : nat) (x : vector) :
  0 < variance n x + eps -> 0 < deviation eps n x.
Proof. apply sqrt_lt_R0. Qed.

Lemma deviation_sqr (eps : R) (n : nat) (x : vector) :
  0 < variance n x + eps -> deviation eps n x * deviation eps n x = variance n x + eps.
Proof. intros inside; unfold deviation; now rewrite sqrt_sqrt by lra. Qed.

(** In words: a layer norm does not see a constant that is added to every entry.
    Does not say: that rounding leaves the result alone when the constant is large.
    Used by: the terminal layer norm of the networks of `credit`. *)
Theorem normed_shift (eps : R) (n : nat) (b : R) (x : vector) (j : nat) :
  (0 < n)%nat -> normed eps n (fun k => x k + b) j = normed eps n x j.
Proof.
  intros n_gt0.
  assert (forall k, centred n (fun k => x k + b) k = centred n x k) as same.
  { intros k; unfold centred.
    rewrite (mean_ext n (fun k => x k + b) (fun k => 1 * x k + b * 1)) by (intros; ring).
    rewrite mean_linear, mean_const by exact n_gt0; ring. }
  unfold normed, deviation, variance; rewrite same.
  now rewrite (mean_ext n (fun k => centred n (fun k => x k + b) k * centred n (fun k => x k + b) k)
                 (fun k => centred n x k * centred n x k)) by (intros k; rewrite same; reflexivity).
Qed.

(** In words: nor does it see a positive factor, if eps grows with the square of the factor; for
    eps = 0 it sees none.
    Does not say: that eps = 1e-5 is nothing beside a small variance.
    Used by: the terminal layer norm of the networks of `credit`. *)
Theorem normed_scale (eps : R) (n : nat) (c : R) (x : vector) (j : nat) :
  0 < c -> 0 < variance n x + eps ->
  normed (c * c * eps) n (fun k => c * x k) j = normed eps n x j.
Proof.
  intros c_gt0 inside; unfold normed; rewrite centred_scale, deviation_scale by lra.
  pose proof (deviation_gt0 eps n x inside); field; lra.
Qed.

(* The entries of a normed vector add up to 0, and their mean square is at most 1. *)
Lemma sum_normed (eps : R) (n : nat) (x : vector) : (0 < n)%nat -> sum n (normed eps n x) = 0.
Proof.
  intros n_gt0; unfold normed, Rdiv.
  rewrite (sum_ext n _ (fun j => / deviation eps n x * centred n x j)) by (intros; ring).
  rewrite sum_scale, sum_centred by exact n_gt0; ring.
Qed.

Lemma mean_square_normed (eps : R) (n : nat) (x : vector) :
  0 < variance n x + eps ->
  mean n (fun j => normed eps n x j * normed eps n x j) = variance n x / (variance n x + eps).
Proof.
  intros inside; pose proof (deviation_gt0 eps n x inside) as deviation_gt0.
  rewrite <- deviation_sqr by exact inside.
  unfold normed, variance at 1, mean.
  rewrite (sum_ext n _ (fun j => / (deviation eps n x * deviation eps n x)
                                 * (centred n x j * centred n x j))).
  - rewrite sum_scale; unfold Rdiv; ring.
  - intros j; field; lra.
Qed.

Lemma dot_normed (eps : R) (n : nat) (u x : vector) :
  dot n u (normed eps n x) = dot n u (centred n x) / deviation eps n x.
Proof.
  unfold dot, normed, Rdiv; rewrite Rmult_comm, <- sum_scale; apply sum_ext; intros j; ring.
Qed.

(* What the gradient says of a direction v, in scalar products of the parts. *)
Lemma dot_backward (eps : R) (n : nat) (u x v : vector) : (0 < n)%nat ->
  dot n (backward eps n u x) v
  = (dot n u (centred n v) - dot n u (normed eps n x) * dot n (normed eps n x) v / INR n)
    / deviation eps n x.
Proof.
  intros n_gt0; pose proof (INR_gt0 n n_gt0) as INR_gt0.
  unfold dot, backward, centred.
  rewrite (sum_ext n _ (fun j => / deviation eps n x *
    (u j * v j + (- mean n u * v j
       + - mean n (fun k => u k * normed eps n x k) * (normed eps n x j * v j)))))
    by (intros j; unfold Rdiv; ring).
  rewrite sum_scale, !sum_plus, !sum_scale.
  rewrite (sum_ext n (fun j => u j * (v j - mean n v)) (fun j => u j * v j + - mean n v * u j))
    by (intros j; ring).
  rewrite sum_plus, sum_scale; unfold mean, Rdiv; ring.
Qed.

(** In words: the formula of the gradient is symmetric in the two vectors that it takes; so what it
    says of gradients it says of small changes too.
    Does not say: that its computed entries are symmetric to the last bit.
    Used by: the theorems below. *)
Theorem backward_symmetric (eps : R) (n : nat) (u v x : vector) :
  (0 < n)%nat -> dot n (backward eps n u x) v = dot n u (backward eps n v x).
Proof.
  intros n_gt0; rewrite (dot_sym n u), !dot_backward by exact n_gt0.
  rewrite (dot_sym n (normed eps n x) v), (dot_sym n (normed eps n x) u).
  assert (dot n u (centred n v) = dot n v (centred n u)) as ->; [| unfold Rdiv; ring].
  rewrite !dot_centred, (dot_sym n u v); unfold Rdiv; ring.
Qed.

(** In words: the gradient is orthogonal to the vector of ones, with any eps.
    Does not say: that its computed entries add up to 0 exactly.
    Used by: the gradient at the last hidden state in `credit`. *)
Theorem backward_ones (eps : R) (n : nat) (u x : vector) :
  (0 < n)%nat -> dot n (backward eps n u x) ones = 0.
Proof.
  intros n_gt0; rewrite dot_backward by exact n_gt0.
  assert (dot n (normed eps n x) ones = 0) as ->.
  { unfold dot, ones; rewrite (sum_ext n _ (normed eps n x)) by (intros; ring).
    now apply sum_normed. }
  assert (dot n u (centred n ones) = 0) as ->.
  { apply sum_eq0; intros j _; unfold centred, ones; rewrite mean_const by exact n_gt0; ring. }
  unfold Rdiv; ring.
Qed.

Lemma dot_normed_self (eps : R) (n : nat) (x : vector) : (0 < n)%nat -> 0 < variance n x + eps ->
  dot n (normed eps n x) x = INR n * variance n x / deviation eps n x.
Proof.
  intros n_gt0 inside; pose proof (INR_gt0 n n_gt0) as INR_gt0.
  rewrite dot_sym, dot_normed; unfold Rdiv; f_equal.
  assert (dot n x (centred n x)
          = sum n (fun j => centred n x j * centred n x j) + mean n x * sum n (centred n x)) as ->.
  { unfold dot; rewrite <- sum_scale, <- sum_plus; apply sum_ext.
    intros j; unfold centred; ring. }
  rewrite sum_centred by exact n_gt0; unfold variance, mean; field; lra.
Qed.

(** In words: the scalar product of gradient and input is n mean (u z) eps / (variance + eps), so
    it falls like eps over the variance.
    Does not say: that it is 0 for eps > 0; then it is only small.
    Used by: the gradient at the last hidden state in `credit`. *)
Theorem backward_radial (eps : R) (n : nat) (u x : vector) :
  (0 < n)%nat -> 0 < variance n x + eps ->
  dot n (backward eps n u x) x
  = dot n u (normed eps n x) * (eps / (variance n x + eps)).
Proof.
  intros n_gt0 inside; pose proof (INR_gt0 n n_gt0) as INR_gt0.
  pose proof (deviation_gt0 eps n x inside) as deviation_gt0.
  rewrite dot_backward, dot_normed_self, dot_normed by assumption.
  rewrite <- (deviation_sqr eps n x inside).
  replace (variance n x) with (deviation eps n x * deviation eps n x - eps)
    by (rewrite deviation_sqr by exact inside; ring).
  field; split; lra.
Qed.

(** In words: with eps = 0 the gradient is orthogonal to the input.
    Does not say: that it is so in floating point, where eps is not 0 either.
    Used by: the gradient at the last hidden state in `credit`. *)
Theorem backward_orthogonal (n : nat) (u x : vector) :
  (0 < n)%nat -> 0 < variance n x -> dot n (backward 0 n u x) x = 0.
Proof. intros n_gt0 inside; rewrite backward_radial by (assumption || lra); unfold Rdiv; ring. Qed.

(** In words: an input that is c times as long has a gradient that is c times as short.
    Does not say: that a network makes its states longer; only what follows when it does.
    Used by: the diagnostic (b) of `credit`, the floor of the last gradient. *)
Theorem backward_scale (eps : R) (n : nat) (c : R) (u x : vector) (j : nat) :
  0 < c -> 0 < variance n x + eps ->
  backward (c * c * eps) n u (fun k => c * x k) j = backward eps n u x j / c.
Proof.
  intros c_gt0 inside; unfold backward.
  rewrite deviation_scale, normed_scale by lra.
  rewrite (mean_ext n (fun k => u k * normed (c * c * eps) n (fun k => c * x k) k)
             (fun k => u k * normed eps n x k)) by (intros k; rewrite normed_scale by lra; ring).
  pose proof (deviation_gt0 eps n x inside); field; lra.
Qed.
