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

Lemma reach_gt0 (b1 b2 : R) : 0 <= b1 < 1 -> b1 * b1 < b2 < 1 -> 0 < reach b1 b2.
Proof.
  intros b1_in b2_in; assert (0 < b2) as b2_gt0 by nra.
  assert (b1 * b1 / b2 < 1).
  { apply Rmult_lt_reg_r with b2; [exact b2_gt0 |].
    unfold Rdiv; rewrite Rmult_assoc, Rinv_l; lra. }
  apply Rdiv_lt_0_compat; apply Rmult_lt_0_compat; lra.
Qed.

(** In words: the square of Adam's first average is at most `reach` times its second, for any
    gradients.
    Does not say: anything when b1^2 >= b2; then no bound holds for all gradients.
    Used by: the speed limit of `credit`, and the optimizers of both other systems. *)
Theorem averages_bound (b1 b2 : R) (g : nat -> R) (n : nat) :
  0 <= b1 < 1 -> b1 * b1 < b2 < 1 ->
  average b1 g n * average b1 g n <= reach b1 b2 * average b2 (squares g) n.
Proof.
  intros b1_in b2_in; assert (0 < b2) as b2_gt0 by nra.
  induction n as [| n IHn]; simpl; [lra |].
  set (m := average b1 g n) in *; set (v := average b2 (squares g) n) in *; set (x := g n).
  unfold ema, squares; fold x.
  (* b2 m^2 + reach (1 - b2) x^2 less the left side is a square over b2 - b1^2. *)
  assert (reach b1 b2 * (1 - b2) = (1 - b1) * (1 - b1) * b2 / (b2 - b1 * b1)) as rest
    by (unfold reach; field; repeat split; nra).
  assert (0 <= ((b2 - b1 * b1) * m - b1 * (1 - b1) * x) * ((b2 - b1 * b1) * m - b1 * (1 - b1) * x)
               / (b2 - b1 * b1)) as square
    by (apply Rmult_le_pos; [apply Rle_0_sqr | apply Rlt_le, Rinv_0_lt_compat; lra]).
  replace (reach b1 b2 * (b2 * v + (1 - b2) * (x * x)))
    with (b2 * (reach b1 b2 * v) + (reach b1 b2 * (1 - b2)) * (x * x)) by ring.
  rewrite rest.
  replace ((b1 * m + (1 - b1) * x) * (b1 * m + (1 - b1) * x)) with
    (b2 * (m * m) + (1 - b1) * (1 - b1) * b2 / (b2 - b1 * b1) * (x * x)
     - ((b2 - b1 * b1) * m - b1 * (1 - b1) * x) * ((b2 - b1 * b1) * m - b1 * (1 - b1) * x)
       / (b2 - b1 * b1)) by (field; lra).
  nra.
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

Lemma correction_le (b1 b2 : R) (n : nat) : 0 <= b1 < 1 -> b1 * (2 - b1) <= b2 < 1 ->
  1 - b2 ^ S n <= (1 - b1 ^ S n) * (1 - b1 ^ S n).
Proof.
  intros b1_in b2_in.
  assert ((b1 * (2 - b1)) ^ S n <= b2 ^ S n) as below by (apply pow_incr; nra).
  rewrite Rpow_mult_distr in below.
  assert (2 - b1 ^ S n <= (2 - b1) ^ S n) as bernoulli.
  { clear below; induction n as [| n IHn]; [simpl; lra |].
    change ((2 - b1) ^ S (S n)) with ((2 - b1) * (2 - b1) ^ S n).
    change (b1 ^ S (S n)) with (b1 * b1 ^ S n).
    pose proof (pow_lt1 b1 (S n) b1_in ltac:(lia)) as power_in; nra. }
  pose proof (pow_lt1 b1 (S n) b1_in ltac:(lia)) as power_in; nra.
Qed.

(** In words: the bound holds with bias correction too, at every step, if b1 (2 - b1) <= b2, as it
    is for 0.9 with 0.999 (and for 0.9 with 0.95 it is not).
    Does not say: what holds for other decays; there early steps may be longer.
    Used by: the speed limit of `credit`. *)
Theorem corrected_bound (b1 b2 eps : R) (g : nat -> R) (n : nat) :
  0 <= b1 < 1 -> b1 * b1 < b2 < 1 -> b1 * (2 - b1) <= b2 -> 0 < eps -> (0 < n)%nat ->
  Rabs (corrected b1 (average b1 g n) n)
  / (sqrt (corrected b2 (average b2 (squares g) n) n) + eps) <= sqrt (reach b1 b2).
Proof.
  intros b1_in b2_in more eps_gt0 n_gt0.
  pose proof (averages_bound b1 b2 g n b1_in b2_in) as below.
  assert (0 <= average b2 (squares g) n) as v_ge0 by (apply average_squares_ge0; nra).
  pose proof (reach_gt0 b1 b2 b1_in b2_in) as reach_gt0.
  assert (0 <= b2 < 1) as b2_in' by nra.
  pose proof (pow_lt1 b1 n b1_in n_gt0) as one; pose proof (pow_lt1 b2 n b2_in' n_gt0) as two.
  assert (1 - b2 ^ n <= (1 - b1 ^ n) * (1 - b1 ^ n)) as correction.
  { destruct n as [| k]; [lia |]; apply correction_le; [exact b1_in | lra]. }
  unfold corrected.
  set (m := average b1 g n) in *; set (v := average b2 (squares g) n) in *.
  assert (0 <= v / (1 - b2 ^ n)) as hat_ge0
    by (apply Rmult_le_pos; [exact v_ge0 | apply Rlt_le, Rinv_0_lt_compat; lra]).
  pose proof (sqrt_pos (v / (1 - b2 ^ n))) as root_ge0; pose proof (sqrt_pos (reach b1 b2)).
  apply Rmult_le_reg_r with (sqrt (v / (1 - b2 ^ n)) + eps); [lra |].
  unfold Rdiv at 1; rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
  apply Rle_trans with (sqrt (reach b1 b2) * sqrt (v / (1 - b2 ^ n))); [| nra].
  rewrite <- sqrt_mult, <- sqrt_Rsqr_abs by lra; apply sqrt_le_1_alt; unfold Rsqr.
  replace (m / (1 - b1 ^ n) * (m / (1 - b1 ^ n)))
    with (m * m * / ((1 - b1 ^ n) * (1 - b1 ^ n))) by (field; lra).
  apply Rle_trans with (m * m * / (1 - b2 ^ n)).
  - apply Rmult_le_compat_l; [apply Rle_0_sqr |]; apply Rinv_le_contravar; lra.
  - unfold Rdiv; rewrite <- Rmult_assoc; apply Rmult_le_compat_r; [| exact below].
    apply Rlt_le, Rinv_0_lt_compat; lra.
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
