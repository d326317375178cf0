(******************************************************************************)
(*        The number of parameters of the two geometric systems               *)
(*                                                                            *)
(*  attention d h == four linear maps, and norms of queries and keys by head  *)
(*  ksimplex d e  == deformation of 5 vertices in e dimensions, norm, way back *)
(*   half d h     == one stream of a block: three norms, two attentions, MLP  *)
(* fused_block d h == two norms, attention, MLP                               *)
(* projected n o  == a linear map and a norm                                  *)
(* patchwork A n c == n compartments of A / n anchors, to c numbers each      *)
(* classifier n h C == a hidden layer of width h with norm, and the head      *)
(*                                                                            *)
(* Source: derived from the published counts (reconstructed); the code is     *)
(* train_gpt_style/dual_stream and train_gpt_style/soup.                      *)
(*                                                                            *)
(* Code: train_gpt_style/dual_stream/model.py:DualStream                      *)
(* Code: train_gpt_style/dual_stream/figures.py:parts                         *)
(* Test: tests/train_gpt_style/dual_stream/test_dual_model.py:test_each_preset_has_the_published_number_of_parameters *)
(*                                                                            *)
(* Does not say: that the Python code builds these parts; the published       *)
(* figures of the two systems count those that it builds.                     *)
(******************************************************************************)

From Coq Require Import ZArith.
From Goldenseal Require Import VitSize.

Open Scope Z_scope.

Definition mlp (d f : Z) : Z := linear d f + linear f d.

Definition attention (d h : Z) : Z := 4 * linear d d + 2 * norm_size (d / h).

Definition ksimplex (d e : Z) : Z := linear d (5 * e) + norm_size 11 + linear 11 d.

Definition half (d h : Z) : Z := 3 * norm_size d + 2 * attention d h + mlp d (4 * d).

Definition fused_block (d h : Z) : Z := 2 * norm_size d + attention d h + mlp d (4 * d).

Definition projected (n o : Z) : Z := linear n o + norm_size o.

Definition patchwork (A n c : Z) : Z :=
  n * (linear (A / n) (2 * c) + linear (2 * c) c + norm_size c).

Definition classifier (n h C : Z) : Z := linear n h + norm_size h + linear h C.

(* --- The dual stream ------------------------------------------------------ *)

Record dual := Dual {
  patch_inputs : Z; token_count : Z; embed : Z; stream : Z; fused : Z; heads : Z;
  simplex_dims : Z; dual_blocks : Z; fused_blocks : Z; cross_blocks : Z;
  sphere : Z; anchors : Z; compartments : Z; compartment : Z; classes : Z
}.

Definition tokens_part (m : dual) : Z :=
  linear (patch_inputs m) (embed m) + token_count m * embed m.

Definition geo_stream (m : dual) : Z :=
  linear (embed m) (stream m)
  + dual_blocks m * (half (stream m) (heads m) + ksimplex (stream m) (simplex_dims m)).

Definition std_stream (m : dual) : Z :=
  linear (embed m) (stream m) + dual_blocks m * half (stream m) (heads m).

Definition fusion (m : dual) : Z :=
  linear (2 * stream m) (fused m) + fused_blocks m * fused_block (fused m) (heads m)
  + norm_size (fused m).

Definition crossing (m : dual) : Z := cross_blocks m * (2 * half (stream m) (heads m)).

Definition constellation (m : dual) : Z :=
  anchors m * sphere m + patchwork (anchors m) (compartments m) (compartment m).

Definition geo_projection (m : dual) : Z := projected (stream m) (sphere m).

(* One embedding of the fused stream beside the patchwork. *)
Definition fused_model (m : dual) : Z :=
  let width := compartments m * compartment m in
  tokens_part m + geo_stream m + std_stream m + fusion m + projected (fused m) (sphere m)
  + constellation m + classifier (width + sphere m) width (classes m).

