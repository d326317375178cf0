(******************************************************************************)
(*            The constants of the code are correctly rounded                 *)
(*                                                                            *)
(* GENERATED from the running code; `goldenseal theorems refresh` rewrites    *)
(* it, and the theorem gate fails when it differs from what the code says.    *)
(*                                                                            *)
(*   NAME_double == the binary64 number that the code uses for NAME, as its   *)
(*                  exact integer mantissa and exponent of two                *)
(*  NAME_integer == the integer that the code uses for NAME                   *)
(* NAME_computed == the comparison of integers that decides, without axiom    *)
(*  NAME_rounded == NAME_double is the real expression, rounded to nearest    *)
(*  NAME_nearest == NAME_integer is the integer nearest to the real expression *)
(*                                                                            *)
(* Source: the constants that pyproject.toml names under [tool.goldenseal].   *)
(*                                                                            *)
(* Does not say: that the code combines its constants without further         *)
(* rounding, that float32 or bfloat16 copies are nearest (they are rounded a  *)
(* second time), or that a value is a good choice.                            *)
(******************************************************************************)

From Coq Require Import ZArith Reals.
From Flocq Require Import Core.
From Goldenseal Require Import Rounding.

Open Scope R_scope.

(** In words: BAND_HIGH = 0.23, upper end of the published CV band: the nearest to 23/100. *)
Definition BAND_HIGH_double : R := F2R (Float radix2 8286623314361713 (-55)).

Fact BAND_HIGH_computed :
  is_nearest_double 23 0 100 8286623314361713 (-55) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem BAND_HIGH_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 23 / IZR 100) = BAND_HIGH_double.
Proof. exact (nearest_double_rational 23 100 _ _ BAND_HIGH_computed). Qed.

(** In words: BAND_LOW = 0.2, lower end of the published CV band: the nearest to 1/5. *)
Definition BAND_LOW_double : R := F2R (Float radix2 7205759403792794 (-55)).

Fact BAND_LOW_computed :
  is_nearest_double 1 0 5 7205759403792794 (-55) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem BAND_LOW_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 5) = BAND_LOW_double.
Proof. exact (nearest_double_rational 1 5 _ _ BAND_LOW_computed). Qed.

(** In words: COLLAPSE_SHARE = 0.05, share of anchors in use, and of entropy, likewise: the nearest to 1/20. *)
Definition COLLAPSE_SHARE_double : R := F2R (Float radix2 7205759403792794 (-57)).

Fact COLLAPSE_SHARE_computed :
  is_nearest_double 1 0 20 7205759403792794 (-57) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem COLLAPSE_SHARE_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 20) = COLLAPSE_SHARE_double.
Proof. exact (nearest_double_rational 1 20 _ _ COLLAPSE_SHARE_computed). Qed.

(** In words: COLLAPSE_SIMILARITY = 0.9, self-similarity of a collapsed cloud: the nearest to 9/10. *)
Definition COLLAPSE_SIMILARITY_double : R := F2R (Float radix2 8106479329266893 (-53)).

Fact COLLAPSE_SIMILARITY_computed :
  is_nearest_double 9 0 10 8106479329266893 (-53) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem COLLAPSE_SIMILARITY_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 9 / IZR 10) = COLLAPSE_SIMILARITY_double.
Proof. exact (nearest_double_rational 9 10 _ _ COLLAPSE_SIMILARITY_computed). Qed.

(** In words: CORPUS_COVERAGE = 0.9995, character coverage of the corpus's tokenizer: the nearest to 1999/2000. *)
Definition CORPUS_COVERAGE_double : R := F2R (Float radix2 9002695655113622 (-53)).

Fact CORPUS_COVERAGE_computed :
  is_nearest_double 1999 0 2000 9002695655113622 (-53) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem CORPUS_COVERAGE_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1999 / IZR 2000) = CORPUS_COVERAGE_double.
Proof. exact (nearest_double_rational 1999 2000 _ _ CORPUS_COVERAGE_computed). Qed.

(** In words: CORPUS_OVERLAP = 0.9, share of its length at which a part of a work may end: the nearest to 9/10. *)
Definition CORPUS_OVERLAP_double : R := F2R (Float radix2 8106479329266893 (-53)).

Fact CORPUS_OVERLAP_computed :
  is_nearest_double 9 0 10 8106479329266893 (-53) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem CORPUS_OVERLAP_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 9 / IZR 10) = CORPUS_OVERLAP_double.
Proof. exact (nearest_double_rational 9 10 _ _ CORPUS_OVERLAP_computed). Qed.

(** In words: COSINE_FLOOR = 1e-12, keeps the cosine of a zero gradient from dividing by 0: the nearest to 1/1000000000000. *)
Definition COSINE_FLOOR_double : R := F2R (Float radix2 4951760157141521 (-92)).

Fact COSINE_FLOOR_computed :
  is_nearest_double 1 0 1000000000000 4951760157141521 (-92) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem COSINE_FLOOR_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 1000000000000) = COSINE_FLOOR_double.
Proof. exact (nearest_double_rational 1 1000000000000 _ _ COSINE_FLOOR_computed). Qed.

