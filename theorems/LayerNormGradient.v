(******************************************************************************)
(*          Layer normalisation: the derivative itself, and its bound         *)
(*                                                                            *)
(*   error p y == p, less 1 at the place y (softmax less the label)           *)
(*                                                                            *)
(* Source: derived here; LayerNorm.v defines the formula of the gradient.     *)
(*                                                                            *)
(* Code: train_gpt_style/credit/metrics.py:measured                           *)
(* Test: tests/train_gpt_style/credit/test_credit_laws.py:test_the_gradient_at_the_top_is_orthogonal_to_the_state_and_falls_with_its_scale *)
(* Test: tests/theorems/test_ties.py:test_the_gradients_of_the_norms_are_those_of_the_theorems *)
(*                                                                            *)
(* Does not say: that a gradient below the floor is useless; the floor is a   *)
(* convention, and so is the batch that the gradient is averaged over.        *)
(******************************************************************************)

From Coq Require Import Reals Lra Lia Psatz FunctionalExtensionality.
From Goldenseal Require Import Vectors Cosine Sums LayerNorm.

Open Scope R_scope.

(* --- The formula is the derivative ---------------------------------------- *)

Lemma derivable_quadratic (A B C : R) :
  derivable_pt_lim (fun t => A + t * B + t * t * C) 0 B.
Proof.
  intros eps eps_gt0; pose proof (Rabs_pos C) as C_ge0.
  assert (0 < eps / (Rabs C + 1)) as delta_gt0 by (apply Rdiv_lt_0_compat; lra).
  exists (mkposreal _ delta_gt0); simpl; intros h h_neq0 h_lt.
  replace ((A + (0 + h) * B + (0 + h) * (0 + h) * C - (A + 0 * B + 0 * 0 * C)) / h - B)
    with (h * C) by (field; exact h_neq0).
  rewrite Rabs_mult; pose proof (Rabs_pos h) as h_ge0.
  apply (Rmult_lt_compat_r (Rabs C + 1)) in h_lt; [| lra].
  unfold Rdiv in h_lt; rewrite Rmult_assoc, Rinv_l in h_lt by lra; nra.
Qed.

Lemma variance_line (n : nat) (x v : vector) (t : R) :
  variance n (fun j => 1 * x j + t * v j)
  = variance n x + t * (2 * mean n (fun j => centred n x j * centred n v j))
    + t * t * variance n v.
Proof.
  unfold variance, mean at 1.
  rewrite (sum_ext n _ (fun j => centred n x j * centred n x j
    + (2 * t * (centred n x j * centred n v j) + t * t * (centred n v j * centred n v j))))
    by (intros j; rewrite centred_linear; ring).
  rewrite !sum_plus, !sum_scale; unfold mean, Rdiv; ring.
Qed.

Lemma dot_centred_twice (n : nat) (x v : vector) : (0 < n)%nat ->
  sum n (fun j => centred n x j * centred n v j) = dot n (centred n x) v.
Proof.
  intros n_gt0; change (dot n (centred n x) (centred n v) = dot n (centred n x) v).
  rewrite dot_centred, sum_centred by exact n_gt0; unfold Rdiv; ring.
Qed.

(** In words: in every direction v, the derivative of <u, normed x> is <backward u x, v>; so the
    formula is the gradient of a layer norm.
    Does not say: that the gradient of an automatic differentiation is this one; a test compares.
    Used by: the theorems about `backward`. *)
Theorem backward_is_gradient (eps : R) (n : nat) (u x v : vector) :
  (0 < n)%nat -> 0 < variance n x + eps ->
  derivable_pt_lim (fun t => dot n u (normed eps n (fun j => 1 * x j + t * v j))) 0
    (dot n (backward eps n u x) v).
