(******************************************************************************)
(*               A checker of seals, to be extracted to OCaml                 *)
(*                                                                            *)
(*   same es fs == two lists of entries are equal                             *)
(*    covers ns == seal.json is named, the two files that cannot be are not   *)
(* beside signed == the files that stand beside those that a manifest covers  *)
(* accepts signed es t == the text t is the manifest of the entries es that   *)
(*              were found in a folder, and these may be a record's           *)
(*                                                                            *)
(* Source: derived here; theorems/extraction/build.sh extracts it. The code   *)
(* that it is held against is `check` of verify/goldenseal/records/check.py   *)
(* and verify/goldenseal/records/check_seal.py.                               *)
(*                                                                            *)
(* Code: verify/goldenseal/records/check.py:check                             *)
(* Code: verify/goldenseal/records/check_seal.py:findings                     *)
(* Test: tests/verify/coq/test_verified_checker.py:test_no_attack_of_the_corpus_is_accepted_by_any_of_three *)
(*                                                                            *)
(* Does not say: what seal.json, record.json, run logs and signatures hold;   *)
(* for that there is `goldenseal check`. That the entries are those of the    *)
(* folder is up to the program around this, theorems/extraction/main.ml.      *)
(******************************************************************************)

From Coq Require Import List Bool String.
From Goldenseal Require Import Manifest Identity Names.
Import ListNotations.

(* SHA512SUMS, seal.dsse.json, seal.json *)
Definition sums_name : text := [83; 72; 65; 53; 49; 50; 83; 85; 77; 83].
Definition envelope_name : text := [115; 101; 97; 108; 46; 100; 115; 115; 101; 46; 106; 115; 111; 110].
Definition seal_name : text := [115; 101; 97; 108; 46; 106; 115; 111; 110].

Fixpoint same (es fs : list entry) : bool :=
  match es with
  | nil => match fs with nil => true | _ :: _ => false end
  | e :: es' => match fs with
                | nil => false
                | f :: fs' => text_eq (fst e) (fst f) && text_eq (snd e) (snd f) && same es' fs'
                end
  end.

Definition covers (ns : list text) : bool :=
  is_in seal_name ns && negb (is_in sums_name ns) && negb (is_in envelope_name ns).

Definition beside (signed : bool) : list text :=
  if signed then [sums_name; envelope_name] else [sums_name].

Definition accepts (signed : bool) (es : list entry) (t : text) : bool :=
  match parse admitted before t with
  | None => false
  | Some fs => same fs es && covers (map fst fs) && apart (beside signed ++ map fst fs)
  end.

(** In words: the numbers that stand for the three names are those of their letters.
    Does not say: that no other file is special; to this checker none is.
    Used by: `SUMS`, `ENVELOPE` and `SEAL` of verify/goldenseal/records/check.py. *)
Fact names_computed :
  [sums_name; envelope_name; seal_name]
    = map codes ["SHA512SUMS"; "seal.dsse.json"; "seal.json"]%string.
Proof. reflexivity. Qed.

Lemma same_true (es fs : list entry) : same es fs = true <-> es = fs.
Proof.
  revert fs; induction es as [| [n d] es IHes]; intros [| [n' d'] fs]; simpl; try easy.
  rewrite !andb_true_iff, !text_eq_true, IHes; split.
  - now intros [[-> ->] ->].
  - now intros [= -> -> ->].
Qed.

(** In words: what is found in a folder is accepted with one manifest alone, which is its printed
    form; and only with digests, names and order as they must be, seal.json among them, and no two
    names, that of the manifest included, that differ in case alone.
    Does not say: that the entries are the folder's.
    Used by: the checker that `make checker` builds. *)
Theorem accepts_iff (signed : bool) (es : list entry) (t : text) : accepts signed es t = true <->
  t = print es /\ good admitted before es = true /\
  covers (map fst es) = true /\ apart (beside signed ++ map fst es) = true.
Proof.
  unfold accepts; destruct (parse admitted before t) as [fs |] eqn:read; split.
  - rewrite !andb_true_iff, same_true; intros [[-> cover] far].
    destruct (print_parse _ _ _ _ read) as [<- well]; easy.
  - intros (-> & well & cover & far).
    rewrite parse_print in read; [| exact admitted_no_newline | exact well].
    injection read as <-; rewrite cover, far, !andb_true_r; now apply same_true.
  - easy.
  - intros (-> & well & _).
    rewrite parse_print in read; [easy | exact admitted_no_newline | exact well].
Qed.

(** In words: each name of an accepted manifest stands once, and neither the manifest nor the
    signature is among them.
    Does not say: that a signature, where there is one, is of this seal.
    Used by: the checker that `make checker` builds. *)
Theorem accepted_names (signed : bool) (es : list entry) (t : text) : accepts signed es t = true ->
  NoDup (map fst es) /\ In seal_name (map fst es) /\
  ~ In sums_name (map fst es) /\ ~ In envelope_name (map fst es).
Proof.
  intros yes; apply accepts_iff in yes; destruct yes as (_ & well & cover & _).
  apply andb_prop in well; destruct well as [_ order].
  unfold covers in cover; rewrite !andb_true_iff, !negb_true_iff in cover.
  destruct cover as [[seal sums] envelope].
  assert (forall n ns, is_in n ns = true <-> In n ns) as in_iff.
  { intros n ns; unfold is_in; rewrite existsb_exists; split.
    - intros (m & there & equal); apply text_eq_true in equal; now subst m.
    - intros there; exists n; split; [easy | now apply text_eq_true]. }
  repeat split; [now apply ordered_once | now apply in_iff | |];
    intros there; apply in_iff in there; congruence.
Qed.

Section Folders.

Variable hash : text -> text.
Hypothesis hash_digest : forall t, digest_like (hash t) = true.

Lemma accepted_folder (signed : bool) (f : list (text * text)) (t : text) :
  accepts signed (sealed hash f) t = true ->
  folder admitted before f = true /\ identity hash f = hash t.
Proof.
  intros yes; apply accepts_iff in yes; destruct yes as (-> & well & _); split; [| easy].
  apply andb_prop in well; destruct well as [each order].
  unfold sealed in each, order; rewrite map_map in order.
  change (map (fun file => fst (fst file, hash (snd file))) f) with (map fst f) in order.
  unfold folder; rewrite order, andb_true_r, forallb_forall; intros file there.
  rewrite forallb_forall in each.
  specialize (each (fst file, hash (snd file))).
  rewrite in_map_iff in each; specialize (each (ex_intro _ file (conj eq_refl there))).
  now apply andb_prop in each.
Qed.

(** In words: two folders that are accepted under one identity hold the same files, or `collision`
    gives two different texts with one hash.
    Does not say: that no such texts exist.
    Used by: the checker that `make checker` builds, which prints the identity.
    Code: verify/goldenseal/records/check.py:check
    Test: tests/verify/coq/test_verified_checker.py:test_every_record_of_this_repository_has_the_identity_that_it_has_by_the_others *)
Theorem accepted_one (signed signed' : bool) (f g : list (text * text)) (s t : text) :
  accepts signed (sealed hash f) s = true -> accepts signed' (sealed hash g) t = true ->
  hash s = hash t ->
  f = g \/ exists a b, collision hash f g = Some (a, b) /\ a <> b /\ hash a = hash b.
Proof.
  intros f_yes g_yes equal.
  destruct (accepted_folder signed f s f_yes) as [f_well f_id].
  destruct (accepted_folder signed' g t g_yes) as [g_well g_id].
  apply (one_identity admitted before admitted_no_newline hash hash_digest); congruence.
Qed.

End Folders.