(** In words: DUAL_CM_FLOOR_MOST = 0.02, largest floor of squared volumes: the nearest to 1/50. *)
Definition DUAL_CM_FLOOR_MOST_double : R := F2R (Float radix2 5764607523034235 (-58)).

Fact DUAL_CM_FLOOR_MOST_computed :
  is_nearest_double 1 0 50 5764607523034235 (-58) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem DUAL_CM_FLOOR_MOST_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 50) = DUAL_CM_FLOOR_MOST_double.
Proof. exact (nearest_double_rational 1 50 _ _ DUAL_CM_FLOOR_MOST_computed). Qed.

(** In words: DUAL_DROPOUT = 0.1, share of hidden units dropped in the classifier: the nearest to 1/10. *)
Definition DUAL_DROPOUT_double : R := F2R (Float radix2 7205759403792794 (-56)).

Fact DUAL_DROPOUT_computed :
  is_nearest_double 1 0 10 7205759403792794 (-56) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem DUAL_DROPOUT_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 10) = DUAL_DROPOUT_double.
Proof. exact (nearest_double_rational 1 10 _ _ DUAL_DROPOUT_computed). Qed.

(** In words: DUAL_INIT_STD = 0.02, standard deviation of initial weights, truncated: the nearest to 1/50. *)
Definition DUAL_INIT_STD_double : R := F2R (Float radix2 5764607523034235 (-58)).

Fact DUAL_INIT_STD_computed :
  is_nearest_double 1 0 50 5764607523034235 (-58) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem DUAL_INIT_STD_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 50) = DUAL_INIT_STD_double.
Proof. exact (nearest_double_rational 1 50 _ _ DUAL_INIT_STD_computed). Qed.

(** In words: DUAL_KNOB_ANCHOR_DROP = 0.1, share of anchors dropped: the nearest to 1/10. *)
Definition DUAL_KNOB_ANCHOR_DROP_double : R := F2R (Float radix2 7205759403792794 (-56)).

Fact DUAL_KNOB_ANCHOR_DROP_computed :
  is_nearest_double 1 0 10 7205759403792794 (-56) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem DUAL_KNOB_ANCHOR_DROP_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 10) = DUAL_KNOB_ANCHOR_DROP_double.
Proof. exact (nearest_double_rational 1 10 _ _ DUAL_KNOB_ANCHOR_DROP_computed). Qed.

(** In words: DUAL_KNOB_AUTOGRAD_SEP = 0.1, strength of the separation: the nearest to 1/10. *)
Definition DUAL_KNOB_AUTOGRAD_SEP_double : R := F2R (Float radix2 7205759403792794 (-56)).

Fact DUAL_KNOB_AUTOGRAD_SEP_computed :
  is_nearest_double 1 0 10 7205759403792794 (-56) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem DUAL_KNOB_AUTOGRAD_SEP_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 10) = DUAL_KNOB_AUTOGRAD_SEP_double.
Proof. exact (nearest_double_rational 1 10 _ _ DUAL_KNOB_AUTOGRAD_SEP_computed). Qed.

(** In words: DUAL_KNOB_CV_TARGET = 0.22, CV that the loss asks for: the nearest to 11/50. *)
Definition DUAL_KNOB_CV_TARGET_double : R := F2R (Float radix2 7926335344172073 (-55)).

Fact DUAL_KNOB_CV_TARGET_computed :
  is_nearest_double 11 0 50 7926335344172073 (-55) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem DUAL_KNOB_CV_TARGET_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 11 / IZR 50) = DUAL_KNOB_CV_TARGET_double.
Proof. exact (nearest_double_rational 11 50 _ _ DUAL_KNOB_CV_TARGET_computed). Qed.

(** In words: DUAL_KNOB_GAL_LR = 0.015, step of the arbitration's anchors: the nearest to 3/200. *)
Definition DUAL_KNOB_GAL_LR_double : R := F2R (Float radix2 8646911284551352 (-59)).

Fact DUAL_KNOB_GAL_LR_computed :
  is_nearest_double 3 0 200 8646911284551352 (-59) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem DUAL_KNOB_GAL_LR_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 3 / IZR 200) = DUAL_KNOB_GAL_LR_double.
Proof. exact (nearest_double_rational 3 200 _ _ DUAL_KNOB_GAL_LR_computed). Qed.

(** In words: DUAL_KNOB_GEO_DIV_COS = 0.8, cosine allowed in a class: the nearest to 4/5. *)
Definition DUAL_KNOB_GEO_DIV_COS_double : R := F2R (Float radix2 7205759403792794 (-53)).

Fact DUAL_KNOB_GEO_DIV_COS_computed :
  is_nearest_double 4 0 5 7205759403792794 (-53) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem DUAL_KNOB_GEO_DIV_COS_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 4 / IZR 5) = DUAL_KNOB_GEO_DIV_COS_double.
Proof. exact (nearest_double_rational 4 5 _ _ DUAL_KNOB_GEO_DIV_COS_computed). Qed.

