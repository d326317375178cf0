(******************************************************************************)
(*        Eight leaves in one tree, however they lie on the ranks             *)
(*                                                                            *)
(*   put i v held   == held, with v at the place i                            *)
(*   climb k i v held == the machine of a rank with 2^k shards: the i-th      *)
(*                     value v is added to what waits, as far up as it goes   *)
(*   local k f      == what waits at place 0 after all 2^k values f 0, f 1,.. *)
(*   exchange e v   == the ranks' values after e exchanges: each adds that of *)
(*                     the rank whose number differs in one bit, the highest  *)
(*                     bit first                                              *)
(*   world e leaf r == what rank r of 2^e holds at the end; its m-th shard is *)
(*                     the leaf m 2^e + r                                     *)
(*                                                                            *)
(* Source: the code is train_gpt_style/gpt/invariant.py.                      *)
(*                                                                            *)
(* Code: train_gpt_style/gpt/invariant.py:climb                               *)
(* Code: train_gpt_style/gpt/invariant.py:combine_ranks                       *)
(* Test: tests/theorems/test_ties.py:test_the_shards_of_a_rank_make_one_branch_of_the_tree *)
(*                                                                            *)
(* Does not say: that the machine's addition is commutative to the last bit   *)
(* (IEEE 754 demands it, but for the payload of a NaN), or that shards have   *)
(* the same gradients in every world.                                         *)
(******************************************************************************)

From Coq Require Import Arith List Lia.

Section Tree.

Variables (T : Type) (op : T -> T -> T).

Definition put (i : nat) (v : T) (held : nat -> T) : nat -> T :=
  fun a => if Nat.eqb a i then v else held a.

Fixpoint climb (k index : nat) (v : T) (held : nat -> T) : nat -> T :=
  match k with
  | O => put index v held
  | S j => if Nat.ltb index (2 ^ j) then put index v held
           else climb j (index - 2 ^ j) (op v (held (index - 2 ^ j))) held
  end.

Definition local (k : nat) (f : nat -> T) : T :=
  fold_left (fun held m => climb k m (f m) held) (seq 0 (2 ^ k)) (fun _ => f 0) 0.

Fixpoint exchange (e : nat) (v : nat -> T) : nat -> T :=
  match e with
  | O => v
  | S j => exchange j (fun r => op (v r) (v (Nat.lxor r (2 ^ j))))
  end.

Definition world (e : nat) (leaf : nat -> T) (r : nat) : T :=
  exchange e (fun rank => local (3 - e) (fun m => leaf (m * 2 ^ e + rank))) r.

Definition tree (leaf : nat -> T) : T :=
  op (op (op (leaf 0) (leaf 4)) (op (leaf 2) (leaf 6)))
     (op (op (leaf 1) (leaf 5)) (op (leaf 3) (leaf 7))).

(** In words: for any operation that does not care about the order of its two operands, each rank of
    1, 2, 4 or 8 ends with the one tree of eight leaves.
    Does not say: anything of other numbers of ranks or shards; no law but this one is used, so the
    operation need not be associative.
    Used by: WORLD_INVARIANT, whose runs give the same bytes in any world. *)
Theorem one_tree (leaf : nat -> T) (e r : nat) : (forall a b, op a b = op b a) ->
  e <= 3 -> r < 2 ^ e -> world e leaf r = tree leaf.
Proof.
  intros commutes e_le r_lt.
  assert (forall a b c d, op (op a b) (op c d) = op (op c d) (op a b)) as pairs by auto.
  assert (e = 0 \/ e = 1 \/ e = 2 \/ e = 3) as [-> | [-> | [-> | ->]]] by lia; simpl in r_lt;
    repeat (destruct r as [| r]; [
      cbv -[tree]; unfold tree;
      rewrite ?(commutes (leaf 4) (leaf 0)), ?(commutes (leaf 5) (leaf 1)),
        ?(commutes (leaf 6) (leaf 2)), ?(commutes (leaf 7) (leaf 3)),
        ?(commutes (op (leaf 2) (leaf 6)) (op (leaf 0) (leaf 4))),
        ?(commutes (op (leaf 3) (leaf 7)) (op (leaf 1) (leaf 5))); (reflexivity || apply commutes) |]);
    lia.
Qed.

End Tree.

(** In words: for an operation that takes its first operand, one rank ends with the last leaf and
    each of eight ranks with its own; so the law is needed.
    Does not say: that a sum of floats is such an operation.
    Used by: the condition of the theorem above. *)
Fact order_matters_computed :
  world nat (fun a _ => a) 0 (fun i => i) 0 = 7 /\ world nat (fun a _ => a) 3 (fun i => i) 0 = 0.
Proof. vm_compute; split; reflexivity. Qed.
