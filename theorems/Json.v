(******************************************************************************)
(*             Canonical JSON: equal texts, equal values                      *)
(*                                                                            *)
(*      value == null, true or false, a whole number, a text, a list, or an   *)
(*               object of named values                                       *)
(*  shown v   == the canonical text of v                                      *)
(*  listed vs == what stands between [ and ]                                  *)
(*  named ms  == what stands between { and }                                  *)
(*                                                                            *)
(* How a character of a text and how a number is written is left open. Asked  *)
(* is what RFC 8785 gives: the written characters can be told apart from each *)
(* other and from a closing quote, and numbers are written with digits and a  *)
(* minus, each in a way of its own.                                           *)
(*                                                                            *)
(* Source: RFC 8785; the code is verify/goldenseal/disk/canonical.py. Seals hold fractions as *)
(* texts of hexadecimal floats, so that no other number is needed.            *)
(*                                                                            *)
(* Code: verify/goldenseal/disk/canonical.py:dumps                            *)
(* Test: tests/verify/disk/test_canonical.py:test_canonical_json_reads_back_and_is_a_fixed_point *)
(*                                                                            *)
(* Does not say: that two objects with members in another order are different *)
(* values; canonical ones have one order.                                     *)
(******************************************************************************)

From Coq Require Import Arith List ZArith Lia.
From Goldenseal Require Import Manifest.
Import ListNotations.

Inductive value :=
  | Null
  | Truth (b : bool)
  | Whole (z : Z)
  | Text (t : text)
  | List (vs : values)
  | Object (ms : members)
with values :=
  | Last
  | More (v : value) (vs : values)
with members :=
  | None_left
  | Member (name : text) (v : value) (ms : members).

Scheme value_rect' := Induction for value Sort Prop
  with values_rect' := Induction for values Sort Prop
  with members_rect' := Induction for members Sort Prop.
Combined Scheme json_induction from value_rect', values_rect', members_rect'.

Definition quote : nat := 34.
Definition comma : nat := 44.
Definition colon : nat := 58.
Definition digit_like (c : nat) : bool := Nat.eqb c 45 || (Nat.leb 48 c && Nat.leb c 57).

Section Written.

Variables (escaped : nat -> text) (number : Z -> text).

Hypothesis told_apart : forall c d r s, escaped c ++ r = escaped d ++ s -> c = d.
Hypothesis no_quote : forall c r s, escaped c ++ r <> quote :: s.
Hypothesis number_nonempty : forall z, number z <> nil.
Hypothesis number_digits : forall z, forallb digit_like (number z) = true.
Hypothesis number_injective : forall y z, number y = number z -> y = z.

Definition string (t : text) : text := quote :: flat_map escaped t ++ [quote].

(* Every member of a list or an object but the first has a comma before it. *)
Fixpoint shown (v : value) : text :=
  match v with
  | Null => [110; 117; 108; 108]
  | Truth b => if b then [116; 114; 117; 101] else [102; 97; 108; 115; 101]
  | Whole z => number z
  | Text t => string t
  | List vs => 91 :: match vs with
                     | Last => [93]
                     | More first rest => shown first ++ listed rest
                     end
  | Object ms => 123 :: match ms with
                        | None_left => [125]
                        | Member n first rest => string n ++ colon :: shown first ++ named rest
                        end
  end
with listed (vs : values) : text :=
  match vs with
  | Last => [93]
  | More v rest => comma :: shown v ++ listed rest
  end
with named (ms : members) : text :=
  match ms with
  | None_left => [125]
  | Member n v rest => comma :: string n ++ colon :: shown v ++ named rest
  end.

Definition stops (r : text) : Prop :=
  match r with nil => True | c :: _ => digit_like c = false end.

Lemma string_inverse (t u r s : text) : string t ++ r = string u ++ s -> t = u /\ r = s.
Proof.
  unfold string; simpl; intros same; injection same as same; revert u same.
  induction t as [| c t IHt]; intros [| d u] same; simpl in same.
  - now injection same.
  - exfalso; rewrite <- !app_assoc in same; now apply (no_quote d _ r (eq_sym same)).
  - exfalso; rewrite <- !app_assoc in same; now apply (no_quote c _ s same).
  - rewrite <- !app_assoc in same; pose proof (told_apart _ _ _ _ same) as ->.
    apply app_inv_head in same; rewrite !app_assoc in same.
    destruct (IHt u same) as [-> ->]; now split.
Qed.

Lemma digits_inverse (a b r s : text) : forallb digit_like a = true -> forallb digit_like b = true ->
  stops r -> stops s -> a ++ r = b ++ s -> a = b /\ r = s.
Proof.
  revert b; induction a as [| c a IHa]; intros [| d b] a_digits b_digits r_stops s_stops same;
    simpl in *.
  - now split.
  - subst r; simpl in r_stops; now rewrite r_stops in b_digits.
  - subst s; simpl in s_stops; now rewrite s_stops in a_digits.
  - injection same as -> same; apply andb_prop in a_digits; apply andb_prop in b_digits.
    destruct (IHa b) as [-> ->]; try tauto; now split.
Qed.

Lemma number_inverse (y z : Z) (r s : text) : stops r -> stops s ->
  number y ++ r = number z ++ s -> y = z /\ r = s.
Proof.
  intros r_stops s_stops same.
  destruct (digits_inverse (number y) (number z) r s) as [equal ->]; try apply number_digits; auto.
Qed.