(** In words: DUAL_KNOB_INFONCE_TEMP = 0.07, temperature of InfoNCE: the nearest to 7/100. *)
Definition DUAL_KNOB_INFONCE_TEMP_double : R := F2R (Float radix2 5044031582654956 (-56)).

Fact DUAL_KNOB_INFONCE_TEMP_computed :
  is_nearest_double 7 0 100 5044031582654956 (-56) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem DUAL_KNOB_INFONCE_TEMP_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 7 / IZR 100) = DUAL_KNOB_INFONCE_TEMP_double.
Proof. exact (nearest_double_rational 7 100 _ _ DUAL_KNOB_INFONCE_TEMP_computed). Qed.

(** In words: DUAL_KNOB_LR = 0.0003, AdamW, learning rate: the nearest to 3/10000. *)
Definition DUAL_KNOB_LR_double : R := F2R (Float radix2 5534023222112865 (-64)).

Fact DUAL_KNOB_LR_computed :
  is_nearest_double 3 0 10000 5534023222112865 (-64) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem DUAL_KNOB_LR_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 3 / IZR 10000) = DUAL_KNOB_LR_double.
Proof. exact (nearest_double_rational 3 10000 _ _ DUAL_KNOB_LR_computed). Qed.

(** In words: DUAL_KNOB_MARGIN_END = 0.3, mastery margin at last: the nearest to 3/10. *)
Definition DUAL_KNOB_MARGIN_END_double : R := F2R (Float radix2 5404319552844595 (-54)).

Fact DUAL_KNOB_MARGIN_END_computed :
  is_nearest_double 3 0 10 5404319552844595 (-54) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem DUAL_KNOB_MARGIN_END_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 3 / IZR 10) = DUAL_KNOB_MARGIN_END_double.
Proof. exact (nearest_double_rational 3 10 _ _ DUAL_KNOB_MARGIN_END_computed). Qed.

(** In words: DUAL_KNOB_MARGIN_START = 0.1, mastery margin at activation: the nearest to 1/10. *)
Definition DUAL_KNOB_MARGIN_START_double : R := F2R (Float radix2 7205759403792794 (-56)).

Fact DUAL_KNOB_MARGIN_START_computed :
  is_nearest_double 1 0 10 7205759403792794 (-56) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem DUAL_KNOB_MARGIN_START_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 10) = DUAL_KNOB_MARGIN_START_double.
Proof. exact (nearest_double_rational 1 10 _ _ DUAL_KNOB_MARGIN_START_computed). Qed.

(** In words: DUAL_KNOB_WEIGHT_DECAY = 0.01, AdamW, weight decay: the nearest to 1/100. *)
Definition DUAL_KNOB_WEIGHT_DECAY_double : R := F2R (Float radix2 5764607523034235 (-59)).

Fact DUAL_KNOB_WEIGHT_DECAY_computed :
  is_nearest_double 1 0 100 5764607523034235 (-59) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem DUAL_KNOB_WEIGHT_DECAY_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 100) = DUAL_KNOB_WEIGHT_DECAY_double.
Proof. exact (nearest_double_rational 1 100 _ _ DUAL_KNOB_WEIGHT_DECAY_computed). Qed.

(** In words: FLUX_MEMORY = 0.9, memory of the average of |change of drift|: the nearest to 9/10. *)
Definition FLUX_MEMORY_double : R := F2R (Float radix2 8106479329266893 (-53)).

Fact FLUX_MEMORY_computed :
  is_nearest_double 9 0 10 8106479329266893 (-53) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem FLUX_MEMORY_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 9 / IZR 10) = FLUX_MEMORY_double.
Proof. exact (nearest_double_rational 9 10 _ _ FLUX_MEMORY_computed). Qed.

(** In words: GEO_CV_EPS = 1e-08, added to the mean volume under the deviation: the nearest to 1/100000000. *)
Definition GEO_CV_EPS_double : R := F2R (Float radix2 6044629098073146 (-79)).

Fact GEO_CV_EPS_computed :
  is_nearest_double 1 0 100000000 6044629098073146 (-79) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem GEO_CV_EPS_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 100000000) = GEO_CV_EPS_double.
Proof. exact (nearest_double_rational 1 100000000 _ _ GEO_CV_EPS_computed). Qed.

(** In words: GEO_DEFORM = 0.05, how far a token moves the template of a simplex: the nearest to 1/20. *)
Definition GEO_DEFORM_double : R := F2R (Float radix2 7205759403792794 (-57)).

Fact GEO_DEFORM_computed :
  is_nearest_double 1 0 20 7205759403792794 (-57) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem GEO_DEFORM_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 20) = GEO_DEFORM_double.
Proof. exact (nearest_double_rational 1 20 _ _ GEO_DEFORM_computed). Qed.

(** In words: GEO_NORM_EPS = 1e-12, least length that a vector is divided by: the nearest to 1/1000000000000. *)
Definition GEO_NORM_EPS_double : R := F2R (Float radix2 4951760157141521 (-92)).

Fact GEO_NORM_EPS_computed :
  is_nearest_double 1 0 1000000000000 4951760157141521 (-92) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem GEO_NORM_EPS_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 1000000000000) = GEO_NORM_EPS_double.
