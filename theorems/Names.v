(******************************************************************************)
(*          The names that a record's files may have, as far as ASCII         *)
(*                                                                            *)
(*    parts n == the parts of a path, between its slashes                     *)
(* admitted n == 1 to 4096 visible ASCII characters, at most 64 parts, none   *)
(*               of which is empty, `.`, `..`, or another name on Windows     *)
(* before m n == m comes before n by the numbers of their characters          *)
(* apart ns == no two paths, of files or folders, differ only in case         *)
(*                                                                            *)
(* Source: derived here; the code is `problem_with_name` and `colliding` of   *)
(* verify/goldenseal/disk/files.py.                                           *)
(*                                                                            *)
(* Code: verify/goldenseal/disk/files.py:problem_with_name                    *)
(* Test: tests/verify/coq/test_verified_checker.py:test_the_admitted_names_are_those_of_the_code_as_far_as_ascii *)
(*                                                                            *)
(* Does not say: anything of names beyond ASCII. There the code knows which   *)
(* characters are visible and which names fold to one; here none is admitted. *)
(******************************************************************************)

From Coq Require Import Arith List Bool Lia Ascii String.
From Goldenseal Require Import Manifest.
Import ListNotations.

Definition codes (s : string) : text := map nat_of_ascii (list_ascii_of_string s).

Fixpoint split (mark : nat) (t : text) : list text :=
  match t with
  | nil => [nil]
  | c :: rest =>
    match split mark rest with
    | nil => [[c]]
    | p :: more => if Nat.eqb c mark then nil :: p :: more else (c :: p) :: more
    end
  end.

Definition parts (n : text) : list text := split 47 n.

Definition within (low high c : nat) : bool := Nat.leb low c && Nat.leb c high.

Definition visible (c : nat) : bool := within 32 126 c.

Definition lower (c : nat) : nat := if within 65 90 c then c + 32 else c.

Definition is_in (t : text) (ts : list text) : bool := existsb (text_eq t) ts.

(* \ : * ? quote < > | *)
Definition for_windows : text := [92; 58; 42; 63; 34; 60; 62; 124].

Fixpoint without_spaces (t : text) : text :=
  match t with
  | nil => nil
  | c :: rest => if Nat.eqb c 32 then without_spaces rest else t
  end.

Definition trimmed (t : text) : text := rev (without_spaces (rev (without_spaces t))).

(* con, prn, aux, nul; com0 to com9 and lpt0 to lpt9. *)
Definition devices : list text :=
  [[99; 111; 110]; [112; 114; 110]; [97; 117; 120]; [110; 117; 108]]
  ++ map (fun d => [99; 111; 109; d]) (seq 48 10) ++ map (fun d => [108; 112; 116; d]) (seq 48 10).

Definition device (p : text) : bool :=
  is_in (map lower (trimmed (hd nil (split 46 p)))) devices.

Definition good_part (p : text) : bool :=
  negb (is_in p [nil; [46]; [46; 46]])
  && negb (existsb (fun c => existsb (Nat.eqb c) for_windows) p)
  && negb (Nat.eqb (last p 0) 46 || Nat.eqb (last p 0) 32)
  && negb (device p).

Definition admitted (n : text) : bool :=
  Nat.leb (List.length n) (64 * 64) && forallb visible n
  && Nat.leb (List.length (parts n)) 64 && forallb good_part (parts n).

Fixpoint before (m n : text) : bool :=
  match m with
  | nil => match n with nil => false | _ :: _ => true end
  | a :: m' => match n with
               | nil => false
               | b :: n' => Nat.ltb a b || (Nat.eqb a b && before m' n')
               end
  end.

Fixpoint apart_parts (ps qs : list text) : bool :=
  match ps with
  | nil => true
  | p :: ps' => match qs with
                | nil => true
                | q :: qs' => if text_eq p q then apart_parts ps' qs'
                              else negb (text_eq (map lower p) (map lower q))
                end
  end.

Definition apart (ns : list text) : bool :=
  forallb (fun m => forallb (fun n => apart_parts (parts m) (parts n)) ns) ns.

(** In words: the numbers that stand for the device names, and for what no name may hold, are those.
    Does not say: that Windows knows no other devices.
    Used by: `WINDOWS_DEVICES` and `WINDOWS_CHARACTERS` of verify/goldenseal/disk/files.py. *)
Fact devices_computed :
  map codes ["con"; "prn"; "aux"; "nul"]%string = firstn 4 devices /\
  map codes ["com0"; "com9"; "lpt0"; "lpt9"]%string
    = map (fun k => nth k devices nil) [4; 13; 14; 23] /\
  List.length devices = 24 /\ codes "/." = [47; 46] /\
  codes "\:*?<>|" = filter (fun c => negb (Nat.eqb c 34)) for_windows.
Proof. repeat split. Qed.

(** In words: an admitted name holds no newline, which is all that `Manifest` asks of names.
    Does not say: that each name without a newline is admitted.
    Used by: `accepts_iff` of Checker.v. *)
Theorem admitted_no_newline (n : text) : admitted n = true -> ~ In newline n.
Proof.
  unfold admitted; intros fine there; repeat (apply andb_prop in fine; destruct fine as [fine ?]).
  match goal with all : forallb visible n = true |- _ => rewrite forallb_forall in all;
    specialize (all newline there); discriminate all end.
Qed.

Lemma before_irreflexive (n : text) : before n n = false.
Proof. induction n as [| a n IHn]; simpl; [easy |]; now rewrite Nat.ltb_irrefl, Nat.eqb_refl. Qed.

Lemma before_trans (l m n : text) : before l m = true -> before m n = true -> before l n = true.
Proof.
  revert m n; induction l as [| a l IHl]; intros [| b m] [| c n]; simpl; try easy.
  rewrite !orb_true_iff, !andb_true_iff, !Nat.ltb_lt, !Nat.eqb_eq.
  intros [less | [-> one]] [more | [<- two]]; try (left; lia).
  right; split; [easy |]; now apply (IHl m).
Qed.

Lemma ordered_before (n : text) (ns : list text) :
  ordered before (n :: ns) = true -> forall m, In m ns -> before n m = true.
Proof.
  revert n; induction ns as [| k ns IHns]; intros n order m there; [easy |].
  change (before n k && ordered before (k :: ns) = true) in order.
  apply andb_prop in order; destruct order as [first order].
  destruct there as [<- | there]; [easy |].
  apply (before_trans n k m first); now apply IHns.
Qed.

(** In words: names in this order stand each once.
    Does not say: that two of them are two files on every file system; see `apart_case`.
    Used by: `parse_sums` of verify/goldenseal/records/check.py.
    Code: verify/goldenseal/records/sums.py:parse_sums
    Test: tests/theorems/test_ties.py:test_a_manifest_is_read_back_as_it_was_printed *)
Theorem ordered_once (ns : list text) : ordered before ns = true -> NoDup ns.
Proof.
  induction ns as [| n ns IHns]; intros order; [constructor |]; constructor.
  - intros there; pose proof (ordered_before n ns order n there) as less.
    now rewrite before_irreflexive in less.
  - apply IHns; change (ordered before (n :: ns)) with
      (match ns with nil => true | k :: _ => before n k end && ordered before ns) in order.
    now apply andb_prop in order.
Qed.

Lemma lower_mark (c mark : nat) : mark < 65 -> Nat.eqb (lower c) mark = Nat.eqb c mark.
Proof.
  intros small; unfold lower; destruct (within 65 90 c) eqn:capital; [| easy].
  apply andb_prop in capital; destruct capital as [above _]; apply Nat.leb_le in above.
  destruct (Nat.eqb_spec (c + 32) mark), (Nat.eqb_spec c mark); lia || easy.
Qed.

Lemma split_lower (mark : nat) (t : text) : mark < 65 ->
  split mark (map lower t) = map (map lower) (split mark t).
Proof.
  intros small; induction t as [| c t IHt]; [easy |]; simpl; rewrite IHt, lower_mark by easy.
  destruct (split mark t) as [| p more]; [easy |]; simpl; now destruct (Nat.eqb c mark).
Qed.

Lemma split_some (mark : nat) (t : text) : split mark t <> nil.
Proof.
  destruct t as [| c t]; simpl; [easy |].
  destruct (split mark t); [easy |]; now destruct (Nat.eqb c mark).
Qed.

Lemma split_injective (mark : nat) (s t : text) : split mark s = split mark t -> s = t.
Proof.
  revert t; induction s as [| a s IHs]; intros [| b t]; simpl; [easy | | |].
  - pose proof (split_some mark t) as some.
    destruct (split mark t) as [| q more]; [easy |]; now destruct (Nat.eqb b mark).
  - pose proof (split_some mark s) as some.
    destruct (split mark s) as [| p more]; [easy |]; now destruct (Nat.eqb a mark).
  - pose proof (split_some mark s) as s_some; pose proof (split_some mark t) as t_some.
    specialize (IHs t).
    destruct (split mark s) as [| p ps]; [easy |]; destruct (split mark t) as [| q qs]; [easy |].
    destruct (Nat.eqb_spec a mark), (Nat.eqb_spec b mark); intros same; injection same; intros;
      subst; try easy; f_equal; now apply IHs.
Qed.

Lemma apart_parts_case (ps qs : list text) : apart_parts ps qs = true ->
  map (map lower) ps = map (map lower) qs -> ps = qs.
Proof.
  revert qs; induction ps as [| p ps IHps]; intros [| q qs]; simpl; try easy.
  destruct (text_eq p q) eqn:equal; intros far same; injection same as one rest.
  - apply text_eq_true in equal; subst q; f_equal; now apply IHps.
  - apply negb_true_iff in far; rewrite one in far.
    pose proof (proj2 (text_eq_true (map lower q) (map lower q)) eq_refl); congruence.
Qed.

(** In words: of names that are apart, two that are equal without regard to case are one name.
    Does not say: anything of Unicode forms, in which ASCII has no two names for one.
    Used by: `colliding` of verify/goldenseal/disk/files.py.
    Code: verify/goldenseal/records/check.py:check
    Test: tests/verify/coq/test_verified_checker.py:test_a_consistent_seal_over_names_that_differ_in_case_is_refused_by_all *)
Theorem apart_case (ns : list text) (m n : text) : apart ns = true -> In m ns -> In n ns ->
  map lower m = map lower n -> m = n.
Proof.
  intros far m_in n_in same; unfold apart in far; rewrite forallb_forall in far.
  specialize (far m m_in); rewrite forallb_forall in far; specialize (far n n_in).
  apply (split_injective 47); apply apart_parts_case; [exact far |].
  rewrite <- !split_lower by lia; now rewrite same.
Qed.
