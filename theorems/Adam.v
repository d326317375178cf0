(******************************************************************************)
(*                    How far one step of Adam can go                         *)
(*                                                                            *)
(*    average b g n == the moving average of g 0 .. g (n - 1), from 0         *)
(*  reach b1 b2     == (1 - b1)^2 / ((1 - b2) (1 - b1^2 / b2))                *)
(*  corrected b a n == a / (1 - b^n)                                          *)
(*                                                                            *)
(* Source: D. Kingma and J. Ba, arXiv 1412.6980, section 2.1 gives a weaker   *)
(* bound; this one is derived here, by Cauchy-Schwarz step by step.           *)
(*                                                                            *)
(* Code: train_gpt_style/credit/run.py:build_optimizers                       *)
(* Test: tests/theorems/test_ties_models.py:test_no_step_of_the_optimizer_of_credit_is_longer_than_its_reach *)
(*                                                                            *)
(* Does not say: anything of weight decay, which moves a weight too, or of    *)
(* the rounded averages.                                                      *)
(******************************************************************************)

From Coq Require Import Reals Lra Lia Psatz.
From Goldenseal Require Import Dclr.

Open Scope R_scope.

Fixpoint average (b : R) (g : nat -> R) (n : nat) : R :=
  match n with
  | O => 0
  | S k => ema b (average b g k) (g k)
  end.

Definition squares (g : nat -> R) : nat -> R := fun k => g k * g k.

Definition reach (b1 b2 : R) : R := (1 - b1) * (1 - b1) / ((1 - b2) * (1 - b1 * b1 / b2)).

Definition corrected (b a : R) (n : nat) : R := a / (1 - b ^ n).

Lemma average_squares_ge0 (b : R) (g : nat -> R) (n : nat) :
  0 <= b <= 1 -> 0 <= average b (squares g) n.
Proof.
  intros b_in; induction n as [| n IHn]; simpl; [lra |]; unfold ema.
  apply Rplus_le_le_0_compat; apply Rmult_le_pos; try lra; apply Rle_0_sqr.
Qed.

Lemma ratio_in (b1 b2 : R) : 0 <= b1 < 1 -> b1 * b1 < b2 < 1 -> 0 <= b1 * b1 / b2 < 1.
Proof.
  intros b1_in b2_in; assert (0 < b2) as b2_gt0 by nra; split.
  - apply Rmult_le_pos; [nra | now apply Rlt_le, Rinv_0_lt_compat].
  - apply Rmult_lt_reg_r with b2; [exact b2_gt0 |].
    unfold Rdiv; rewrite Rmult_assoc, Rinv_l; lra.
Qed.

Lemma reach_gt0 (b1 b2 : R) : 0 <= b1 < 1 -> b1 * b1 < b2 < 1 -> 0 < reach b1 b2.
Proof.
  intros b1_in b2_in; pose proof (ratio_in b1 b2 b1_in b2_in).
  apply Rdiv_lt_0_compat; apply Rmult_lt_0_compat; lra.
Qed.

Lemma twice_le (P Q r : R) : 0 <= P -> 0 <= Q -> r * r <= P * Q -> 2 * r <= P + Q.
Proof.
  intros P_ge0 Q_ge0 below; apply Rnot_lt_le; intros above.
  pose proof (Rle_0_sqr (P - Q)) as square; unfold Rsqr in square; nra.
Qed.

(** In words: after n gradients the square of Adam's first average is at most
    reach (1 - (b1^2 / b2)^n) times its second, for any gradients.
    Does not say: anything when b1^2 >= b2; then no bound holds for all gradients and all n.
    Used by: the speed limit of `credit`. *)
Theorem averages_bound_n (b1 b2 : R) (g : nat -> R) (n : nat) :
  0 <= b1 < 1 -> b1 * b1 < b2 < 1 ->
  average b1 g n * average b1 g n
  <= reach b1 b2 * (1 - (b1 * b1 / b2) ^ n) * average b2 (squares g) n.