Proof. exact (nearest_double_rational 1 1000000000000 _ _ GEO_NORM_EPS_computed). Qed.

(** In words: GEO_REPULSION = 0.05, step by which anchors leave their nearest: the nearest to 1/20. *)
Definition GEO_REPULSION_double : R := F2R (Float radix2 7205759403792794 (-57)).

Fact GEO_REPULSION_computed :
  is_nearest_double 1 0 20 7205759403792794 (-57) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem GEO_REPULSION_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 20) = GEO_REPULSION_double.
Proof. exact (nearest_double_rational 1 20 _ _ GEO_REPULSION_computed). Qed.

(** In words: GEO_VOLUME_FLOOR = 1e-20, squared volumes at or below it are dropped: the nearest to 1/100000000000000000000. *)
Definition GEO_VOLUME_FLOOR_double : R := F2R (Float radix2 6646139978924579 (-119)).

Fact GEO_VOLUME_FLOOR_computed :
  is_nearest_double 1 0 100000000000000000000 6646139978924579 (-119) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem GEO_VOLUME_FLOOR_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 100000000000000000000) = GEO_VOLUME_FLOOR_double.
Proof. exact (nearest_double_rational 1 100000000000000000000 _ _ GEO_VOLUME_FLOOR_computed). Qed.

(** In words: INT8_CLIP_QUANTILE = 0.9999984, quantile of |w| that int8 export clips at: the nearest to 624999/625000. *)
Definition INT8_CLIP_QUANTILE_double : R := F2R (Float radix2 9007184843222184 (-53)).

Fact INT8_CLIP_QUANTILE_computed :
  is_nearest_double 624999 0 625000 9007184843222184 (-53) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem INT8_CLIP_QUANTILE_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 624999 / IZR 625000) = INT8_CLIP_QUANTILE_double.
Proof. exact (nearest_double_rational 624999 625000 _ _ INT8_CLIP_QUANTILE_computed). Qed.

(** In words: INV_PHI = 0.6180339887498949, 1 / phi, row norm of the frozen PhiNTA matrix: the nearest to -1/2 + 1/2·sqrt(5). *)
Definition INV_PHI_double : R := F2R (Float radix2 5566755282872656 (-53)).

Fact INV_PHI_computed :
  is_nearest_double (-1) 1 2 5566755282872656 (-53) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem INV_PHI_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE ((IZR (-1) + IZR 1 * sqrt 5) / IZR 2) = INV_PHI_double.
Proof. exact (nearest_double (-1) 1 2 _ _ INV_PHI_computed). Qed.

(** In words: KNOB_ADAM_EPS = 1e-08, Adam, added to the denominator: the nearest to 1/100000000. *)
Definition KNOB_ADAM_EPS_double : R := F2R (Float radix2 6044629098073146 (-79)).

Fact KNOB_ADAM_EPS_computed :
  is_nearest_double 1 0 100000000 6044629098073146 (-79) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem KNOB_ADAM_EPS_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 100000000) = KNOB_ADAM_EPS_double.
Proof. exact (nearest_double_rational 1 100000000 _ _ KNOB_ADAM_EPS_computed). Qed.

(** In words: KNOB_BETA1 = 0.9, Adam, mean of gradients (also test-time): the nearest to 9/10. *)
Definition KNOB_BETA1_double : R := F2R (Float radix2 8106479329266893 (-53)).

Fact KNOB_BETA1_computed :
  is_nearest_double 9 0 10 8106479329266893 (-53) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem KNOB_BETA1_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 9 / IZR 10) = KNOB_BETA1_double.
Proof. exact (nearest_double_rational 9 10 _ _ KNOB_BETA1_computed). Qed.

(** In words: KNOB_BETA2 = 0.95, Adam, mean of their squares (also test-time): the nearest to 19/20. *)
Definition KNOB_BETA2_double : R := F2R (Float radix2 8556839292003942 (-53)).

Fact KNOB_BETA2_computed :
  is_nearest_double 19 0 20 8556839292003942 (-53) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem KNOB_BETA2_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 19 / IZR 20) = KNOB_BETA2_double.
Proof. exact (nearest_double_rational 19 20 _ _ KNOB_BETA2_computed). Qed.

(** In words: KNOB_EMBED_LR = 0.6, Adam, embedding when not tied: the nearest to 3/5. *)
Definition KNOB_EMBED_LR_double : R := F2R (Float radix2 5404319552844595 (-53)).

Fact KNOB_EMBED_LR_computed :
  is_nearest_double 3 0 5 5404319552844595 (-53) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem KNOB_EMBED_LR_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 3 / IZR 5) = KNOB_EMBED_LR_double.
Proof. exact (nearest_double_rational 3 5 _ _ KNOB_EMBED_LR_computed). Qed.

(** In words: KNOB_HEAD_LR = 0.008, Adam, head when not tied: the nearest to 1/125. *)
Definition KNOB_HEAD_LR_double : R := F2R (Float radix2 4611686018427388 (-59)).

