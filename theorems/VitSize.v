(******************************************************************************)
(*              The number of parameters of a vision transformer              *)
(*                                                                            *)
(*    linear n m == n m weights and m biases                                  *)
(*   norm_size d == a scale and a shift of each of d channels                 *)
(*        tokens == (side / patch)^2 patches and the class token              *)
(*       block d == two norms, qkv, projection, and an MLP of four widths     *)
(*           vit == patches, class token, positions, blocks, norm, head       *)
(*  vit_tiny C   == the same at 224 pixels, patches of 16, width 192, depth 12 *)
(*                                                                            *)
(* Source: A. Dosovitskiy et al., arXiv 2010.11929, table 1 and section 3.1;  *)
(* the code is train_gpt_style/vit_rft/model.py.                              *)
(*                                                                            *)
(* Code: train_gpt_style/vit_rft/model.py:build_model                         *)
(* Test: tests/train_gpt_style/vit_rft/test_vit_size.py:test_the_formula_of_the_theorem_counts_what_is_built *)
(*                                                                            *)
(* Does not say: that the Python code builds these parts. The figures of      *)
(* train_gpt_style/vit_rft/figures.py count those that it builds, and a       *)
(* test counts other shapes by this formula.                                  *)
(******************************************************************************)

From Coq Require Import ZArith Lia.

Open Scope Z_scope.

Definition linear (n m : Z) : Z := n * m + m.

Definition norm_size (d : Z) : Z := 2 * d.

Definition tokens (side patch : Z) : Z := (side / patch) * (side / patch) + 1.

Definition block (d : Z) : Z :=
  2 * norm_size d + linear d (3 * d) + linear d d + linear d (4 * d) + linear (4 * d) d.

Definition vit (side patch d depth C : Z) : Z :=
  linear (3 * patch * patch) d + d + tokens side patch * d + depth * block d + norm_size d
  + linear d C.

Definition vit_tiny (C : Z) : Z := vit 224 16 192 12 C.

(** In words: a block of width d has 12 d^2 + 13 d parameters, whatever the number of heads.
    Does not say: that all of them are used by a forward pass.
    Used by: the model of the system `vit_rft`. *)
Theorem block_size (d : Z) : block d = 12 * d * d + 13 * d.
Proof. unfold block, norm_size, linear; ring. Qed.

(** In words: all parameters, in depth, width, patch, number of tokens and classes.
    Does not say: anything of variants without a class token or without biases.
    Used by: the model of the system `vit_rft`. *)
Theorem vit_size (side patch d depth C : Z) :
  vit side patch d depth C =
  depth * (12 * d * d + 13 * d) + (3 * patch * patch + tokens side patch + 4) * d + (d + 1) * C.
Proof. unfold vit; rewrite block_size; unfold norm_size, linear; ring. Qed.

(** In words: one class more is d + 1 parameters more.
    Does not say: that a model of more classes is better or worse.
    Used by: the head of the model of the system `vit_rft`. *)
Theorem vit_size_class (side patch d depth C : Z) :
  vit side patch d depth (C + 1) = vit side patch d depth C + (d + 1).
Proof. rewrite !vit_size; ring. Qed.

(** In words: ViT-Tiny has 5,524,416 + 193 C parameters.
    Does not say: that a network of this size was trained here on 1,000 classes.
    Used by: the published figures of the system `vit_rft`.
    Code: train_gpt_style/vit_rft/figures.py:parameters
    Test: tests/train_gpt_style/vit_rft/test_vit_model.py:test_the_number_of_parameters_is_the_published_one *)
Theorem vit_tiny_size (C : Z) : vit_tiny C = 5524416 + 193 * C.
Proof. unfold vit_tiny; rewrite vit_size; change (tokens 224 16) with 197; ring. Qed.

(** In words: at 1,000 classes these are 5,717,416.
    Does not say: that other libraries count a distillation token or lack biases.
    Used by: the published figure `parameters, 1000 classes`.
    Code: train_gpt_style/vit_rft/figures.py:parameters
    Test: tests/train_gpt_style/vit_rft/test_vit_model.py:test_the_number_of_parameters_is_the_published_one *)
Fact vit_tiny_1000_computed : vit_tiny 1000 = 5717416.
Proof. vm_compute; reflexivity. Qed.

(** In words: at 100 classes these are 5,543,716.
    Does not say: anything of other numbers of classes.
    Used by: the published figure `parameters, 100 classes`.
    Code: train_gpt_style/vit_rft/figures.py:parameters
    Test: tests/train_gpt_style/vit_rft/test_vit_model.py:test_the_number_of_parameters_is_the_published_one *)
Fact vit_tiny_100_computed : vit_tiny 100 = 5543716.
Proof. vm_compute; reflexivity. Qed.

(** In words: at 10 classes these are 5,526,346.
    Does not say: anything of other numbers of classes.
    Used by: the published figure `parameters, 10 classes`.
    Code: train_gpt_style/vit_rft/figures.py:parameters
    Test: tests/train_gpt_style/vit_rft/test_vit_model.py:test_the_number_of_parameters_is_the_published_one *)
Fact vit_tiny_10_computed : vit_tiny 10 = 5526346.
Proof. vm_compute; reflexivity. Qed.
