(******************************************************************************)
(*            The identity of a record: one identity, one set of files        *)
(*                                                                            *)
(*   sealed f == the entries of a folder f of names and contents              *)
(* identity f == the hash of its printed manifest                             *)
(*   folder f == its names are admitted, in order, each once                  *)
(* collision f g == two texts, of which `one_identity` says when they collide *)
(*                                                                            *)
(* Of the hash all that is asked is that it gives 128 hex digits.             *)
(*                                                                            *)
(* Source: derived here; the code is verify/goldenseal/records/seal.py, where the manifest       *)
(* covers seal.json and check_seal.py like any other file.                    *)
(*                                                                            *)
(* Code: verify/goldenseal/records/check.py:check                             *)
(* Test: tests/verify/coq/test_verified_checker.py:test_every_record_of_this_repository_has_the_identity_that_it_has_by_the_others *)
(*                                                                            *)
(* Does not say: that a collision of SHA-512 is hard to find.                 *)
(******************************************************************************)

From Coq Require Import List Bool.
From Goldenseal Require Import Manifest.
Import ListNotations.

Section Identity.

Variables (admitted : text -> bool) (before : text -> text -> bool).
Hypothesis no_newline : forall n, admitted n = true -> ~ In newline n.

Variable hash : text -> text.
Hypothesis hash_digest : forall t, digest_like (hash t) = true.

Definition sealed (f : list (text * text)) : list entry :=
  map (fun file => (fst file, hash (snd file))) f.

Definition identity (f : list (text * text)) : text := hash (print (sealed f)).

(* A folder as a list of names and contents: names admitted, in order, each once. *)
Definition folder (f : list (text * text)) : bool :=
  forallb (fun file => admitted (fst file)) f && ordered before (map fst f).

Fixpoint differing (f g : list (text * text)) : option (text * text) :=
  match f with
  | nil => None
  | a :: f' => match g with
               | nil => None
               | b :: g' => if text_eq (snd a) (snd b) then differing f' g'
                            else Some (snd a, snd b)
               end
  end.

Definition collision (f g : list (text * text)) : option (text * text) :=
  if text_eq (print (sealed f)) (print (sealed g)) then differing f g
  else Some (print (sealed f), print (sealed g)).

Lemma sealed_good (f : list (text * text)) : folder f = true -> good admitted before (sealed f) = true.
Proof.
  intros well; apply andb_prop in well; destruct well as [each order].
  unfold good, sealed; rewrite map_map.
  change (map (fun file => fst (fst file, hash (snd file))) f) with (map fst f).
  rewrite order, andb_true_r.
  rewrite forallb_forall in *; intros e there; apply in_map_iff in there.
  destruct there as (file & <- & there); unfold good_entry; simpl.
  now rewrite hash_digest, each.
Qed.

Lemma differing_found (f g : list (text * text)) : sealed f = sealed g ->
  f = g \/ exists a b, differing f g = Some (a, b) /\ a <> b /\ hash a = hash b.
Proof.
  revert g; induction f as [| [n c] f IHf]; intros [| [n' c'] g] same; simpl in *; try easy.
  - now left.
  - injection same as -> one rest; destruct (text_eq c c') eqn:equal.
    + apply text_eq_true in equal; subst c'.
      destruct (IHf g rest) as [-> | found]; [now left | now right].
    + right; exists c, c'; repeat split; [| exact one].
      intros other; apply text_eq_true in other; congruence.
Qed.

(** In words: two folders of one identity hold the same files, or `collision` gives two different
    texts with one hash.
    Does not say: that no such texts exist; only that finding two folders means finding them.
    Used by: the identity of a record in every claim, which names files by it. *)
Theorem one_identity (f g : list (text * text)) :
  folder f = true -> folder g = true -> identity f = identity g ->
  f = g \/ exists a b, collision f g = Some (a, b) /\ a <> b /\ hash a = hash b.
Proof.
  intros f_well g_well same; unfold collision.
  destruct (text_eq (print (sealed f)) (print (sealed g))) eqn:equal.
  - apply text_eq_true in equal; apply differing_found.
    apply (print_injective admitted before no_newline); [now apply sealed_good | now apply sealed_good | exact equal].
  - right; exists (print (sealed f)), (print (sealed g)); repeat split; [| exact same].
    intros other; apply text_eq_true in other; congruence.
Qed.

End Identity.