Fact KNOB_HEAD_LR_computed :
  is_nearest_double 1 0 125 4611686018427388 (-59) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem KNOB_HEAD_LR_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 125) = KNOB_HEAD_LR_double.
Proof. exact (nearest_double_rational 1 125 _ _ KNOB_HEAD_LR_computed). Qed.

(** In words: KNOB_MATRIX_LR = 0.04, Muon, the blocks' matrices: the nearest to 1/25. *)
Definition KNOB_MATRIX_LR_double : R := F2R (Float radix2 5764607523034235 (-57)).

Fact KNOB_MATRIX_LR_computed :
  is_nearest_double 1 0 25 5764607523034235 (-57) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem KNOB_MATRIX_LR_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 25) = KNOB_MATRIX_LR_double.
Proof. exact (nearest_double_rational 1 25 _ _ KNOB_MATRIX_LR_computed). Qed.

(** In words: KNOB_MUON_MOMENTUM = 0.95, Muon's momentum after its warm-up: the nearest to 19/20. *)
Definition KNOB_MUON_MOMENTUM_double : R := F2R (Float radix2 8556839292003942 (-53)).

Fact KNOB_MUON_MOMENTUM_computed :
  is_nearest_double 19 0 20 8556839292003942 (-53) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem KNOB_MUON_MOMENTUM_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 19 / IZR 20) = KNOB_MUON_MOMENTUM_double.
Proof. exact (nearest_double_rational 19 20 _ _ KNOB_MUON_MOMENTUM_computed). Qed.

(** In words: KNOB_MUON_MOMENTUM_WARMUP_START = 0.85, Muon's momentum at step 0: the nearest to 17/20. *)
Definition KNOB_MUON_MOMENTUM_WARMUP_START_double : R := F2R (Float radix2 7656119366529843 (-53)).

Fact KNOB_MUON_MOMENTUM_WARMUP_START_computed :
  is_nearest_double 17 0 20 7656119366529843 (-53) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem KNOB_MUON_MOMENTUM_WARMUP_START_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 17 / IZR 20) = KNOB_MUON_MOMENTUM_WARMUP_START_double.
Proof. exact (nearest_double_rational 17 20 _ _ KNOB_MUON_MOMENTUM_WARMUP_START_computed). Qed.

(** In words: KNOB_SCALAR_LR = 0.04, Adam, vectors and control parameters: the nearest to 1/25. *)
Definition KNOB_SCALAR_LR_double : R := F2R (Float radix2 5764607523034235 (-57)).

Fact KNOB_SCALAR_LR_computed :
  is_nearest_double 1 0 25 5764607523034235 (-57) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem KNOB_SCALAR_LR_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 25) = KNOB_SCALAR_LR_double.
Proof. exact (nearest_double_rational 1 25 _ _ KNOB_SCALAR_LR_computed). Qed.

(** In words: KNOB_TIED_EMBED_INIT_STD = 0.005, initial spread of a tied embedding: the nearest to 1/200. *)
Definition KNOB_TIED_EMBED_INIT_STD_double : R := F2R (Float radix2 5764607523034235 (-60)).

Fact KNOB_TIED_EMBED_INIT_STD_computed :
  is_nearest_double 1 0 200 5764607523034235 (-60) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem KNOB_TIED_EMBED_INIT_STD_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 200) = KNOB_TIED_EMBED_INIT_STD_double.
Proof. exact (nearest_double_rational 1 200 _ _ KNOB_TIED_EMBED_INIT_STD_computed). Qed.

(** In words: KNOB_TIED_EMBED_LR = 0.05, Adam, embedding when tied: the nearest to 1/20. *)
Definition KNOB_TIED_EMBED_LR_double : R := F2R (Float radix2 7205759403792794 (-57)).

Fact KNOB_TIED_EMBED_LR_computed :
  is_nearest_double 1 0 20 7205759403792794 (-57) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem KNOB_TIED_EMBED_LR_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 20) = KNOB_TIED_EMBED_LR_double.
Proof. exact (nearest_double_rational 1 20 _ _ KNOB_TIED_EMBED_LR_computed). Qed.

(** In words: KNOB_TTT_LORA_LR = 0.01, Adam, adapters of test-time training: the nearest to 1/100. *)
Definition KNOB_TTT_LORA_LR_double : R := F2R (Float radix2 5764607523034235 (-59)).

Fact KNOB_TTT_LORA_LR_computed :
  is_nearest_double 1 0 100 5764607523034235 (-59) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem KNOB_TTT_LORA_LR_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 100) = KNOB_TTT_LORA_LR_double.
Proof. exact (nearest_double_rational 1 100 _ _ KNOB_TTT_LORA_LR_computed). Qed.

(** In words: LOGIT_SOFTCAP_LEAST = 1e-06, least value of the knob LOGIT_SOFTCAP: the nearest to 1/1000000. *)
Definition LOGIT_SOFTCAP_LEAST_double : R := F2R (Float radix2 4722366482869645 (-72)).