Proof.
  intros b1_in b2_in; assert (0 < b2) as b2_gt0 by nra.
  pose proof (reach_gt0 b1 b2 b1_in b2_in) as reach_gt0.
  pose proof (ratio_in b1 b2 b1_in b2_in) as ratio_in.
  set (theta := b1 * b1 / b2) in *.
  assert (theta * b2 = b1 * b1) as ratio by (unfold theta; field; lra).
  assert (reach b1 b2 * (1 - theta) * (1 - b2) = (1 - b1) * (1 - b1)) as start
    by (unfold reach; fold theta; field; split; lra).
  assert (forall m, 0 <= 1 - theta ^ m) as left_ge0.
  { intros m; assert (theta ^ m <= 1) by (rewrite <- (pow1 m); apply pow_incr; lra); lra. }
  induction n as [| n IHn]; simpl; [lra |].
  pose proof (left_ge0 n) as power_le; set (power := theta ^ n) in *.
  assert (0 <= average b2 (squares g) n) as v_ge0 by (apply average_squares_ge0; lra).
  set (m := average b1 g n) in *; set (v := average b2 (squares g) n) in *; set (x := g n).
  unfold ema, squares; fold x; set (r := reach b1 b2) in *; clearbody theta power r m v x.
  assert (0 <= x * x) as x_ge0 by apply Rle_0_sqr.
  assert (0 <= r * (1 - power)) as k_ge0 by (apply Rmult_le_pos; lra).
  (* The mixed term is a geometric mean of two terms of the right side. *)
  pose proof (twice_le (theta * (r * (1 - power)) * (1 - b2) * (x * x))
                       (r * (1 - theta) * b2 * v) (b1 * (1 - b1) * (m * x))) as mixed.
  assert (2 * (b1 * (1 - b1) * (m * x))
          <= theta * (r * (1 - power)) * (1 - b2) * (x * x) + r * (1 - theta) * b2 * v) as cross.
  { apply mixed; [apply Rmult_le_pos; [repeat apply Rmult_le_pos; lra | exact x_ge0] |
                  repeat apply Rmult_le_pos; lra |].
    replace (theta * (r * (1 - power)) * (1 - b2) * (x * x) * (r * (1 - theta) * b2 * v))
      with (theta * b2 * (r * (1 - theta) * (1 - b2)) * (x * x) * (r * (1 - power) * v)) by ring.
    rewrite ratio, start.
    replace (b1 * (1 - b1) * (m * x) * (b1 * (1 - b1) * (m * x)))
      with (b1 * b1 * ((1 - b1) * (1 - b1)) * (x * x) * (m * m)) by ring.
    apply Rmult_le_compat_l; [| exact IHn].
    apply Rmult_le_pos; [repeat apply Rmult_le_pos; lra | exact x_ge0]. }
  replace (r * (1 - theta * power) * (b2 * v + (1 - b2) * (x * x))) with
    (theta * b2 * (r * (1 - power) * v) + r * (1 - theta) * (1 - b2) * (x * x)
     + (theta * (r * (1 - power)) * (1 - b2) * (x * x) + r * (1 - theta) * b2 * v)) by ring.
  rewrite ratio, start.
  assert (b1 * b1 * (m * m) <= b1 * b1 * (r * (1 - power) * v))
    by (apply Rmult_le_compat_l; [apply Rle_0_sqr | exact IHn]).
  nra.
Qed.

(** In words: so it is at most `reach` times its second, however many gradients there were.
    Does not say: that the bound is reached; gradients that fall by the right factor come near.
    Used by: the speed limit of `credit`. *)
Theorem averages_bound (b1 b2 : R) (g : nat -> R) (n : nat) :
  0 <= b1 < 1 -> b1 * b1 < b2 < 1 ->
  average b1 g n * average b1 g n <= reach b1 b2 * average b2 (squares g) n.
Proof.
  intros b1_in b2_in; pose proof (averages_bound_n b1 b2 g n b1_in b2_in) as bound.
  pose proof (reach_gt0 b1 b2 b1_in b2_in) as reach_gt0.
  pose proof (ratio_in b1 b2 b1_in b2_in) as ratio_in.
  assert (0 <= average b2 (squares g) n) as v_ge0 by (apply average_squares_ge0; nra).
  assert (0 <= (b1 * b1 / b2) ^ n) as power_ge0 by (apply pow_le; lra).
  assert (0 <= reach b1 b2 * ((b1 * b1 / b2) ^ n) * average b2 (squares g) n) as rest
    by (apply Rmult_le_pos; [apply Rmult_le_pos; [lra | exact power_ge0] | exact v_ge0]).
  lra.
