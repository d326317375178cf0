(******************************************************************************)
(*                The verdict of an audit, its letters and strategies         *)
(*                                                                            *)
(*     Numbers are integers of one common unit, as all doubles are (of        *)
(*     2^-1074); None is a number that was not measured.                      *)
(*                                                                            *)
(*       fires t e l == the diagnostic l fires on the evidence e              *)
(*   letters t e asked == those of the asked diagnostics that fire, in order  *)
(*   verdict t e asked == walked back, not evaluated, or trusted              *)
(*      caught fires S m == some check of the strategy S fires on m           *)
(*      looser t t' == t' asks less than t of every diagnostic                *)
(*                                                                            *)
(* Source: the audit's public description; train_gpt_style/credit/protocol.   *)
(*                                                                            *)
(* Code: train_gpt_style/credit/protocol/verdict.py:verdict                   *)
(* Test: tests/train_gpt_style/credit/test_credit_protocol.py:test_a_milder_threshold_can_only_remove_letters *)
(*                                                                            *)
(* Does not say: that the thresholds are right, nor that a trusted network    *)
(* is good.                                                                   *)
(******************************************************************************)

From Coq Require Import ZArith List Lia Bool.
Import ListNotations.

Open Scope Z_scope.

Inductive letter := A | B | C | D.

Record thresholds := Thresholds {
  growth_most : Z; gradient_least : Z; stability_most : Z; margin_least : Z
}.

Record evidence := Evidence {
  growth : option Z; gradient : option Z; stability : option Z; margin : option Z
}.

Definition measured (e : evidence) (l : letter) : option Z :=
  match l with A => growth e | B => gradient e | C => stability e | D => margin e end.

(* Whether a measured number is on the firing side: growth 50.1 over 50, say. *)
Definition beyond (t : thresholds) (l : letter) (x : Z) : bool :=
  match l with
  | A => growth_most t <? x
  | B => x <? gradient_least t
  | C => stability_most t <? x
  | D => x <? margin_least t
  end.

Definition fires (t : thresholds) (e : evidence) (l : letter) : bool :=
  match measured e l with Some x => beyond t l x | None => false end.

Definition missing (e : evidence) (l : letter) : bool :=
  match measured e l with Some _ => false | None => true end.

Definition letters (t : thresholds) (e : evidence) (asked : list letter) : list letter :=
  filter (fires t e) asked.

Inductive judgement :=
  | Trusted
  | Walked_back (fired : list letter)
  | Not_evaluated (absent : list letter).

Definition verdict (t : thresholds) (e : evidence) (asked : list letter) : judgement :=
  match letters t e asked, filter (missing e) asked with
  | nil, nil => Trusted
  | nil, absent => Not_evaluated absent
  | fired, _ => Walked_back fired
  end.

Definition looser (t t' : thresholds) : Prop :=
  growth_most t <= growth_most t' /\ gradient_least t' <= gradient_least t /\
  stability_most t <= stability_most t' /\ margin_least t' <= margin_least t.

Lemma fires_looser (t t' : thresholds) (e : evidence) (l : letter) :
  looser t t' -> fires t' e l = true -> fires t e l = true.
Proof.
  intros (a & b & c & d); unfold fires; destruct (measured e l) as [x |]; [| easy].
  destruct l; simpl; rewrite !Z.ltb_lt; lia.
Qed.

(** In words: raising the thresholds of (a) and (c) and lowering those of (b) and (d) can only
    remove letters.
    Does not say: how many; a threshold between the same two data removes none.
    Used by: the sensitivity tables of `credit`. *)
Theorem letters_looser (t t' : thresholds) (e : evidence) (asked : list letter) :
  looser t t' -> incl (letters t' e asked) (letters t e asked).
Proof.
  intros less l; unfold letters; rewrite !filter_In; intros [there fired].
  split; [exact there | now apply (fires_looser t t')].
Qed.

Lemma verdict_trusted (t : thresholds) (e : evidence) (asked : list letter) :
  verdict t e asked = Trusted <->
  letters t e asked = nil /\ filter (missing e) asked = nil.
Proof.
  unfold verdict; destruct (letters t e asked), (filter (missing e) asked); easy.
Qed.

(** In words: so what is trusted stays trusted under looser thresholds.
    Does not say: that it is trusted under tighter ones.
    Used by: the sensitivity tables of `credit`. *)
Theorem trusted_looser (t t' : thresholds) (e : evidence) (asked : list letter) :
  looser t t' -> verdict t e asked = Trusted -> verdict t' e asked = Trusted.
Proof.
  rewrite !verdict_trusted; intros less [none there]; split; [| exact there].
  apply incl_l_nil; rewrite <- none; now apply letters_looser.
Qed.

(** In words: a verdict is trusted if and only if every asked number was measured and lies on the
    good side of its threshold.
    Does not say: that the numbers were measured well.
    Used by: the verdict of `credit`, in which an absent number is never a pass.
    Test: tests/train_gpt_style/credit/test_credit_protocol.py:test_what_is_missing_is_never_a_pass *)
Theorem trusted_iff (t : thresholds) (e : evidence) (asked : list letter) :
  verdict t e asked = Trusted <->
  forall l, In l asked -> exists x, measured e l = Some x /\ beyond t l x = false.
Proof.
  rewrite verdict_trusted; split.
  - intros [none there] l asked_l.
    assert (fires t e l = false) as quiet.
    { destruct (fires t e l) eqn:fired; [| reflexivity].
      assert (In l (letters t e asked)) as bad by (apply filter_In; now split).
      rewrite none in bad; contradiction. }
    assert (missing e l = false) as known.
    { destruct (missing e l) eqn:absent; [| reflexivity].
      assert (In l (filter (missing e) asked)) as bad by (apply filter_In; now split).
      rewrite there in bad; contradiction. }
    unfold fires in quiet; unfold missing in known.
    destruct (measured e l) as [x |]; [| easy]; now exists x.
  - intros all; split; apply incl_l_nil; intros l bad; apply filter_In in bad;
      destruct bad as [asked_l bad]; destruct (all l asked_l) as (x & known & good);
      unfold fires, missing in bad; rewrite known in bad; congruence.
Qed.

(** In words: the verdicts of any list of networks stay the same while no datum lies between the
    old and the new thresholds; of a datum on a threshold, the greater one of (a) and (c) and the
    lesser one of (b) and (d) count as between.
    Does not say: that a verdict changes whenever a datum is crossed; another letter may hold it.
    Used by: the sensitivity tables of `credit`, which need one row for each gap between data.
    Code: train_gpt_style/credit/protocol/sensitivity.py:interval
    Test: tests/train_gpt_style/credit/test_credit_protocol.py:test_within_the_interval_no_verdict_changes *)
Theorem verdicts_between (t t' : thresholds) (es : list evidence) (asked : list letter) :
  looser t t' ->
  (forall e x, In e es -> growth e = Some x -> ~ growth_most t < x <= growth_most t') ->
  (forall e x, In e es -> gradient e = Some x -> ~ gradient_least t' <= x < gradient_least t) ->
  (forall e x, In e es -> stability e = Some x -> ~ stability_most t < x <= stability_most t') ->
  (forall e x, In e es -> margin e = Some x -> ~ margin_least t' <= x < margin_least t) ->
  map (fun e => verdict t e asked) es = map (fun e => verdict t' e asked) es.
Proof.
  intros (la & lb & lc & ld) a b c d; apply map_ext_in; intros e there; unfold verdict.
  enough (letters t e asked = letters t' e asked) as -> by reflexivity.
  apply filter_ext; intros l; unfold fires.
  destruct (measured e l) as [x |] eqn:known; [| reflexivity].
  destruct l; simpl in known |- *;
    [specialize (a e x there known) | specialize (b e x there known)
    | specialize (c e x there known) | specialize (d e x there known)];
    apply eq_true_iff_eq; rewrite !Z.ltb_lt; lia.
Qed.

(* --- Strategies: any sets of checks --------------------------------------- *)

Section Strategies.

Variables (check network : Type) (fired : network -> check -> bool).

Definition caught (S : list check) (m : network) : bool := existsb (fired m) S.

(** In words: what a union of two strategies catches is what one of them or the other catches.
    Does not say: that the union is the better one; it asks for more measurements.
    Used by: the strategies S0 to S_full of `credit`.
    Code: train_gpt_style/credit/protocol/strategies.py:walks_back
    Test: tests/train_gpt_style/credit/test_credit_protocol.py:test_more_signs_walk_back_no_less *)
Theorem caught_union (S S' : list check) (m : network) :
  caught (S ++ S') m = caught S m || caught S' m.
Proof. apply existsb_app. Qed.

(** In words: a strategy that checks more catches all that the smaller one catches.
    Does not say: that what it catches more is rightly caught.
    Used by: the strategies S0 to S_full of `credit`.
    Code: train_gpt_style/credit/protocol/strategies.py:walks_back
    Test: tests/train_gpt_style/credit/test_credit_protocol.py:test_more_signs_walk_back_no_less *)
Theorem caught_more (S S' : list check) (m : network) :
  incl S S' -> caught S m = true -> caught S' m = true.
Proof.
  unfold caught; rewrite !existsb_exists; intros more (c & there & yes).
  exists c; auto.
Qed.

(** In words: and the number of networks that it walks back is never the smaller one.
    Does not say: that two strategies of one number catch the same networks.
    Used by: the strategies S0 to S_full of `credit`.
    Code: train_gpt_style/credit/protocol/strategies.py:walks_back
    Test: tests/train_gpt_style/credit/test_credit_protocol.py:test_more_signs_walk_back_no_less *)
Theorem walk_backs_more (S S' : list check) (ms : list network) : incl S S' ->
  (length (filter (caught S) ms) <= length (filter (caught S') ms))%nat.
Proof.
  intros more; induction ms as [| m ms IHms]; simpl; [lia |].
  pose proof (caught_more S S' m more) as step.
  destruct (caught S m); [rewrite step by reflexivity | destruct (caught S' m)]; simpl; lia.
Qed.

(** In words: the join of several strategies catches a network if and only if one of them does.
    Does not say: which one.
    Used by: S_full of `credit`, which is the join of S2 to S5.
    Code: train_gpt_style/credit/protocol/strategies.py:walks_back
    Test: tests/train_gpt_style/credit/test_credit_protocol.py:test_the_published_table_of_strategies *)
Theorem caught_join (strategies : list (list check)) (m : network) :
  caught (concat strategies) m = existsb (fun S => caught S m) strategies.
Proof.
  induction strategies as [| S rest IHrest]; simpl; [reflexivity |].
  now rewrite caught_union, IHrest.
Qed.

End Strategies.