Fact LOGIT_SOFTCAP_LEAST_computed :
  is_nearest_double 1 0 1000000 4722366482869645 (-72) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem LOGIT_SOFTCAP_LEAST_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 1000000) = LOGIT_SOFTCAP_LEAST_double.
Proof. exact (nearest_double_rational 1 1000000 _ _ LOGIT_SOFTCAP_LEAST_computed). Qed.

(** In words: MUON_EPS = 1e-07, added to the norm before Newton-Schulz: the nearest to 1/10000000. *)
Definition MUON_EPS_double : R := F2R (Float radix2 7555786372591432 (-76)).

Fact MUON_EPS_computed :
  is_nearest_double 1 0 10000000 7555786372591432 (-76) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem MUON_EPS_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 10000000) = MUON_EPS_double.
Proof. exact (nearest_double_rational 1 10000000 _ _ MUON_EPS_computed). Qed.

(** In words: NS_A = 3.4445, Newton-Schulz coefficient of x: the nearest to 6889/2000. *)
Definition NS_A_double : R := F2R (Float radix2 7756324458238837 (-51)).

Fact NS_A_computed :
  is_nearest_double 6889 0 2000 7756324458238837 (-51) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem NS_A_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 6889 / IZR 2000) = NS_A_double.
Proof. exact (nearest_double_rational 6889 2000 _ _ NS_A_computed). Qed.

(** In words: NS_B = -4.775, Newton-Schulz coefficient of x^3: the nearest to -191/40. *)
Definition NS_B_double : R := F2R (Float radix2 (-5376172055173530) (-50)).

Fact NS_B_computed :
  is_nearest_double (-191) 0 40 (-5376172055173530) (-50) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem NS_B_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR (-191) / IZR 40) = NS_B_double.
Proof. exact (nearest_double_rational (-191) 40 _ _ NS_B_computed). Qed.

(** In words: NS_C = 2.0315, Newton-Schulz coefficient of x^5: the nearest to 4063/2000. *)
Definition NS_C_double : R := F2R (Float radix2 4574531321501581 (-51)).

Fact NS_C_computed :
  is_nearest_double 4063 0 2000 4574531321501581 (-51) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem NS_C_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 4063 / IZR 2000) = NS_C_double.
Proof. exact (nearest_double_rational 4063 2000 _ _ NS_C_computed). Qed.

(** In words: PHINTA_A_STD = 0.02, standard deviation of PhiNTA's down-projection: the nearest to 1/50. *)
Definition PHINTA_A_STD_double : R := F2R (Float radix2 5764607523034235 (-58)).

Fact PHINTA_A_STD_computed :
  is_nearest_double 1 0 50 5764607523034235 (-58) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem PHINTA_A_STD_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 50) = PHINTA_A_STD_double.
Proof. exact (nearest_double_rational 1 50 _ _ PHINTA_A_STD_computed). Qed.

(** In words: PHINTA_NORM_FLOOR = 1e-06, least row norm to divide by: the nearest to 1/1000000. *)
Definition PHINTA_NORM_FLOOR_double : R := F2R (Float radix2 4722366482869645 (-72)).

Fact PHINTA_NORM_FLOOR_computed :
  is_nearest_double 1 0 1000000 4722366482869645 (-72) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem PHINTA_NORM_FLOOR_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 1000000) = PHINTA_NORM_FLOOR_double.
Proof. exact (nearest_double_rational 1 1000000 _ _ PHINTA_NORM_FLOOR_computed). Qed.

(** In words: PHINTA_SPREAD = 0.1, width of the uniform draw behind the frozen matrix: the nearest to 1/10. *)
Definition PHINTA_SPREAD_double : R := F2R (Float radix2 7205759403792794 (-56)).

Fact PHINTA_SPREAD_computed :
  is_nearest_double 1 0 10 7205759403792794 (-56) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem PHINTA_SPREAD_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 10) = PHINTA_SPREAD_double.
Proof. exact (nearest_double_rational 1 10 _ _ PHINTA_SPREAD_computed). Qed.

(** In words: PHI_LR_SCALE_LEAST = 1e-06, least value of the knob PHI_LR_SCALE: the nearest to 1/1000000. *)
Definition PHI_LR_SCALE_LEAST_double : R := F2R (Float radix2 4722366482869645 (-72)).

Fact PHI_LR_SCALE_LEAST_computed :
  is_nearest_double 1 0 1000000 4722366482869645 (-72) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem PHI_LR_SCALE_LEAST_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 1000000) = PHI_LR_SCALE_LEAST_double.
Proof. exact (nearest_double_rational 1 1000000 _ _ PHI_LR_SCALE_LEAST_computed). Qed.

(** In words: PHI_LR_SCALE_VALUE = 2.9508497187473712, phi^-3 / 2 / 0.04, the factor that puts the default MATRIX_LR on phi^-3 / 2: the nearest to -25 + 25/2·sqrt(5). *)
Definition PHI_LR_SCALE_VALUE_double : R := F2R (Float radix2 6644722846888497 (-51)).

