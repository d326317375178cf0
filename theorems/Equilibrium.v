(******************************************************************************)
(*               Equilibrium propagation: residuals and displacement          *)
(*                                                                            *)
(*  transposed W       == the matrix W with rows and columns exchanged        *)
(*  back n M top k     == the gradient k blocks below the top, where M k is   *)
(*                        the Jacobian (I + J) of block k, counted from the   *)
(*                        top, and top the gradient there                     *)
(*  moved n M g l      == the displacement credit at layer l, from below:     *)
(*                        0 at layer 0, then M a + g                          *)
(*                                                                            *)
(* Source: B. Scellier and Y. Bengio, arXiv 1602.05179, for the energy;       *)
(* E = 1/2 sum |h' - h - f(h)|^2 + beta loss; derived here.                   *)
(*                                                                            *)
(* Code: train_gpt_style/credit/methods/ep.py:EP                              *)
(* Code: train_gpt_style/credit/metrics.py:with_credits                       *)
(* Test: tests/train_gpt_style/credit/test_credit_laws.py:test_ep_credit_has_the_corrected_sign_and_its_residual_is_the_gradient *)
(*                                                                            *)
(* Does not say: that a relaxation with finitely many steps has reached the   *)
(* equilibrium; what is proved holds there only.                              *)
(******************************************************************************)

From Coq Require Import Reals Lra Lia Psatz.
From Goldenseal Require Import Vectors Cosine Sums.

Open Scope R_scope.

Definition transposed (W : matrix) : matrix := fun i j => W j i.

Fixpoint back (n : nat) (M : nat -> matrix) (top : vector) (k : nat) : vector :=
  match k with
  | O => top
  | S j => act n (transposed (M j)) (back n M top j)
  end.

Fixpoint moved (n : nat) (M : nat -> matrix) (g : nat -> vector) (l : nat) : vector :=
  match l with
  | O => fun _ => 0
  | S k => fun i => act n (M k) (moved n M g k) i + g (S k) i
  end.

Lemma act_ext (n : nat) (W : matrix) (x y : vector) (i : nat) :
  (forall j, (j < n)%nat -> x j = y j) -> act n W x i = act n W y i.
Proof. intros xy; apply sum_ext_lt; intros j j_lt; now rewrite xy. Qed.

Lemma act_scale (n : nat) (W : matrix) (c : R) (x : vector) (i : nat) :
  act n W (fun j => c * x j) i = c * act n W x i.
Proof. unfold act; rewrite <- sum_scale; apply sum_ext; intros j; ring. Qed.

(** In words: where the nudged energy is stationary, each residual over -beta is the gradient that
    backpropagation would find there, at every depth.
    Does not say: that it is the gradient at the free state; that is the limit for small beta.
    Used by: the residual credit of equilibrium propagation in `credit`. *)
Theorem residual_is_gradient (n : nat) (M : nat -> matrix) (top : vector) (beta : R)
    (r : nat -> vector) : beta <> 0 ->
  (forall i, (i < n)%nat -> r 0%nat i + beta * top i = 0) ->
  (forall k i, (i < n)%nat -> r (S k) i = act n (transposed (M k)) (r k) i) ->
  forall k i, (i < n)%nat -> back n M top k i = - r k i / beta.
Proof.
  intros beta_neq0 at_top inside; induction k as [| k IHk]; intros i i_lt; simpl.
  - pose proof (at_top i i_lt) as zero; replace (r 0%nat i) with (- beta * top i) by lra.
    field; exact beta_neq0.
  - rewrite inside by exact i_lt.
    rewrite (act_ext n _ _ (fun j => - / beta * r k j))
      by (intros j j_lt; rewrite IHk by exact j_lt; field; exact beta_neq0).
    rewrite act_scale; field; exact beta_neq0.
Qed.

(** In words: with linear blocks the states move by -beta times `moved`, when each residual is
    -beta times the gradient above it.
    Does not say: that curved blocks move so; for them it is the first order in beta.
    Used by: the displacement credit of equilibrium propagation in `credit`. *)
Theorem displacement_linear (n : nat) (M : nat -> matrix) (g d r : nat -> vector) (beta : R) :
  (forall i, (i < n)%nat -> d 0%nat i = 0) ->
  (forall l i, (i < n)%nat -> d (S l) i = act n (M l) (d l) i + r l i) ->
  (forall l i, (i < n)%nat -> r l i = - beta * g (S l) i) ->
  forall l i, (i < n)%nat -> d l i = - beta * moved n M g l i.
Proof.
  intros start step residual; induction l as [| l IHl]; intros i i_lt; simpl.
  - rewrite start by exact i_lt; ring.
  - rewrite step, residual by exact i_lt.
    rewrite (act_ext n _ _ (fun j => - beta * moved n M g l j)) by exact IHl.
    rewrite act_scale; ring.
Qed.

(** In words: the product of displacement credit and gradient at layer l is the sum of the squared
    gradients of the layers 1 to l.
    Does not say: anything of blocks that are not linear, beyond the first order in beta.
    Used by: the displacement credit of equilibrium propagation in `credit`. *)
Theorem displacement_product (n : nat) (M : nat -> matrix) (g : nat -> vector) (L : nat) :
  (forall k i, (k < L)%nat -> (i < n)%nat -> g k i = act n (transposed (M k)) (g (S k)) i) ->
  forall l, (l <= L)%nat ->
  dot n (moved n M g l) (g l) = sum l (fun k => dot n (g (S k)) (g (S k))).
Proof.
  intros chain; induction l as [| l IHl]; intros l_le.
  - simpl; apply sum_eq0; intros; ring.
  - simpl sum; rewrite <- IHl by lia; simpl moved.
    rewrite <- (Rmult_1_l (dot n (g (S l)) (g (S l)))).
    rewrite (dot_ext n _ (fun i => 1 * act n (M l) (moved n M g l) i + 1 * g (S l) i))
      by (intros; ring).
    rewrite dot_linear, dot_act, Rmult_1_l; f_equal.
    rewrite (dot_sym n (moved n M g l) (g l)), (dot_sym n (moved n M g l)).
    apply dot_ext; intros i i_lt; symmetry; apply chain; [lia | exact i_lt].
Qed.

(** In words: so at every layer the displacement credit has a product with the gradient that is at
    least the gradient's square.
    Does not say: that their cosine is near 1; it falls with the depth below.
    Used by: the displacement credit of equilibrium propagation in `credit`. *)
Theorem displacement_positive (n : nat) (M : nat -> matrix) (g : nat -> vector) (L : nat) :
  (forall k i, (k < L)%nat -> (i < n)%nat -> g k i = act n (transposed (M k)) (g (S k)) i) ->
  forall l, (0 < l <= L)%nat -> dot n (g l) (g l) <= dot n (moved n M g l) (g l).
Proof.
  intros chain l l_in; rewrite (displacement_product n M g L chain) by lia.
  destruct l as [| l]; [lia |].
  apply (sum_term_le (S l) l (fun k => dot n (g (S k)) (g (S k)))); [lia |].
  intros; apply dot_ge0.
Qed.

(** In words: at the last layer the product is positive for blocks of any kind, if the loss is
    convex there and the nudged energy is below that of the free state.
    Does not say: the same of the layers below.
    Used by: the displacement credit of equilibrium propagation in `credit`.
    Test: tests/train_gpt_style/credit/test_credit_laws.py:test_ep_tends_to_backpropagation_and_faster_from_both_sides *)
Theorem last_displacement (n : nat) (beta energy loss_free loss_nudged : R)
    (free nudged g : vector) : 0 < beta -> 0 <= energy ->
  energy + beta * loss_nudged <= beta * loss_free ->
  loss_free + dot n g (fun i => nudged i - free i) <= loss_nudged ->
  energy / (beta * beta) <= dot n (fun i => - (nudged i - free i) / beta) g.
Proof.
  intros beta_gt0 energy_ge0 lower convex.
  assert (dot n (fun i => - (nudged i - free i) / beta) g
          = - dot n g (fun i => nudged i - free i) / beta) as ->.
  { replace (- dot n g (fun i => nudged i - free i) / beta)
      with (- / beta * dot n g (fun i => nudged i - free i)) by (field; lra).
    unfold dot; rewrite <- sum_scale; apply sum_ext; intros i; field; lra. }
  apply Rmult_le_reg_r with (beta * beta); [nra |].
  replace (energy / (beta * beta) * (beta * beta)) with energy by (field; lra).
  replace (- dot n g (fun i => nudged i - free i) / beta * (beta * beta))
    with (- (beta * dot n g (fun i => nudged i - free i))) by (field; lra).
  nra.
Qed.

(** In words: for a loss that is not convex, a stationary state alone is not enough: with one block,
    one entry, beta = 1 and the loss h - 3/2 h^2, the state 1/2 is stationary and its credit points
    the wrong way.
    Does not say: that a relaxation from the free state 0 ends there.
    Used by: the condition of the theorem above.
    Test: tests/train_gpt_style/credit/test_credit_laws.py:test_a_reported_credit_says_whether_it_is_that_of_an_equilibrium *)
Theorem stationary_not_enough : exists slope : R -> R, exists h : R,
  (forall x, derivable_pt_lim (fun t => t - 3 / 2 * (t * t)) x (slope x)) /\
  h + 1 * slope h = 0 /\ - (h - 0) / 1 * slope 0 < 0.
Proof.
  exists (fun x => 1 - 3 * x), (1 / 2); split; [| lra]; intros x.
  replace (1 - 3 * x) with (1 - 3 / 2 * (1 * x + x * 1)) by field.
  apply derivable_pt_lim_minus; [apply derivable_pt_lim_id |].
  apply derivable_pt_lim_scal.
  apply (derivable_pt_lim_mult id id x 1 1); apply derivable_pt_lim_id.
Qed.
