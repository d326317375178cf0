(******************************************************************************)
(*            Anchors dealt out to compartments: j goes to j mod n            *)
(*                                                                            *)
(*  class n A c == the anchors j < A with j mod n = c, in order               *)
(*                                                                            *)
(* Source: the public library's patchwork; the code is                        *)
(* train_gpt_style/geometry/constellation.py.                                 *)
(*                                                                            *)
(* Code: train_gpt_style/geometry/constellation.py:Patchwork                  *)
(* Test: tests/train_gpt_style/geometry/test_constellation.py:test_each_anchor_is_read_by_the_compartment_of_its_remainder_and_no_other *)
(*                                                                            *)
(* Does not say: that compartments of one size are needed; the code refuses   *)
(* others because its layers have one width.                                  *)
(******************************************************************************)

From Coq Require Import Arith List Lia.

Definition class (n A c : nat) : list nat := filter (fun j => Nat.eqb (j mod n) c) (seq 0 A).

Lemma class_next (n q c : nat) : c < n ->
  class n (n * S q) c = class n (n * q) c ++ (n * q + c :: nil).
Proof.
  intros c_lt; unfold class.
  replace (n * S q) with (n * q + n) by lia; rewrite seq_app, filter_app; simpl; f_equal.
  replace (seq (n * q) n) with (seq (n * q) c ++ n * q + c :: seq (S (n * q + c)) (n - S c)).
  2: { change (n * q + c :: seq (S (n * q + c)) (n - S c)) with (seq (n * q + c) (S (n - S c))).
       rewrite <- seq_app; f_equal; lia. }
  assert (forall j, n * q <= j < n * q + n -> j mod n = j - n * q) as small.
  { intros j j_in; replace j with (j - n * q + q * n) at 1 by lia.
    rewrite Nat.mod_add by lia; apply Nat.mod_small; lia. }
  assert (forall l, (forall j, In j l -> n * q <= j < n * q + n /\ j <> n * q + c) ->
          filter (fun j => Nat.eqb (j mod n) c) l = nil) as none.
  { intros l others; apply incl_l_nil; intros j kept; apply filter_In in kept.
    destruct kept as [there same]; apply Nat.eqb_eq in same.
    destruct (others j there) as [j_in other]; rewrite small in same by exact j_in; lia. }
  rewrite filter_app; simpl; rewrite !none.
  - rewrite small by lia; replace (n * q + c - n * q) with c by lia; now rewrite Nat.eqb_refl.
  - intros j there; apply in_seq in there; lia.
  - intros j there; apply in_seq in there; lia.
Qed.

(** In words: when n divides A, the class of c is c, c + n, c + 2 n, ..., A / n of them.
    Does not say: anything when n does not divide A; then the classes differ in size.
    Used by: the patchwork of `geometry`, whose compartments have A / n inputs. *)
Theorem class_list (n q c : nat) : c < n -> class n (n * q) c = map (fun i => n * i + c) (seq 0 q).
Proof.
  intros c_lt; induction q as [| q IHq].
  - rewrite Nat.mul_0_r; reflexivity.
  - rewrite class_next, IHq by exact c_lt.
    rewrite seq_S, map_app; reflexivity.
Qed.

(** In words: so all classes are of one size.
    Does not say: that the anchors of one class lie near to each other.
    Used by: the patchwork of `geometry`, whose compartments have A / n inputs. *)
Theorem class_size (n q c : nat) : c < n -> length (class n (n * q) c) = q.
Proof. intros c_lt; rewrite class_list by exact c_lt; now rewrite map_length, seq_length. Qed.

(** In words: each anchor is in one class and in no other.
    Does not say: that it matters for the output, which goes through all compartments.
    Used by: the patchwork of `geometry`. *)
Theorem class_partition (n A j : nat) : j < A ->
  forall c, In j (class n A c) <-> c = j mod n.
Proof.
  intros j_lt c; unfold class; rewrite filter_In, in_seq, Nat.eqb_eq.
  split; intros; lia.
Qed.

(** In words: 256 anchors in 8 compartments are 32 in each; 64 are 8; 128 in 16 are 8.
    Does not say: that other numbers would be worse.
    Used by: the sizes of `dual_stream` and `soup`. *)
Fact class_sizes_computed :
  map (fun c => length (class 8 256 c)) (seq 0 8) = repeat 32 8 /\
  map (fun c => length (class 8 64 c)) (seq 0 8) = repeat 8 8 /\
  map (fun c => length (class 16 128 c)) (seq 0 16) = repeat 8 16.
Proof. vm_compute; repeat split; reflexivity. Qed.