Fact PHI_LR_SCALE_VALUE_computed :
  is_nearest_double (-50) 25 2 6644722846888497 (-51) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem PHI_LR_SCALE_VALUE_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE ((IZR (-50) + IZR 25 * sqrt 5) / IZR 2) = PHI_LR_SCALE_VALUE_double.
Proof. exact (nearest_double (-50) 25 2 _ _ PHI_LR_SCALE_VALUE_computed). Qed.

(** In words: PROBE_COVERAGE = 0.98, character coverage of the probe's tokenizer: the nearest to 49/50. *)
Definition PROBE_COVERAGE_double : R := F2R (Float radix2 8827055269646172 (-53)).

Fact PROBE_COVERAGE_computed :
  is_nearest_double 49 0 50 8827055269646172 (-53) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem PROBE_COVERAGE_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 49 / IZR 50) = PROBE_COVERAGE_double.
Proof. exact (nearest_double_rational 49 50 _ _ PROBE_COVERAGE_computed). Qed.

(** In words: SMOKE_STEP = 0.01, step of the published loop check, 1.01^4: the nearest to 1/100. *)
Definition SMOKE_STEP_double : R := F2R (Float radix2 5764607523034235 (-59)).

Fact SMOKE_STEP_computed :
  is_nearest_double 1 0 100 5764607523034235 (-59) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem SMOKE_STEP_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 100) = SMOKE_STEP_double.
Proof. exact (nearest_double_rational 1 100 _ _ SMOKE_STEP_computed). Qed.

(** In words: STUDY_ALPHA = 0.05, significance level of the energy study: the nearest to 1/20. *)
Definition STUDY_ALPHA_double : R := F2R (Float radix2 7205759403792794 (-57)).

Fact STUDY_ALPHA_computed :
  is_nearest_double 1 0 20 7205759403792794 (-57) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem STUDY_ALPHA_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 20) = STUDY_ALPHA_double.
Proof. exact (nearest_double_rational 1 20 _ _ STUDY_ALPHA_computed). Qed.

(** In words: STUDY_CONFIDENCE = 0.95, confidence of the energy study's intervals: the nearest to 19/20. *)
Definition STUDY_CONFIDENCE_double : R := F2R (Float radix2 8556839292003942 (-53)).

Fact STUDY_CONFIDENCE_computed :
  is_nearest_double 19 0 20 8556839292003942 (-53) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem STUDY_CONFIDENCE_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 19 / IZR 20) = STUDY_CONFIDENCE_double.
Proof. exact (nearest_double_rational 19 20 _ _ STUDY_CONFIDENCE_computed). Qed.

(** In words: STUDY_LOSS_MARGIN = 0.01, margin of equal losses in the energy study: the nearest to 1/100. *)
Definition STUDY_LOSS_MARGIN_double : R := F2R (Float radix2 5764607523034235 (-59)).

Fact STUDY_LOSS_MARGIN_computed :
  is_nearest_double 1 0 100 5764607523034235 (-59) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem STUDY_LOSS_MARGIN_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 100) = STUDY_LOSS_MARGIN_double.
Proof. exact (nearest_double_rational 1 100 _ _ STUDY_LOSS_MARGIN_computed). Qed.

(** In words: STUDY_MARGIN = 0.01, margin of equal costs in the energy study, log-ratio: the nearest to 1/100. *)
Definition STUDY_MARGIN_double : R := F2R (Float radix2 5764607523034235 (-59)).

Fact STUDY_MARGIN_computed :
  is_nearest_double 1 0 100 5764607523034235 (-59) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem STUDY_MARGIN_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 100) = STUDY_MARGIN_double.
Proof. exact (nearest_double_rational 1 100 _ _ STUDY_MARGIN_computed). Qed.

(** In words: STUDY_PRESUMED = 0.02, spread that the energy study's size presumes: the nearest to 1/50. *)
Definition STUDY_PRESUMED_double : R := F2R (Float radix2 5764607523034235 (-58)).

Fact STUDY_PRESUMED_computed :
  is_nearest_double 1 0 50 5764607523034235 (-58) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem STUDY_PRESUMED_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 50) = STUDY_PRESUMED_double.
Proof. exact (nearest_double_rational 1 50 _ _ STUDY_PRESUMED_computed). Qed.

(** In words: TTT_ADAM_EPS = 1e-10, Adam's epsilon in test-time training: the nearest to 1/10000000000. *)
Definition TTT_ADAM_EPS_double : R := F2R (Float radix2 7737125245533627 (-86)).

Fact TTT_ADAM_EPS_computed :
  is_nearest_double 1 0 10000000000 7737125245533627 (-86) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem TTT_ADAM_EPS_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 10000000000) = TTT_ADAM_EPS_double.
Proof. exact (nearest_double_rational 1 10000000000 _ _ TTT_ADAM_EPS_computed). Qed.

(** In words: UT_LOOPS_PHI = 4, how often a looped block is applied: the nearest to 2 + sqrt(5). *)
Definition UT_LOOPS_PHI_integer : Z := 4.

Fact UT_LOOPS_PHI_computed : within_half 2 1 1 4 = true.
Proof. vm_compute; reflexivity. Qed.