Proof.
  intros n_gt0 inside; pose proof (INR_gt0 n n_gt0) as INR_gt0.
  pose proof (deviation_gt0 eps n x inside) as s_gt0.
  set (B := mean n (fun j => centred n x j * centred n v j)).
  set (top := fun t => dot n u (centred n x) + t * dot n u (centred n v) + t * t * 0).
  set (under := fun t => (variance n x + eps) + t * (2 * B) + t * t * variance n v).
  assert (under 0 = variance n x + eps) as under0 by (unfold under; ring).
  apply derivable_pt_lim_ext with (f := (top / comp sqrt under)%F).
  { intros t; rewrite dot_normed; unfold div_fct, comp, top, under, deviation.
    rewrite variance_line; fold B; f_equal; [| f_equal; ring].
    rewrite (dot_sym n u (centred n (fun j => 1 * x j + t * v j))).
    rewrite (dot_ext n (centred n (fun j => 1 * x j + t * v j))
               (fun j => 1 * centred n x j + t * centred n v j))
      by (intros j _; apply centred_linear).
    rewrite dot_linear, !(dot_sym n _ u); ring. }
  replace (dot n (backward eps n u x) v) with
    ((dot n u (centred n v) * comp sqrt under 0
      - (/ (2 * sqrt (under 0)) * (2 * B)) * top 0) / Rsqr (comp sqrt under 0)).
  - apply derivable_pt_lim_div.
    + apply derivable_quadratic.
    + apply derivable_pt_lim_comp; [apply derivable_quadratic |].
      apply derivable_pt_lim_sqrt; now rewrite under0.
    + unfold comp; rewrite under0; fold (deviation eps n x); lra.
  - unfold comp; rewrite under0; fold (deviation eps n x).
    rewrite dot_backward, dot_normed, (dot_sym n _ v), dot_normed, (dot_sym n v) by exact n_gt0.
    unfold B, mean; rewrite dot_centred_twice by exact n_gt0.
    unfold top, Rsqr; field; split; lra.
Qed.

Lemma derivable_constant_near (f : R -> R) :
  (forall t, Rabs t < 1 -> f t = f 0) -> derivable_pt_lim f 0 0.
Proof.
  intros same eps eps_gt0; exists (mkposreal 1 Rlt_0_1); simpl; intros h h_neq0 h_lt.
  rewrite Rplus_0_l, same by exact h_lt.
  replace ((f 0 - f 0) / h - 0) with 0 by (field; exact h_neq0).
  now rewrite Rabs_R0.
Qed.

(** In words: whatever function stands behind a layer norm with eps = 0, its derivative along the
    input is 0; no gradient has a part along the hidden state.
    Does not say: that the derivatives in other directions exist; F may be anything.
    Used by: the gradient at the last hidden state in `credit`. *)
Theorem ray_flat (F : vector -> R) (n : nat) (x : vector) : 0 < variance n x ->
  derivable_pt_lim (fun t => F (normed 0 n (fun j => (1 + t) * x j))) 0 0.
Proof.
  intros inside; apply derivable_constant_near; intros t t_lt.
  apply Rabs_def2 in t_lt.
  assert (forall c, 0 < c -> normed 0 n (fun j => c * x j) = normed 0 n x) as same.
  { intros c c_gt0; apply functional_extensionality; intros j.
    rewrite <- (normed_scale 0 n c x j) by lra; now rewrite Rmult_0_r. }
  rewrite !same by lra; reflexivity.
Qed.

(** In words: and so is its derivative along the vector of ones, with any eps.
    Does not say: that the derivatives in other directions exist; F may be anything.
    Used by: the gradient at the last hidden state in `credit`. *)
Theorem shift_flat (F : vector -> R) (eps : R) (n : nat) (x : vector) : (0 < n)%nat ->
  derivable_pt_lim (fun t => F (normed eps n (fun j => x j + t))) 0 0.
Proof.
  intros n_gt0; apply derivable_constant_near; intros t _; f_equal.
  apply functional_extensionality; intros j; now rewrite !normed_shift.
Qed.

(* --- The bound ------------------------------------------------------------ *)

