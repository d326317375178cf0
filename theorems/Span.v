(******************************************************************************)
(*                    The span of the JEPA loss and its bounds                *)
(*                                                                            *)
(*                 h t j == entry j of the stream at time t, for t < T        *)
(*   patch h a s         == h (a + s) - h (a - 1), what the span adds         *)
(* context h T a s       == (h (a - 1) - h 0) + (h (T - 1) - h (a + s))       *)
(*    loss eps n h T a s == 1 - the cosine of context and patch               *)
(*                                                                            *)
(* Source: specification of the golden-sunflowers proposal, section on the    *)
(* JEPA auxiliary loss; the code is train_gpt_style/gpt/features/jepa.py.     *)
(*                                                                            *)
(* Code: train_gpt_style/gpt/features/jepa.py:SpanLoss                        *)
(* Test: tests/train_gpt_style/gpt/test_gpt_jepa.py:test_the_loss_lies_between_zero_and_two *)
(*                                                                            *)
(* Does not say: that a smaller loss makes a better language model.           *)
(******************************************************************************)

From Coq Require Import Reals Lra Lia.
From Goldenseal Require Import Vectors Cosine.

Open Scope R_scope.

Definition stream : Type := nat -> vector.

Definition patch (h : stream) (a s : nat) : vector :=
  fun j => h (a + s)%nat j - h (a - 1)%nat j.

Definition context (h : stream) (T a s : nat) : vector :=
  fun j => (h (a - 1)%nat j - h 0%nat j) + (h (T - 1)%nat j - h (a + s)%nat j).

Definition loss (eps : R) (n : nat) (h : stream) (T a s : nat) : R :=
  1 - cosine eps n (context h T a s) (patch h a s).

(** In words: a length of at most T - 2 leaves at least one start.
    Does not say: which length or start is drawn.
    Used by: the check of JEPA_MAX_SPAN_FRAC, the upper end of the second draw.
    Code: train_gpt_style/gpt/features/jepa.py:longest_span
    Test: tests/train_gpt_style/gpt/test_gpt_jepa.py:test_the_longest_span_is_a_part_of_the_sequence_and_at_least_one *)
Theorem span_has_start (T s : nat) : (s <= T - 2 -> 2 <= T -> 1 <= T - s - 1)%nat.
Proof. lia. Qed.

(** In words: every span that may be drawn begins after the first and ends by the last position,
    so that a - 1 and b = a + s are positions of the sequence, and a - 1 < b.
    Does not say: that starts are drawn uniformly.
    Used by: the indices a - 1 and b of the JEPA loss.
    Code: train_gpt_style/gpt/features/jepa.py:draw_span
    Test: tests/train_gpt_style/gpt/test_gpt_jepa.py:test_a_span_stays_inside_and_both_ends_of_its_range_are_drawn_legally *)
Theorem span_inside (T s a : nat) :
  (1 <= s -> 1 <= a -> a <= T - s - 1 -> 0 <= a - 1 /\ a - 1 < a + s /\ a + s <= T - 1)%nat.
Proof. lia. Qed.

(** In words: context and patch add up to what the whole sequence adds.
    Does not say: that the rounded sums do.
    Used by: the reading of the JEPA loss as a partition of one displacement.
    Test: tests/train_gpt_style/gpt/test_gpt_jepa.py:test_a_hand_computed_loss *)
Theorem span_partition (h : stream) (T a s j : nat) :
  context h T a s j + patch h a s j = h (T - 1)%nat j - h 0%nat j.
Proof. unfold context, patch; ring. Qed.

(** In words: the loss lies between 0 and 2.
    Does not say: that the computed loss does; rounding may carry it out by some ulp.
    Used by: JEPA_LAMBDA, which therefore adds at most twice its value. *)
Theorem loss_bounds (eps : R) (n : nat) (h : stream) (T a s : nat) :
  0 < eps -> 0 <= loss eps n h T a s <= 2.
Proof.
  intros eps_gt0; unfold loss.
  pose proof (cosine_bounds eps n (context h T a s) (patch h a s) eps_gt0); lra.
Qed.

(** In words: a stream that does not move has loss 1.
    Does not say: that training leaves it.
    Used by: a fresh model's first steps, as a check of the code.
    Test: tests/train_gpt_style/gpt/test_gpt_jepa.py:test_a_still_stream_has_loss_one_and_a_linear_one_loss_zero *)
Theorem loss_constant (eps : R) (n : nat) (h : stream) (T a s : nat) :
  (forall t j, h t j = h 0%nat j) -> loss eps n h T a s = 1.
Proof.
  intros still; unfold loss; rewrite cosine_zero; [ring |].
  intros j _; unfold context.
  rewrite (still (a - 1)%nat), (still (T - 1)%nat), (still (a + s)%nat); ring.
Qed.

(** In words: a stream that is linear in time has loss 0, if its two parts are not too short.
    Does not say: that only such a stream has loss 0.
    Used by: the name linear-representation form.
    Test: tests/train_gpt_style/gpt/test_gpt_jepa.py:test_a_still_stream_has_loss_one_and_a_linear_one_loss_zero *)
Theorem loss_linear (eps : R) (n : nat) (h : stream) (v : vector) (T a s : nat) :
  0 < eps -> (s + 2 < T)%nat -> (1 <= a)%nat -> (a + s <= T - 1)%nat ->
  (forall t j, h t j = h 0%nat j + INR t * v j) ->
  eps <= INR (T - s - 2) * norm n v -> eps <= INR (s + 1) * norm n v ->
  loss eps n h T a s = 0.
Proof.
  intros eps_gt0 room a_ge b_le linear context_long patch_long; unfold loss.
  assert (forall j, context h T a s j = INR (T - s - 2) * v j) as contextE.
  { intros j; unfold context.
    rewrite (linear (a - 1)%nat), (linear (T - 1)%nat), (linear (a + s)%nat).
    assert (INR (T - s - 2) = INR (a - 1) + INR (T - 1) - INR (a + s)) as ->; [| ring].
    rewrite <- plus_INR, <- minus_INR by lia; f_equal; lia. }
  assert (forall j, patch h a s j = INR (s + 1) * v j) as patchE.
  { intros j; unfold patch.
    rewrite (linear (a - 1)%nat), (linear (a + s)%nat).
    assert (INR (s + 1) = INR (a + s) - INR (a - 1)) as ->; [| ring].
    rewrite <- minus_INR by lia; f_equal; lia. }
  assert (cosine eps n (context h T a s) (patch h a s) = 1) as ->; [| ring].
  transitivity (cosine eps n (fun j => INR (T - s - 2) * v j) (fun j => INR (s + 1) * v j)).
  - unfold cosine, dot, norm.
    rewrite (sum_ext n _ (fun j => (INR (T - s - 2) * v j) * (INR (s + 1) * v j)))
      by (intros j; rewrite contextE, patchE; reflexivity).
    rewrite (sum_ext n (fun j => context h T a s j * context h T a s j)
               (fun j => (INR (T - s - 2) * v j) * (INR (T - s - 2) * v j)))
      by (intros j; rewrite contextE; reflexivity).
    rewrite (sum_ext n (fun j => patch h a s j * patch h a s j)
               (fun j => (INR (s + 1) * v j) * (INR (s + 1) * v j)))
      by (intros j; rewrite patchE; reflexivity).
    reflexivity.
  - apply cosine_parallel; try assumption; apply lt_0_INR; lia.
Qed.