Theorem UT_LOOPS_PHI_nearest : ZnearestE ((IZR 2 + IZR 1 * sqrt 5) / IZR 1) = UT_LOOPS_PHI_integer.
Proof. exact (nearest_integer _ _ _ _ UT_LOOPS_PHI_computed). Qed.

(** In words: VIT_INIT_STD = 0.02, standard deviation of initial weights, truncated: the nearest to 1/50. *)
Definition VIT_INIT_STD_double : R := F2R (Float radix2 5764607523034235 (-58)).

Fact VIT_INIT_STD_computed :
  is_nearest_double 1 0 50 5764607523034235 (-58) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem VIT_INIT_STD_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 50) = VIT_INIT_STD_double.
Proof. exact (nearest_double_rational 1 50 _ _ VIT_INIT_STD_computed). Qed.

(** In words: VIT_KNOB_ADAM_EPS = 1e-08, Adam, added to the denominator: the nearest to 1/100000000. *)
Definition VIT_KNOB_ADAM_EPS_double : R := F2R (Float radix2 6044629098073146 (-79)).

Fact VIT_KNOB_ADAM_EPS_computed :
  is_nearest_double 1 0 100000000 6044629098073146 (-79) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem VIT_KNOB_ADAM_EPS_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 100000000) = VIT_KNOB_ADAM_EPS_double.
Proof. exact (nearest_double_rational 1 100000000 _ _ VIT_KNOB_ADAM_EPS_computed). Qed.

(** In words: VIT_KNOB_BETA1 = 0.9, Adam, mean of gradients: the nearest to 9/10. *)
Definition VIT_KNOB_BETA1_double : R := F2R (Float radix2 8106479329266893 (-53)).

Fact VIT_KNOB_BETA1_computed :
  is_nearest_double 9 0 10 8106479329266893 (-53) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem VIT_KNOB_BETA1_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 9 / IZR 10) = VIT_KNOB_BETA1_double.
Proof. exact (nearest_double_rational 9 10 _ _ VIT_KNOB_BETA1_computed). Qed.

(** In words: VIT_KNOB_BETA2 = 0.999, Adam, mean of their squares: the nearest to 999/1000. *)
Definition VIT_KNOB_BETA2_double : R := F2R (Float radix2 8998192055486251 (-53)).

Fact VIT_KNOB_BETA2_computed :
  is_nearest_double 999 0 1000 8998192055486251 (-53) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem VIT_KNOB_BETA2_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 999 / IZR 1000) = VIT_KNOB_BETA2_double.
Proof. exact (nearest_double_rational 999 1000 _ _ VIT_KNOB_BETA2_computed). Qed.

(** In words: VIT_KNOB_COUPLER_CAP = 0.1, largest drift at K = 1, rad: the nearest to 1/10. *)
Definition VIT_KNOB_COUPLER_CAP_double : R := F2R (Float radix2 7205759403792794 (-56)).

Fact VIT_KNOB_COUPLER_CAP_computed :
  is_nearest_double 1 0 10 7205759403792794 (-56) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem VIT_KNOB_COUPLER_CAP_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 10) = VIT_KNOB_COUPLER_CAP_double.
Proof. exact (nearest_double_rational 1 10 _ _ VIT_KNOB_COUPLER_CAP_computed). Qed.

(** In words: VIT_KNOB_DCLR_MEMORY = 0.9, memory of the cosine's average: the nearest to 9/10. *)
Definition VIT_KNOB_DCLR_MEMORY_double : R := F2R (Float radix2 8106479329266893 (-53)).

Fact VIT_KNOB_DCLR_MEMORY_computed :
  is_nearest_double 9 0 10 8106479329266893 (-53) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem VIT_KNOB_DCLR_MEMORY_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 9 / IZR 10) = VIT_KNOB_DCLR_MEMORY_double.
Proof. exact (nearest_double_rational 9 10 _ _ VIT_KNOB_DCLR_MEMORY_computed). Qed.

(** In words: VIT_KNOB_LR = 0.0005, Adam, learning rate: the nearest to 1/2000. *)
Definition VIT_KNOB_LR_double : R := F2R (Float radix2 4611686018427388 (-63)).

Fact VIT_KNOB_LR_computed :
  is_nearest_double 1 0 2000 4611686018427388 (-63) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem VIT_KNOB_LR_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 2000) = VIT_KNOB_LR_double.
Proof. exact (nearest_double_rational 1 2000 _ _ VIT_KNOB_LR_computed). Qed.

(** In words: VIT_NORM_EPS = 1e-06, added to the variance in layer norms: the nearest to 1/1000000. *)
Definition VIT_NORM_EPS_double : R := F2R (Float radix2 4722366482869645 (-72)).

Fact VIT_NORM_EPS_computed :
  is_nearest_double 1 0 1000000 4722366482869645 (-72) = true.
Proof. vm_compute; reflexivity. Qed.

Theorem VIT_NORM_EPS_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR 1 / IZR 1000000) = VIT_NORM_EPS_double.
Proof. exact (nearest_double_rational 1 1000000 _ _ VIT_NORM_EPS_computed). Qed.