Lemma number_head (z : Z) (r : text) (c : nat) (s : text) :
  number z ++ r = c :: s -> digit_like c = true.
Proof.
  intros same; pose proof (number_nonempty z) as some; pose proof (number_digits z) as digits.
  destruct (number z) as [| d t]; [easy |]; injection same as <- _.
  now apply andb_prop in digits.
Qed.

Lemma listed_stops (vs : values) (r : text) : stops (listed vs ++ r).
Proof. now destruct vs. Qed.

Lemma named_stops (ms : members) (r : text) : stops (named ms ++ r).
Proof. now destruct ms. Qed.

Ltac differ same :=
  exfalso; first [ discriminate same | symmetry in same; discriminate same
                 | apply number_head in same; discriminate same
                 | symmetry in same; apply number_head in same; discriminate same ].

Lemma no_bracket (w : value) (r s : text) : shown w ++ r <> 93 :: s.
Proof. intros same; destruct w as [| [] | y | u | ws | ns]; simpl in same; differ same. Qed.

Lemma inverse :
  (forall v w r s, stops r -> stops s -> shown v ++ r = shown w ++ s -> v = w /\ r = s) /\
  (forall vs ws r s, listed vs ++ r = listed ws ++ s -> vs = ws /\ r = s) /\
  (forall ms ns r s, named ms ++ r = named ns ++ s -> ms = ns /\ r = s).
Proof.
  apply json_induction.
  - intros w r s r_stops s_stops same.
    destruct w as [| [] | z | u | ws | ns]; simpl in same; try (differ same).
    now injection same.
  - intros b w r s r_stops s_stops same.
    destruct b, w as [| [] | z | u | ws | ns]; simpl in same; try (differ same); now injection same.
  - intros z w r s r_stops s_stops same.
    destruct w as [| [] | y | u | ws | ns]; simpl in same; try (differ same).
    destruct (number_inverse z y r s r_stops s_stops same) as [-> ->]; now split.
  - intros t w r s r_stops s_stops same.
    destruct w as [| [] | y | u | ws | ns]; try (simpl in same; differ same).
    destruct (string_inverse t u r s same) as [-> ->]; now split.
  - intros vs IHvs w r s r_stops s_stops same.
    destruct w as [| [] | y | u | ws | ns]; try (simpl in same; differ same).
    simpl in same; injection same as same.
    assert (vs = ws /\ r = s) as [-> ->]; [| now split].
    destruct vs as [| v vs], ws as [| w ws]; simpl in same.
    + now injection same as ->.
    + symmetry in same; rewrite <- app_assoc in same; now apply no_bracket in same.
    + rewrite <- app_assoc in same; now apply no_bracket in same.
    + apply IHvs; simpl; now rewrite same.
  - intros ms IHms w r s r_stops s_stops same.
    destruct w as [| [] | y | u | ws | ns]; try (simpl in same; differ same).
    simpl in same; injection same as same.
    assert (ms = ns /\ r = s) as [-> ->]; [| now split].
    destruct ms as [| n v ms], ns as [| n' v' ns]; simpl in same; try discriminate same.
    + now injection same as ->.
    + apply IHms; simpl; now rewrite same.
  - intros ws r s same; destruct ws as [| w ws]; simpl in same; [now injection same as -> | easy].
  - intros v IHv vs IHvs ws r s same; destruct ws as [| w ws]; simpl in same; [easy |].
    injection same as same; rewrite <- !app_assoc in same.
    destruct (IHv w (listed vs ++ r) (listed ws ++ s)) as [-> rest]; try exact same;
      try apply listed_stops.
    destruct (IHvs ws r s rest) as [-> ->]; now split.
  - intros ns r s same; destruct ns as [| n v ns]; simpl in same; [now injection same as -> | easy].
  - intros n v IHv ms IHms ns r s same; destruct ns as [| n' w ns]; [easy |].
    assert (forall t x m q, (string t ++ colon :: shown x ++ named m) ++ q
            = string t ++ (colon :: shown x ++ (named m ++ q))) as shape
      by (intros; rewrite <- !app_assoc; cbn [app]; now rewrite <- app_assoc).
    apply (f_equal (@tl nat)) in same.
    change ((string n ++ colon :: shown v ++ named ms) ++ r
            = (string n' ++ colon :: shown w ++ named ns) ++ s) in same.
    rewrite !shape in same; apply string_inverse in same; destruct same as [-> same].
    injection same as same.
    destruct (IHv w (named ms ++ r) (named ns ++ s)) as [-> rest]; try exact same;
      try apply named_stops.
    destruct (IHms ns r s rest) as [-> ->]; now split.
Qed.

(** In words: two values with one canonical text are the same value.
    Does not say: that every text is the text of some value; a parser decides that.
    Used by: seal.json, record.json and the lines of a run log, which are hashed in this form. *)
Theorem shown_injective (v w : value) : shown v = shown w -> v = w.
Proof.
  intros same; apply (proj1 inverse v w nil nil); [exact I | exact I |]; now rewrite !app_nil_r.
Qed.

(** In words: and no canonical text is the beginning of another one, but for numbers: what follows a
    value in a list or an object cannot be read as part of it.
    Does not say: anything of two numbers side by side, which never stand so.
    Used by: the reading of nested values. *)
Theorem shown_prefix (v w : value) (r s : text) :
  stops r -> stops s -> shown v ++ r = shown w ++ s -> v = w /\ r = s.
Proof. apply (proj1 inverse). Qed.

End Written.