(** In words: a layer norm makes a gradient shorter at least by the deviation of its input.
    Does not say: that the bound is reached; in fresh networks it nearly is.
    Used by: the diagnostic (b) of `credit`, the floor of the last gradient.
    Code: train_gpt_style/credit/protocol/diagnostics.py:floor
    Test: tests/train_gpt_style/credit/test_credit_protocol.py:test_the_floor_is_as_stated_per_example *)
Theorem backward_norm (eps : R) (n : nat) (u x : vector) :
  (0 < n)%nat -> 0 <= eps -> 0 < variance n x + eps ->
  norm n (backward eps n u x) <= norm n u / deviation eps n x.
Proof.
  intros n_gt0 eps_ge0 inside; pose proof (INR_gt0 n n_gt0) as INR_gt0.
  pose proof (deviation_gt0 eps n x inside) as s_gt0; set (s := deviation eps n x) in *.
  set (b := backward eps n u x); set (z := normed eps n x); set (P := dot n u z).
  set (q := dot n z z / INR n).
  assert (0 <= q <= 1) as q_in.
  { pose proof (variance_ge0 n x n_gt0).
    change q with (mean n (fun j => z j * z j)); unfold z; rewrite mean_square_normed by exact inside.
    split; [apply Rmult_le_pos; [lra | apply Rlt_le, Rinv_0_lt_compat; lra] |].
    apply Rmult_le_reg_r with (variance n x + eps); [lra |].
    unfold Rdiv; rewrite Rmult_assoc, Rinv_l by lra; lra. }
  assert (sum n b = 0) as b_sum0.
  { pose proof (backward_ones eps n u x n_gt0) as ones0; fold b in ones0.
    rewrite <- ones0; apply sum_ext; intros j; unfold ones; ring. }
  assert (dot n u b = (dot n u (centred n u) - P * P / INR n) / s) as u_b
    by (rewrite dot_sym; unfold b; rewrite dot_backward, (dot_sym n _ u) by exact n_gt0; reflexivity).
  assert (dot n z b = P * (1 - q) / s) as z_b.
  { rewrite dot_sym; unfold b; rewrite dot_backward, dot_centred by exact n_gt0.
    unfold z at 2; rewrite sum_normed by exact n_gt0; fold z; fold P; fold s; unfold q; field; lra. }
  assert (dot n b b = (dot n u (centred n u) - P * P * (2 - q) / INR n) / (s * s)) as b_b.
  { unfold b at 1; rewrite dot_backward by exact n_gt0; fold z; fold P; fold s.
    rewrite dot_centred, b_sum0, z_b, Rmult_0_r; unfold Rdiv at 2; rewrite Rmult_0_l, Rminus_0_r, u_b.
    field; lra. }
  assert (dot n u (centred n u) <= dot n u u) as centred_le.
  { rewrite dot_centred; pose proof (Rle_0_sqr (sum n u)) as square; unfold Rsqr in square.
    assert (0 <= sum n u * sum n u / INR n); [| lra].
    apply Rmult_le_pos; [exact square | now apply Rlt_le, Rinv_0_lt_compat]. }
  assert (0 <= P * P * (2 - q) / INR n) as part_ge0.
  { apply Rmult_le_pos; [| now apply Rlt_le, Rinv_0_lt_compat].
    apply Rmult_le_pos; [apply Rle_0_sqr | lra]. }
  apply Rmult_le_reg_r with s; [exact s_gt0 |].
  unfold Rdiv at 1; rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
  apply Rsqr_incr_0_var; [| apply norm_ge0]; unfold Rsqr.
  replace (norm n b * s * (norm n b * s)) with (norm n b * norm n b * (s * s)) by ring.
  rewrite !norm_sqr, b_b; unfold Rdiv at 1; rewrite Rmult_assoc, Rinv_l by nra; lra.
Qed.

