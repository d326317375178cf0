(******************************************************************************)
(*        The number of parameters of the soup and of its student             *)
(*                                                                            *)
(*   soup ds o A n c C   == projectors of experts with widths ds to width o,  *)
(*                          A anchors, n compartments of c, C classes         *)
(*   layer d f           == four linear maps, an MLP of width f, two norms    *)
(*   student p ch P d L f o == patches of side p in ch channels, P of them,   *)
(*                          width d, L layers, MLP width f, output o          *)
(*   batches n b         == how many batches of b hold n rows, the last kept  *)
(*                                                                            *)
(* Source: derived from the published counts (reconstructed); the code is     *)
(* train_gpt_style/soup.                                                      *)
(*                                                                            *)
(* Code: train_gpt_style/soup/figures.py:formula                              *)
(* Test: tests/train_gpt_style/soup/test_soup_run.py:test_the_general_formula_counts_every_soup *)
(*                                                                            *)
(* Does not say: that the experts are counted; they are not, and the          *)
(* published comparison leaves them out too.                                  *)
(******************************************************************************)

From Coq Require Import ZArith List Lia.
From Goldenseal Require Import VitSize GeometrySize.
Import ListNotations.

Open Scope Z_scope.

Definition total (sizes : list Z) : Z := fold_right Z.add 0 sizes.

Definition soup (ds : list Z) (o A n c C : Z) : Z :=
  total (map (fun d => projected d o) ds) + A * o + patchwork A n c
  + classifier (n * c + o) (n * c) C.

Definition layer (d f : Z) : Z := 4 * linear d d + mlp d f + 2 * norm_size d.

Definition student (p ch P d L f o : Z) : Z :=
  linear (p * p * ch) d + d + (P + 1) * d + L * layer d f + norm_size d
  + linear d d + norm_size d + linear d o.

Definition batches (n b : Z) : Z := (n + b - 1) / b.

(** In words: the soup's size written out, for any widths of experts.
    Does not say: that n divides A; A / n is the whole part.
    Used by: the counts of `soup`. *)
Theorem soup_size (ds : list Z) (o A n c C : Z) :
  soup ds o A n c C =
  total (map (fun d => d * o + 3 * o) ds) + A * o
  + n * (2 * c * (A / n) + 2 * c + 2 * c * c + c + 2 * c)
  + (n * c + o) * (n * c) + 3 * (n * c) + n * c * C + C.
Proof.
  unfold soup, patchwork, classifier, norm_size, linear.
  replace (map (fun d => projected d o) ds) with (map (fun d => d * o + 3 * o) ds); [ring |].
  apply map_ext; intros d; unfold projected, norm_size, linear; ring.
Qed.

(** In words: an expert of width d more is d o + 3 o parameters more.
    Does not say: anything of the expert's own weights.
    Used by: the counts of `soup`. *)
Theorem soup_size_expert (d : Z) (ds : list Z) (o A n c C : Z) :
  soup (d :: ds) o A n c C = soup ds o A n c C + (d * o + 3 * o).
Proof. rewrite !soup_size; simpl; ring. Qed.

(** In words: the student's size written out.
    Does not say: whether the norm stands before or after the layers; both count the same.
    Used by: the counts of `soup`.
    Code: train_gpt_style/soup_student/figures.py:formula
    Test: tests/train_gpt_style/soup/test_soup_student.py:test_the_general_formula_counts_every_student *)
Theorem student_size (p ch P d L f o : Z) :
  student p ch P d L f o =
  p * p * ch * d + d + d + (P + 1) * d + L * (4 * d * d + 2 * d * f + 9 * d + f)
  + 2 * d + d * d + d + 2 * d + d * o + o.
Proof. unfold student, layer, mlp, norm_size, linear; ring. Qed.

(** In words: the published soup has 799,952 parameters, part by part as derived.
    Does not say: that three experts with 768 features are reachable here; they are not.
    Used by: the published figures of `soup`. *)
Fact soup_computed :
  soup [768; 768; 768] 128 256 8 64 80 = 799952 /\ 3 * projected 768 128 = 296064 /\
  256 * 128 = 32768 /\ patchwork 256 8 64 = 100864 /\ classifier 640 512 80 = 370256.
Proof. vm_compute; repeat split; reflexivity. Qed.

(** In words: the published student has 11,216,768 parameters; one of its layers 1,774,464.
    Does not say: that the split of its head is the original's.
    Used by: the published figures of `soup`.
    Code: train_gpt_style/soup_student/figures.py:formula
    Test: tests/train_gpt_style/soup/test_soup_student.py:test_the_general_formula_counts_every_student *)
Fact student_computed :
  student 16 3 196 384 6 1536 128 = 11216768 /\ layer 384 1536 = 1774464.
Proof. vm_compute; repeat split; reflexivity. Qed.

(** In words: `batches` is the least number whose batches hold all rows.
    Does not say: how long the last batch is; it has at least one row.
    Used by: the steps of an epoch of `soup`.
    Code: train_gpt_style/kit/batches.py:Loader
    Test: tests/train_gpt_style/soup/test_soup_run.py:test_an_epoch_reads_each_row_once_and_a_loader_goes_on *)
Theorem batches_least (n b : Z) : 0 < b -> 0 < n ->
  (batches n b - 1) * b < n <= batches n b * b.
Proof.
  intros b_gt0 n_gt0; unfold batches.
  pose proof (Z.div_mod (n + b - 1) b ltac:(lia)) as parts.
  pose proof (Z.mod_pos_bound (n + b - 1) b b_gt0) as rest.
  set (q := (n + b - 1) / b) in *; set (r := (n + b - 1) mod b) in *; lia.
Qed.

(** In words: 118,287 images in batches of 48 are 2,465 steps.
    Does not say: anything of another batch.
    Used by: the published figure of steps of `soup`.
    Code: train_gpt_style/kit/batches.py:Loader
    Test: tests/train_gpt_style/soup/test_soup_run.py:test_an_epoch_reads_each_row_once_and_a_loader_goes_on *)
Fact batches_computed : batches 118287 48 = 2465.
Proof. vm_compute; reflexivity. Qed.
