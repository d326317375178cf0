(******************************************************************************)
(*               The chained run log: one head, one log                       *)
(*                                                                            *)
(*   head bs == the chain value after the lines bs, the newest of them first: *)
(*              the hash of the value before it, followed by the line         *)
(*  clash bs cs == two different texts that were hashed, where the lists part *)
(*                                                                            *)
(* Of the hash all that is asked is that its values have one length, that of  *)
(* `start`, so that what is hashed can be cut again into value and line.      *)
(*                                                                            *)
(* Source: derived here; the code is verify/goldenseal/runlog.py (64 bytes, start 0).    *)
(*                                                                            *)
(* Code: verify/goldenseal/runlog.py:chained                                  *)
(* Test: tests/theorems/test_ties.py:test_an_edited_line_changes_every_later_link *)
(*                                                                            *)
(* Does not say: who wrote the log; a log made anew from its first line has a *)
(* chain of its own, and only its head, kept elsewhere, tells them apart.     *)
(******************************************************************************)

From Coq Require Import Arith List Lia.
From Goldenseal Require Import Manifest.
Import ListNotations.

Section Chain.

Variables (hash : text -> text) (start : text).
Hypothesis one_length : forall t, length (hash t) = length start.

Fixpoint head (lines : list text) : text :=
  match lines with
  | nil => start
  | b :: older => hash (head older ++ b)
  end.

Fixpoint clash (bs cs : list text) : option (text * text) :=
  match bs with
  | nil => None
  | b :: older =>
    match cs with
    | nil => None
    | c :: older' =>
      if text_eq (head older ++ b) (head older' ++ c) then clash older older'
      else Some (head older ++ b, head older' ++ c)
    end
  end.

Lemma head_length (lines : list text) : length (head lines) = length start.
Proof. destruct lines; [reflexivity | apply one_length]. Qed.

Lemma cut_hashed (bs cs : list text) (b c : text) :
  head bs ++ b = head cs ++ c -> head bs = head cs /\ b = c.
Proof.
  intros same.
  assert (length (head bs) = length (head cs)) as lengths by now rewrite !head_length.
  split.
  - apply (f_equal (firstn (length (head bs)))) in same.
    rewrite firstn_app, firstn_all, Nat.sub_diag, lengths in same.
    now rewrite firstn_app, firstn_all, Nat.sub_diag, !app_nil_r in same.
  - apply (f_equal (skipn (length (head bs)))) in same.
    rewrite skipn_app, skipn_all, Nat.sub_diag, lengths in same.
    now rewrite skipn_app, skipn_all, Nat.sub_diag in same.
Qed.

(** In words: two logs of equally many lines with one head are the same log, or `clash` gives two
    different texts with one hash.
    Does not say: anything of logs of different lengths; see the next theorem.
    Used by: the chain of verify/goldenseal/runlog.py. *)
Theorem one_head (bs cs : list text) : length bs = length cs -> head bs = head cs ->
  bs = cs \/ exists a b, clash bs cs = Some (a, b) /\ a <> b /\ hash a = hash b.
Proof.
  revert cs; induction bs as [| b bs IHbs]; intros [| c cs] lengths same; simpl in *; try easy.
  - now left.
  - destruct (text_eq (head bs ++ b) (head cs ++ c)) eqn:equal.
    + apply text_eq_true in equal; apply cut_hashed in equal; destruct equal as [older ->].
      destruct (IHbs cs) as [-> | found]; [lia | exact older | now left | now right].
    + right; exists (head bs ++ b), (head cs ++ c); repeat split; [| exact same].
      intros other; apply text_eq_true in other; congruence.
Qed.

(** In words: two logs of any lengths with one head are the same log, or collide, or one of them
    holds a text whose hash is the start value.
    Does not say: that such a text exists; for SHA-512 and 64 zero bytes none is known. Without it
    the statement would be false: a log could begin again where its head returns to the start.
    Used by: the chain of verify/goldenseal/runlog.py. *)
Theorem any_head (bs cs : list text) : head bs = head cs ->
  bs = cs \/ (exists a b, clash bs cs = Some (a, b) /\ a <> b /\ hash a = hash b)
  \/ exists a, hash a = start.
Proof.
  revert cs; induction bs as [| b bs IHbs]; intros [| c cs] same; simpl in *.
  - now left.
  - right; right; now exists (head cs ++ c).
  - right; right; now exists (head bs ++ b).
  - destruct (text_eq (head bs ++ b) (head cs ++ c)) eqn:equal.
    + apply text_eq_true in equal; apply cut_hashed in equal; destruct equal as [older ->].
      destruct (IHbs cs older) as [-> | [found | found]]; [now left | now right; left | now right; right].
    + right; left; exists (head bs ++ b), (head cs ++ c); repeat split; [| exact same].
      intros other; apply text_eq_true in other; congruence.
Qed.

Lemma same_place (older later later' : list text) (b c : text) : length later = length later' ->
  later ++ b :: older = later' ++ c :: older -> b = c.
Proof.
  revert later'; induction later as [| l later IHlater]; intros [| l' later'] lengths equal;
    simpl in *; try lia.
  - now injection equal.
  - injection equal as _ rest; injection lengths as lengths; now apply (IHlater later').
Qed.

(** In words: when line k is edited, every later link differs, whatever lines follow, or the two
    logs exhibit two different texts with one hash.
    Does not say: that a reader notices who has only the edited log with a chain made anew.
    Used by: "the chain breaks here" of verify/goldenseal/runlog.py. *)
Theorem edited_line (older later later' : list text) (b c : text) :
  b <> c -> length later = length later' ->
  head (later ++ b :: older) <> head (later' ++ c :: older)
  \/ exists x y, clash (later ++ b :: older) (later' ++ c :: older) = Some (x, y)
                 /\ x <> y /\ hash x = hash y.
Proof.
  intros edited lengths.
  destruct (list_eq_dec Nat.eq_dec (head (later ++ b :: older)) (head (later' ++ c :: older)))
    as [same | differ]; [right | now left].
  destruct (one_head (later ++ b :: older) (later' ++ c :: older)) as [equal | found]; try assumption.
  - rewrite !app_length; simpl; lia.
  - destruct edited; now apply (same_place older later later').
Qed.

End Chain.