Qed.

(** In words: so without bias correction no step is longer than lr sqrt reach, with any epsilon.
    Does not say: that such a step is ever taken.
    Used by: the speed limit of `credit`. *)
Theorem step_bound (b1 b2 eps : R) (g : nat -> R) (n : nat) :
  0 <= b1 < 1 -> b1 * b1 < b2 < 1 -> 0 < eps ->
  Rabs (average b1 g n) / (sqrt (average b2 (squares g) n) + eps) <= sqrt (reach b1 b2).
Proof.
  intros b1_in b2_in eps_gt0.
  pose proof (averages_bound b1 b2 g n b1_in b2_in) as below.
  assert (0 <= average b2 (squares g) n) as v_ge0 by (apply average_squares_ge0; nra).
  pose proof (reach_gt0 b1 b2 b1_in b2_in) as reach_gt0.
  pose proof (sqrt_pos (average b2 (squares g) n)); pose proof (sqrt_pos (reach b1 b2)).
  apply Rmult_le_reg_r with (sqrt (average b2 (squares g) n) + eps); [lra |].
  unfold Rdiv; rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
  apply Rle_trans with (sqrt (reach b1 b2) * sqrt (average b2 (squares g) n)); [| nra].
  rewrite <- sqrt_mult, <- sqrt_Rsqr_abs by lra; now apply sqrt_le_1_alt.
Qed.

Lemma pow_lt1 (b : R) (n : nat) : 0 <= b < 1 -> (0 < n)%nat -> 0 <= b ^ n < 1.
Proof.
  intros b_in n_gt0; split; [now apply pow_le |].
  destruct n as [| n]; [lia |]; simpl.
  assert (0 <= b ^ n) by now apply pow_le.
  assert (b ^ n <= 1) by (rewrite <- (pow1 n); apply pow_incr; lra); nra.
Qed.

(** In words: the bound holds with bias correction too, at every step.
    Does not say: that early steps are as long as late ones may be; they are shorter.
    Used by: the speed limit of `credit`. *)
Theorem corrected_bound (b1 b2 eps : R) (g : nat -> R) (n : nat) :
  0 <= b1 < 1 -> b1 * b1 < b2 < 1 -> 0 < eps -> (0 < n)%nat ->
  Rabs (corrected b1 (average b1 g n) n)
  / (sqrt (corrected b2 (average b2 (squares g) n) n) + eps) <= sqrt (reach b1 b2).
