(******************************************************************************)
(*            The manifest of a seal: one identity, one set of files          *)
(*                                                                            *)
(*     text == a list of characters, by number; newline is 10, space 32       *)
(*    entry == a name and its digest                                          *)
(* print es == a line for each entry: digest, two spaces, name, newline       *)
(*  parse t == the entries of a text, or None for anything but that form      *)
(*  good es == digests of 128 hex digits, admitted names, in order, each once *)
(*                                                                            *)
(* Which names are admitted and what order they have is left open; all that   *)
(* is asked is that an admitted name holds no newline.                        *)
(*                                                                            *)
(* Source: coreutils' format of sums; the code is verify/goldenseal/records/check.py and         *)
(* verify/goldenseal/records/seal.py.                                                            *)
(*                                                                            *)
(* Code: verify/goldenseal/records/sums.py:parse_sums                        *)
(* Code: verify/goldenseal/records/sums.py:sums_text                          *)
(* Test: tests/theorems/test_ties.py:test_a_manifest_is_read_back_as_it_was_printed *)
(*                                                                            *)
(* Does not say: that a digest is that of the file; Identity.v speaks of it.  *)
(******************************************************************************)

From Coq Require Import Arith List Bool Lia.
Import ListNotations.

Definition text : Type := list nat.
Definition entry : Type := (text * text)%type.

Definition newline : nat := 10.
Definition gap : text := [32; 32].

Definition hex (c : nat) : bool :=
  (Nat.leb 48 c && Nat.leb c 57) || (Nat.leb 97 c && Nat.leb c 102).

Definition digest_like (d : text) : bool := Nat.eqb (length d) 128 && forallb hex d.

Definition text_eq (a b : text) : bool := if list_eq_dec Nat.eq_dec a b then true else false.

Definition line (e : entry) : text := snd e ++ gap ++ fst e.

Definition print (es : list entry) : text := flat_map (fun e => line e ++ [newline]) es.

(* Whole lines, and what stands after the last newline. *)
Fixpoint cut (t : text) : list text * text :=
  match t with
  | nil => (nil, nil)
  | c :: rest =>
    match cut rest with
    | (ls, tail) =>
      if Nat.eqb c newline then (nil :: ls, tail)
      else match ls with
           | nil => (nil, c :: tail)
           | l :: more => ((c :: l) :: more, tail)
           end
    end
  end.

Section Names.

Variables (admitted : text -> bool) (before : text -> text -> bool).

Definition read_line (l : text) : option entry :=
  let rest := skipn 128 l in
  if digest_like (firstn 128 l) && text_eq (firstn 2 rest) gap && admitted (skipn 2 rest)
  then Some (skipn 2 rest, firstn 128 l) else None.

Fixpoint read_all (ls : list text) : option (list entry) :=
  match ls with
  | nil => Some nil
  | l :: rest => match read_line l, read_all rest with
                 | Some e, Some es => Some (e :: es)
                 | _, _ => None
                 end
  end.

Fixpoint ordered (names : list text) : bool :=
  match names with
  | nil => true
  | n :: rest => match rest with nil => true | n' :: _ => before n n' end && ordered rest
  end.

Definition parse (t : text) : option (list entry) :=
  match cut t with
  | (ls, nil) => match read_all ls with
                 | Some es => if ordered (map fst es) then Some es else None
                 | None => None
                 end
  | _ => None
  end.

Definition good_entry (e : entry) : bool := digest_like (snd e) && admitted (fst e).

Definition good (es : list entry) : bool := forallb good_entry es && ordered (map fst es).

Hypothesis no_newline : forall n, admitted n = true -> ~ In newline n.

Lemma text_eq_true (a b : text) : text_eq a b = true <-> a = b.
Proof. unfold text_eq; destruct (list_eq_dec Nat.eq_dec a b); split; easy. Qed.

Lemma digest_length (d : text) : digest_like d = true -> length d = 128.
Proof. intros like; apply andb_prop in like; now apply Nat.eqb_eq. Qed.

Lemma digest_no_newline (d : text) : digest_like d = true -> ~ In newline d.
Proof.
  intros like there; apply andb_prop in like; destruct like as [_ all].
  rewrite forallb_forall in all; now specialize (all newline there).
Qed.

Lemma line_no_newline (e : entry) : good_entry e = true -> ~ In newline (line e).
Proof.
  intros well; apply andb_prop in well; destruct well as [like fine]; unfold line.
  rewrite !in_app_iff; intros [there | [there | there]].
  - now apply (digest_no_newline (snd e)).
  - unfold gap, newline in there; simpl in there; lia.
  - now apply (no_newline (fst e)).
Qed.

Lemma read_line_line (e : entry) : good_entry e = true -> read_line (line e) = Some e.
Proof.
  intros well; pose proof well as parts; apply andb_prop in parts; destruct parts as [like fine].
  pose proof (digest_length _ like) as len; unfold read_line, line.
  assert (firstn 128 (snd e ++ gap ++ fst e) = snd e) as ->.
  { rewrite firstn_app, len, <- len, firstn_all, Nat.sub_diag; apply app_nil_r. }
  assert (skipn 128 (snd e ++ gap ++ fst e) = gap ++ fst e) as ->.
  { rewrite skipn_app, len, <- len, skipn_all, Nat.sub_diag; reflexivity. }
  cbn [skipn firstn app gap]; rewrite like, fine; simpl; now destruct e.
Qed.

Lemma line_read_line (l : text) (e : entry) :
  read_line l = Some e -> line e = l /\ good_entry e = true.
Proof.
  unfold read_line.
  destruct (digest_like (firstn 128 l)) eqn:like; [| easy].
  destruct (text_eq (firstn 2 (skipn 128 l)) gap) eqn:two; [| easy].
  destruct (admitted (skipn 2 (skipn 128 l))) eqn:fine; [| easy].
  intros same; injection same as <-; split.
  - apply text_eq_true in two.
    change (firstn 128 l ++ gap ++ skipn 2 (skipn 128 l) = l); rewrite <- two.
    now rewrite firstn_skipn, firstn_skipn.
  - change (digest_like (firstn 128 l) && admitted (skipn 2 (skipn 128 l)) = true).
    now rewrite like, fine.
Qed.

Lemma cut_line (l rest : text) : ~ In newline l ->
  cut ((l ++ [newline]) ++ rest) = (l :: fst (cut rest), snd (cut rest)).
Proof.
  rewrite <- app_assoc; simpl; induction l as [| c l IHl]; intros none; simpl.
  - now destruct (cut rest).
  - rewrite IHl by (intros there; apply none; now right).
    destruct (Nat.eqb_spec c newline) as [-> | other]; [exfalso; apply none; now left | easy].
Qed.

Lemma cut_print (es : list entry) :
  forallb good_entry es = true -> cut (print es) = (map line es, nil).
Proof.
  induction es as [| e es IHes]; simpl; [easy |]; intros all.
  apply andb_prop in all; destruct all as [well all].
  unfold print; simpl; fold (print es); rewrite cut_line by now apply line_no_newline.
  now rewrite IHes.
Qed.

Lemma cut_whole (t : text) (ls : list text) (tail : text) : cut t = (ls, tail) ->
  flat_map (fun l => l ++ [newline]) ls ++ tail = t.
Proof.
  revert ls tail; induction t as [| c t IHt]; simpl; intros ls tail.
  - now intros [= <- <-].
  - destruct (cut t) as [more rest]; specialize (IHt more rest eq_refl).
    destruct (Nat.eqb_spec c newline) as [-> | other].
    + intros [= <- <-]; simpl; now rewrite IHt.
    + destruct more as [| l more]; intros [= <- <-]; simpl in *; now rewrite <- IHt.
Qed.

Lemma read_all_lines (es : list entry) :
  forallb good_entry es = true -> read_all (map line es) = Some es.
Proof.
  induction es as [| e es IHes]; simpl; [easy |]; intros all.
  apply andb_prop in all; destruct all as [well all].
  now rewrite read_line_line, IHes.
Qed.

Lemma lines_read_all (ls : list text) (es : list entry) : read_all ls = Some es ->
  map line es = ls /\ forallb good_entry es = true.
Proof.
  revert es; induction ls as [| l ls IHls]; simpl; intros es; [now intros [= <-] |].
  destruct (read_line l) as [e |] eqn:one; [| easy].
  destruct (read_all ls) as [rest |]; [| easy].
  intros [= <-]; destruct (IHls rest eq_refl) as [lines all].
  destruct (line_read_line l e one) as [<- well]; simpl; now rewrite lines, well.
Qed.

(** In words: parsing a printed manifest gives the entries that were printed.
    Does not say: that a checker which accepts more than this form is wrong; ours does not.
    Used by: `parse_sums` of verify/goldenseal/records/check.py and of check_seal.py. *)
Theorem parse_print (es : list entry) : good es = true -> parse (print es) = Some es.
Proof.
  intros all; apply andb_prop in all; destruct all as [each order].
  unfold parse; now rewrite cut_print, read_all_lines, order.
Qed.

(** In words: what parses is the printed form of its entries and of nothing else.
    Does not say: anything of a manifest with other line ends; that does not parse.
    Used by: `parse_sums` of verify/goldenseal/records/check.py and of check_seal.py. *)
Theorem print_parse (t : text) (es : list entry) :
  parse t = Some es -> print es = t /\ good es = true.
Proof.
  unfold parse; destruct (cut t) as [ls tail] eqn:whole; destruct tail; [| easy].
  destruct (read_all ls) as [found |] eqn:read; [| easy].
  destruct (ordered (map fst found)) eqn:order; [| easy]; intros [= <-].
  destruct (lines_read_all ls found read) as [<- each].
  pose proof (cut_whole _ _ _ whole) as same; rewrite app_nil_r in same.
  split; [| unfold good; now rewrite each, order].
  rewrite <- same; unfold print; now rewrite flat_map_concat_map, flat_map_concat_map, map_map.
Qed.

(** In words: two different lists of entries have different manifests.
    Does not say: anything of names that are not admitted; one with a newline would break it.
    Used by: the identity of a record, which is the hash of its manifest. *)
Theorem print_injective (es es' : list entry) :
  good es = true -> good es' = true -> print es = print es' -> es = es'.
Proof.
  intros one two same; apply parse_print in one; apply parse_print in two.
  rewrite same, two in one; now injection one.
Qed.

End Names.