(** In words: the gradient is at most sqrt n times the one behind the norm, over the length of the
    centred input; so an input long enough has a gradient below any floor.
    Does not say: that a gradient above the floor is a good one.
    Used by: the diagnostic (b) of `credit`, the floor of the last gradient.
    Code: train_gpt_style/credit/protocol/diagnostics.py:floor
    Test: tests/train_gpt_style/credit/test_credit_protocol.py:test_the_floor_is_as_stated_per_example *)
Theorem backward_floor (eps floor U : R) (n : nat) (u x : vector) :
  (0 < n)%nat -> 0 <= eps -> norm n u <= U -> 0 < norm n (centred n x) ->
  sqrt (INR n) * U < floor * norm n (centred n x) ->
  norm n (backward eps n u x) < floor.
Proof.
  intros n_gt0 eps_ge0 u_le length_gt0 long; pose proof (INR_gt0 n n_gt0) as INR_gt0.
  pose proof (sqrt_lt_R0 _ INR_gt0) as root_gt0.
  assert (sqrt (variance n x) = norm n (centred n x) / sqrt (INR n)) as length.
  { unfold variance, mean; rewrite sqrt_div; [reflexivity | apply sum_sqr_ge0 | exact INR_gt0]. }
  assert (0 < sqrt (variance n x)) as sigma_gt0
    by (rewrite length; now apply Rdiv_lt_0_compat).
  pose proof (variance_ge0 n x n_gt0) as variance_ge0.
  assert (variance n x <> 0) as variance_neq0
    by (intros zero; rewrite zero, sqrt_0 in sigma_gt0; lra).
  assert (sqrt (variance n x) <= deviation eps n x) as more by (apply sqrt_le_1_alt; lra).
  pose proof (backward_norm eps n u x n_gt0 eps_ge0 ltac:(lra)) as bound.
  apply Rle_lt_trans with (norm n u / deviation eps n x); [exact bound |].
  apply Rmult_lt_reg_r with (deviation eps n x); [lra |].
  unfold Rdiv at 1; rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
  assert (0 <= floor) as floor_ge0.
  { apply Rnot_lt_le; intros negative; pose proof (norm_ge0 n u).
    assert (0 <= sqrt (INR n) * U) by (apply Rmult_le_pos; lra); nra. }
  apply Rlt_le_trans with (floor * sqrt (variance n x)).
  - rewrite length; apply Rmult_lt_reg_r with (sqrt (INR n)); [exact root_gt0 |].
    unfold Rdiv; rewrite Rmult_assoc, Rmult_assoc, Rinv_l by lra; nra.
  - now apply Rmult_le_compat_l.
Qed.

Definition error (p : vector) (y : nat) : vector :=
  fun i => p i - (if Nat.eqb i y then 1 else 0).

(** In words: softmax less the label is never longer than sqrt 2.
    Does not say: that it is short when the label is predicted; then it is.
    Used by: the bound above, with the head's norm, on the gradient at the last hidden state.
    Code: train_gpt_style/credit/metrics.py:measured
    Test: none *)
Theorem error_norm (n y : nat) (p : vector) :
  (y < n)%nat -> (forall i, (i < n)%nat -> 0 <= p i) -> sum n p = 1 -> norm n (error p y) <= sqrt 2.
Proof.
  intros y_lt p_ge0 p_sum; apply sqrt_le_1_alt.
  assert (sum n (fun i => if Nat.eqb i y then 1 else 0) = 1) as label.
  { rewrite (sum_only n y); [now rewrite Nat.eqb_refl | exact y_lt |].
    intros i _ other; destruct (Nat.eqb_spec i y); [contradiction | reflexivity]. }
  replace 2 with (sum n (fun i => p i + (if Nat.eqb i y then 1 else 0)))
    by (rewrite sum_plus, p_sum, label; ring).
  apply sum_le; intros i i_lt; unfold error.
  assert (p i <= 1) by (rewrite <- p_sum; now apply sum_term_le).
  pose proof (p_ge0 i i_lt); destruct (Nat.eqb i y); nra.
Qed.
