(******************************************************************************)
(*          A low-rank adapter with zero up-projection changes nothing        *)
(*                                                                            *)
(*     lora n r A B x == B (A x), with A of shape (r, n)                      *)
(* adapted n r W A B x == W x + B (A x), the layer with its adapter           *)
(*                                                                            *)
(* Source: E. Hu et al., LoRA, arXiv 2106.09685, section 4.1.                 *)
(*                                                                            *)
(* Code: train_gpt_style/gpt/ttt.py:BatchedLoRA                               *)
(* Test: tests/train_gpt_style/gpt/test_gpt_ttt.py:test_adapters_have_the_published_size_and_start_as_nothing *)
(*                                                                            *)
(* Does not say: that the floating-point layer returns the same bits. IEEE    *)
(* addition of +0 turns -0 into +0, and 0 times an infinity is not 0; the     *)
(* equivalence gate compares the bits themselves.                             *)
(******************************************************************************)

From Coq Require Import Reals Lra.
From Goldenseal Require Import Vectors.

Open Scope R_scope.

Definition lora (n r : nat) (A B : matrix) (x : vector) : vector := act r B (act n A x).

Definition adapted (n r : nat) (W A B : matrix) (x : vector) : vector :=
  fun i => act n W x i + lora n r A B x i.

(** In words: with B = 0 the adapter contributes zero, whatever A and the input are.
    Does not say: that PhiNTA, whose frozen branch is never zero, is the identity.
    Used by: the LoRA adapters of test-time training, the trained branch of PhiNTA.
    Code: train_gpt_style/gpt/ttt.py:BatchedLoRA,
      train_gpt_style/gpt/features/phinta.py:PhiNTA
    Test: tests/train_gpt_style/gpt/test_gpt_ttt.py:test_adapters_have_the_published_size_and_start_as_nothing,
      tests/train_gpt_style/gpt/test_gpt_features.py:test_the_low_rank_branch_starts_silent_and_wakes_with_its_first_step *)
Theorem lora_zero_up (n r i : nat) (A B : matrix) (x : vector) :
  (forall k, (k < r)%nat -> B i k = 0) -> lora n r A B x i = 0.
Proof.
  intros B0; apply sum_eq0; intros k k_lt.
  rewrite B0 by exact k_lt; ring.
Qed.

(** In words: with B = 0 the adapted layer is the layer.
    Does not say: that it stays so after the first optimizer step.
    Used by: the reset of the adapters at the start of every document batch. *)
Theorem adapted_zero_up (n r i : nat) (W A B : matrix) (x : vector) :
  (forall k, (k < r)%nat -> B i k = 0) -> adapted n r W A B x i = act n W x i.
Proof. intros B0; unfold adapted; rewrite lora_zero_up by exact B0; ring. Qed.