Proof.
  intros b1_in b2_in eps_gt0 n_gt0.
  pose proof (averages_bound_n b1 b2 g n b1_in b2_in) as below.
  pose proof (reach_gt0 b1 b2 b1_in b2_in) as reach_gt0.
  assert (0 <= b2 < 1) as b2_in' by nra.
  pose proof (pow_lt1 b1 n b1_in n_gt0) as one; pose proof (pow_lt1 b2 n b2_in' n_gt0) as two.
  pose proof (ratio_in b1 b2 b1_in b2_in) as ratio_in.
  assert (0 <= average b2 (squares g) n) as v_ge0 by (apply average_squares_ge0; lra).
  assert ((b1 * b1 / b2) ^ n * b2 ^ n = b1 ^ n * b1 ^ n) as powers.
  { rewrite <- !Rpow_mult_distr; f_equal; field; nra. }
  pose proof (pow_lt1 (b1 * b1 / b2) n ratio_in n_gt0) as three.
  unfold corrected; set (m := average b1 g n) in *; set (v := average b2 (squares g) n) in *.
  set (x := (b1 * b1 / b2) ^ n) in *; set (y := b2 ^ n) in *; set (z := b1 ^ n) in *.
  (* (1 - x)(1 - y) <= (1 - z)^2, as z^2 = x y. *)
  pose proof (twice_le x y z) as means.
  assert ((1 - x) * (1 - y) <= (1 - z) * (1 - z)) as correction by (assert (2 * z <= x + y)
    by (apply means; lra); nra).
  set (r := reach b1 b2) in *; set (w := v / (1 - y)).
  assert (v = w * (1 - y)) as v_eq by (unfold w; field; lra).
  assert (0 <= w) as w_ge0
    by (apply Rmult_le_pos; [exact v_ge0 | apply Rlt_le, Rinv_0_lt_compat; lra]).
  pose proof (sqrt_pos w) as root_ge0; pose proof (sqrt_pos r).
  apply Rmult_le_reg_r with (sqrt w + eps); [lra |].
  unfold Rdiv at 1; rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
  apply Rle_trans with (sqrt r * sqrt w); [| nra].
  rewrite <- sqrt_mult, <- sqrt_Rsqr_abs by lra; apply sqrt_le_1_alt; unfold Rsqr.
  apply Rmult_le_reg_r with ((1 - z) * (1 - z)); [nra |].
  replace (m / (1 - z) * (m / (1 - z)) * ((1 - z) * (1 - z))) with (m * m) by (field; lra).
  apply Rle_trans with (r * w * ((1 - x) * (1 - y))).
  - replace (r * w * ((1 - x) * (1 - y))) with (r * (1 - x) * (w * (1 - y))) by ring.
    now rewrite <- v_eq.
  - apply Rmult_le_compat_l; [apply Rmult_le_pos; lra | exact correction].
Qed.

Lemma average_constant (b c : R) (n : nat) : average b (fun _ => c) n = (1 - b ^ n) * c.
Proof. induction n as [| n IHn]; simpl; [| rewrite IHn; unfold ema]; ring. Qed.

(** In words: a constant gradient gives corrected averages of its value and its square, so a step
    of the learning rate.
    Does not say: that gradients are constant.
    Used by: the speed limit of `credit`. *)
Theorem constant_gradient (b1 b2 c : R) (n : nat) : 0 <= b1 < 1 -> 0 <= b2 < 1 -> (0 < n)%nat ->
  corrected b1 (average b1 (fun _ => c) n) n = c /\
  corrected b2 (average b2 (squares (fun _ => c)) n) n = c * c.
Proof.
  intros b1_in b2_in n_gt0; unfold corrected, squares; rewrite !average_constant.
  pose proof (pow_lt1 b1 n b1_in n_gt0); pose proof (pow_lt1 b2 n b2_in n_gt0).
  split; field; lra.
Qed.

Lemma average_silence (b : R) (g : nat -> R) (n : nat) :
  (forall k, (k < n)%nat -> g k = 0) -> average b g n = 0.
Proof.
  induction n as [| n IHn]; intros silent; simpl; [reflexivity |].
  rewrite IHn, silent by auto with arith; unfold ema; ring.
Qed.

(** In words: one gradient after silence gives a step of (1 - b1) / sqrt (1 - b2), which is the
    square root of ten for the usual decays.
    Does not say: that with bias correction it is the same; after long silence it is.
    Used by: the speed limit of `credit`. *)
Theorem spike (b1 b2 : R) (g : nat -> R) (n : nat) :
  0 <= b1 < 1 -> 0 <= b2 < 1 -> (forall k, (k < n)%nat -> g k = 0) -> g n <> 0 ->
  Rabs (average b1 g (S n)) / sqrt (average b2 (squares g) (S n)) = (1 - b1) / sqrt (1 - b2).
Proof.
  intros b1_in b2_in silent loud; simpl.
  rewrite !average_silence by (intros; unfold squares; rewrite ?silent by assumption; auto; ring).
  unfold ema, squares; rewrite !Rmult_0_r, !Rplus_0_l.
  rewrite sqrt_mult by (lra || apply Rle_0_sqr).
  change (g n * g n) with (Rsqr (g n)); rewrite sqrt_Rsqr_abs, Rabs_mult, (Rabs_right (1 - b1)) by lra.
  assert (0 < sqrt (1 - b2)) by (apply sqrt_lt_R0; lra).
  pose proof (Rabs_no_R0 _ loud); field; split; lra.
Qed.

(** In words: for 0.9 and 0.999 the bound lies between 7.27 and 7.271.
    Does not say: the bound for the decays of another optimizer.
    Used by: the speed limit of `credit`. *)
Theorem usual_reach : 727 / 100 < sqrt (reach (9 / 10) (999 / 1000)) < 7271 / 1000.
Proof.
  assert (reach (9 / 10) (999 / 1000) = 1110 / 21) as -> by (unfold reach; field).
  split; [rewrite <- (sqrt_square (727 / 100)) by lra | rewrite <- (sqrt_square (7271 / 1000)) by lra];
    apply sqrt_lt_1_alt; lra.
Qed.
