(******************************************************************************)
(*            When a mean of whole numbers can print as given digits          *)
(*                                                                            *)
(*  prints n unit k s == s / n, rounded to 1 / unit either way at a half,     *)
(*                       prints as k / unit                                   *)
(*                                                                            *)
(* Source: N. Brown and J. Heathers, 2017 (GRIM).                             *)
(*                                                                            *)
(* Code: none                                                                 *)
(* Test: none                                                                 *)
(*                                                                            *)
(* Does not say: that a mean which can print so was computed well.            *)
(******************************************************************************)

From Coq Require Import ZArith Lia.

Open Scope Z_scope.

Definition prints (n unit k s : Z) : Prop := 2 * Z.abs (s * unit - k * n) <= n.

Definition nearest_sum (n unit k : Z) : Z := k * n / unit.

(** In words: the digits are possible if and only if one of two sums gives them, the one below the
    printed mean times n and the next.
    Does not say: anything of means of numbers that are not whole.
    Used by: reading published means, such as accuracies over n images. *)
Theorem grim (n unit k : Z) : 0 < unit -> 0 < n ->
  ((exists s, prints n unit k s) <->
   prints n unit k (nearest_sum n unit k) \/ prints n unit k (nearest_sum n unit k + 1)).
Proof.
  intros unit_gt0 n_gt0; unfold prints, nearest_sum.
  pose proof (Z.div_mod (k * n) unit ltac:(lia)) as parts.
  pose proof (Z.mod_pos_bound (k * n) unit unit_gt0) as rest.
  set (q := k * n / unit) in *; set (r := (k * n) mod unit) in *.
  split; [intros [s near] | intros [near | near]; eexists; exact near].
  destruct (Z_le_gt_dec s q) as [low | high].
  - left; assert (s * unit <= q * unit) by (apply Z.mul_le_mono_nonneg_r; lia); lia.
  - right; assert ((q + 1) * unit <= s * unit) by (apply Z.mul_le_mono_nonneg_r; lia); lia.
Qed.

(** In words: from as many numbers as the last digit has steps on, all digits are possible.
    Does not say: that the test is of no use below; it is of use only there.
    Used by: reading published means, such as accuracies over n images. *)
Theorem grim_many (n unit k : Z) : 0 < unit <= n -> exists s, prints n unit k s.
Proof.
  intros few; apply grim; [lia | lia |]; unfold prints, nearest_sum.
  pose proof (Z.div_mod (k * n) unit ltac:(lia)) as parts.
  pose proof (Z.mod_pos_bound (k * n) unit ltac:(lia)) as rest; lia.
Qed.

(** In words: no 28 whole numbers have a mean that prints as 5.19; 5.18 is possible.
    Does not say: anything of other numbers.
    Used by: the tests of the rule. *)
Fact grim_examples_computed :
  let possible k := orb (2 * Z.abs (nearest_sum 28 100 k * 100 - k * 28) <=? 28)
                        (2 * Z.abs ((nearest_sum 28 100 k + 1) * 100 - k * 28) <=? 28) in
  possible 519 = false /\ possible 518 = true.
Proof. vm_compute; split; reflexivity. Qed.