(* Both streams' embeddings beside the patchwork, and no fusion. *)
Definition crossed_model (m : dual) : Z :=
  let width := compartments m * compartment m in
  tokens_part m + geo_stream m + std_stream m + crossing m + 2 * geo_projection m
  + constellation m + classifier (width + 2 * sphere m) width (classes m).

Definition geo_classifier (m : dual) : Z := linear (sphere m) (classes m).

Definition v1 : dual := Dual 48 64 384 192 256 8 8 2 4 0 128 64 8 64 10.
Definition v5 : dual := Dual 48 64 384 192 256 8 8 2 0 4 128 64 8 64 10.
Definition v6 : dual := Dual 48 64 384 192 256 8 8 3 0 6 256 128 16 128 10.
Definition tiny : dual := Dual 48 16 48 24 32 4 8 1 1 0 16 8 4 8 10.

(** In words: one stream of a block has 16 d^2 + 19 d parameters, and 8 for each channel of a head.
    Does not say: that a width which the heads do not divide is refused; the knobs do that.
    Used by: the blocks of `dual_stream`.
    Code: train_gpt_style/dual_stream/blocks.py:DualBlock,
      train_gpt_style/dual_stream/figures.py:parts
    Test: tests/train_gpt_style/dual_stream/test_dual_model.py:test_every_part_of_each_shape_has_the_published_number *)
Theorem half_size (d h : Z) : half d h = 16 * d * d + 19 * d + 8 * (d / h).
Proof. unfold half, attention, mlp, norm_size, linear; ring. Qed.

(** In words: one more dimension of the simplex channel is 5 (d + 1) parameters for each block.
    Does not say: which dimension the original had; of 4 to 11, only 8 gives its count.
    Used by: the simplex channel of `dual_stream`.
    Code: train_gpt_style/geometry/ksimplex.py:KSimplex
    Test: tests/train_gpt_style/geometry/test_simplex.py:test_the_channel_has_the_published_number_of_parameters_and_eleven_features *)
Theorem ksimplex_dimension (d e : Z) : ksimplex d (e + 1) = ksimplex d e + 5 * (d + 1).
Proof. unfold ksimplex, norm_size, linear; ring. Qed.

(** In words: v1 has 6,296,582 parameters, part by part as published.
    Does not say: that the original was built of these parts.
    Used by: the published figures of `dual_stream`. *)
Fact v1_computed :
  tokens_part v1 = 18816 + 24576 /\ geo_stream v1 = 1281340 /\ std_stream v1 = 1261248 /\
  fusion v1 = 98560 + 3159552 + 512 /\ projected 256 128 = 33152 /\
  constellation v1 = 84480 /\ classifier 640 512 10 = 334346 /\ fused_model v1 = 6296582.
Proof. vm_compute; repeat split; reflexivity. Qed.

(** In words: v2 and v3 have the geometric projection more, 6,321,542.
    Does not say: that this projection is trained; that depends on the losses.
    Used by: the published figures of `dual_stream`. *)
Fact v2_computed :
  geo_projection v1 = 24960 /\ fused_model v1 + geo_projection v1 = 6321542.
Proof. vm_compute; repeat split; reflexivity. Qed.

(** In words: v5 has 7,869,574, with the geometric classifier 7,870,864.
    Does not say: which of the two the published "7.9M" is.
    Used by: the published figures of `dual_stream`. *)
Fact v5_computed :
  crossing v5 = 4749312 /\ classifier 768 512 10 = 399882 /\ crossed_model v5 = 7869574 /\
  crossed_model v5 + geo_classifier v5 = 7870864.
Proof. vm_compute; repeat split; reflexivity. Qed.

(** In words: v6 has 16,876,740, with the geometric classifier 16,879,310.
    Does not say: which of the two the published "16.9M" is.
    Used by: the published figures of `dual_stream`. *)
Fact v6_computed :
  geo_stream v6 = 1885050 /\ std_stream v6 = 1854912 /\ crossing v6 = 7123968 /\
  geo_projection v6 = 49920 /\ constellation v6 = 32768 + 567296 /\
  classifier 2560 2048 10 = 5269514 /\ crossed_model v6 = 16876740 /\
  crossed_model v6 + geo_classifier v6 = 16879310.
Proof. vm_compute; repeat split; reflexivity. Qed.

(** In words: the halves of a block have 593,664 and 603,710, a fused block 789,888, and the tiny
    configuration 44,040.
    Does not say: anything of other widths; `half_size` does.
    Used by: the published figures of `dual_stream`.
    Test: tests/train_gpt_style/dual_stream/test_dual_model.py:test_every_part_of_each_shape_has_the_published_number *)
Fact blocks_computed :
  half 192 8 = 593664 /\ half 192 8 + ksimplex 192 8 = 603710 /\ fused_block 256 8 = 789888 /\
  fused_model tiny = 44040.
Proof. vm_compute; repeat split; reflexivity. Qed.

(** In words: the published constants 0.29154 and 0.70846 add up to 1.
    Does not say: what they mean; no definition is published.
    Used by: the claims of `dual_stream` that are consistent.
    Code: none
    Test: tests/train_gpt_style/dual_stream/test_dual_published.py:test_what_is_consistent_is_red_with_another_last_digit *)
Fact binding_computed : 29154 + 70846 = 100000.
Proof. vm_compute; reflexivity. Qed.

(** In words: in the five rows of the mastery table, gap is hard_neg less hard_pos, in thousandths.
    Does not say: that the figures were measured so.
    Used by: the claims of `dual_stream` that are consistent.
    Code: none
    Test: tests/train_gpt_style/dual_stream/test_dual_published.py:test_what_is_consistent_is_red_with_another_last_digit *)
Fact mastery_gaps_computed :
  466 - (-216) = 682 /\ 549 - (-28) = 577 /\ 540 - 19 = 521 /\ 531 - 54 = 477 /\ 525 - 61 = 464.
Proof. vm_compute; repeat split; reflexivity. Qed.
