(******************************************************************************)
(*            From a computation on integers to a rounded double              *)
(*                                                                            *)
(*  A real of Q(sqrt 5) is written (p + q sqrt 5) / d with integers p, q, d.  *)
(*                                                                            *)
(*          surd_gt0 u v == 0 < u + v sqrt 5, decided by comparing squares    *)
(*          surd_ge0 u v == 0 <= u + v sqrt 5, likewise                       *)
(*   within_half p q d n == (p + q sqrt 5) / d is less than 1/2 away from n   *)
(*    in_binade p q d e  == the binary64 exponent of (p + q sqrt 5) / d, after *)
(*                          scaling by 2^-e, leaves a mantissa below 2^53     *)
(*                          and, unless e is the smallest exponent -1074, at  *)
(*                          least 2^52                                        *)
(* is_nearest_double p q d m e == m 2^e is the binary64 number nearest to     *)
(*                          (p + q sqrt 5) / d                                *)
(*                                                                            *)
(* The definitions compute on Z alone, so a statement about them is closed by *)
(* evaluation and rests on no axiom. The theorems at the end link them to the *)
(* reals of the standard library and to the rounding operator of Flocq, once. *)
(*                                                                            *)
(* Source: S. Boldo, G. Melquiond, Flocq: a unified library for proving       *)
(* floating-point algorithms in Coq, ARITH 2011.                              *)
(*                                                                            *)
(* Code: verify/goldenseal/coq/generate.py:constants_file                     *)
(* Test: tests/verify/coq/test_generate.py:test_coq_refuses_both_neighbours_of_every_nearest_double *)
(*                                                                            *)
(* Does not say: that any double is nearest to any real (Constants.v does), or *)
(* anything about a real exactly half-way between two doubles, overflow, or   *)
(* an operation that the processor carries out.                               *)
(******************************************************************************)

From Coq Require Import ZArith Reals Bool Lia Lra Psatz.
From Flocq Require Import Core.

Open Scope Z_scope.

Definition surd_gt0 (u v : Z) : bool :=
  if 0 <=? u then
    if 0 <=? v then (0 <? u) || (0 <? v) else 5 * (v * v) <? u * u
  else (0 <? v) && (u * u <? 5 * (v * v)).

Definition surd_ge0 (u v : Z) : bool := surd_gt0 u v || ((u =? 0) && (v =? 0)).

Definition within_half (p q d n : Z) : bool :=
  (0 <? d)
  && surd_gt0 (2 * p - (2 * n - 1) * d) (2 * q)
  && surd_gt0 ((2 * n + 1) * d - 2 * p) (- (2 * q)).

Definition in_binade (p q d e : Z) : bool :=
  surd_gt0 (2 ^ 53 * d - p) (- q) && surd_gt0 (2 ^ 53 * d + p) q
  && ((e =? -1074) || surd_ge0 (p - 2 ^ 52 * d) q || surd_ge0 (- p - 2 ^ 52 * d) (- q)).

Definition is_nearest_double (p q d m e : Z) : bool :=
  let up := 2 ^ Z.max 0 (- e) in
  let down := 2 ^ Z.max 0 e in
  (-1074 <=? e)
  && within_half (p * up) (q * up) (d * down) m
  && in_binade (p * up) (q * up) (d * down) e.

Open Scope R_scope.

Lemma sqrt5_gt0 : 0 < sqrt 5.
Proof. apply sqrt_lt_R0; lra. Qed.

Lemma sqrt5_sqr : sqrt 5 * sqrt 5 = 5.
Proof. apply sqrt_sqrt; lra. Qed.

Lemma surd_gt0P (u v : Z) : surd_gt0 u v = true -> 0 < IZR u + IZR v * sqrt 5.
Proof.
  pose proof sqrt5_gt0 as s_gt0; pose proof sqrt5_sqr as s_sqr.
  unfold surd_gt0.
  destruct (Z.leb_spec 0 u) as [u_ge0 | u_lt0].
  - destruct (Z.leb_spec 0 v) as [v_ge0 | v_lt0].
    + rewrite orb_true_iff, !Z.ltb_lt; intros gt0.
      apply IZR_le in u_ge0; apply IZR_le in v_ge0.
      destruct gt0 as [gt0 | gt0]; apply IZR_lt in gt0; nra.
    + rewrite Z.ltb_lt; intros sqr_lt.
      apply IZR_lt in sqr_lt; rewrite !mult_IZR in sqr_lt.
      apply IZR_le in u_ge0; apply IZR_lt in v_lt0.
      apply Rnot_le_lt; intros le0.
      assert (IZR u * IZR u <= (- IZR v * sqrt 5) * (- IZR v * sqrt 5)) by
        (apply Rmult_le_compat; lra).
      nra.
  - rewrite andb_true_iff, !Z.ltb_lt; intros [v_gt0 sqr_lt].
    apply IZR_lt in sqr_lt; rewrite !mult_IZR in sqr_lt.
    apply IZR_lt in u_lt0; apply IZR_lt in v_gt0.
    apply Rnot_le_lt; intros le0.
    assert ((IZR v * sqrt 5) * (IZR v * sqrt 5) <= (- IZR u) * (- IZR u)) by
      (apply Rmult_le_compat; nra).
    nra.
Qed.

Lemma surd_ge0P (u v : Z) : surd_ge0 u v = true -> 0 <= IZR u + IZR v * sqrt 5.
Proof.
  unfold surd_ge0; rewrite orb_true_iff, andb_true_iff, !Z.eqb_eq.
  intros [gt0 | [-> ->]]; [apply Rlt_le, surd_gt0P, gt0 | lra].
Qed.

Lemma within_halfP (p q d n : Z) : within_half p q d n = true ->
  0 < IZR d /\ Rabs ((IZR p + IZR q * sqrt 5) / IZR d - IZR n) < / 2.
Proof.
  unfold within_half; rewrite !andb_true_iff, Z.ltb_lt.
  intros [[d_gt0 low] high].
  apply IZR_lt in d_gt0; apply surd_gt0P in low; apply surd_gt0P in high.
  rewrite minus_IZR, !mult_IZR, minus_IZR, mult_IZR in low.
  rewrite minus_IZR, opp_IZR, !mult_IZR, plus_IZR, mult_IZR in high.
  split; [exact d_gt0 |].
  set (x := IZR p + IZR q * sqrt 5) in *.
  replace (x / IZR d - IZR n) with ((x - IZR n * IZR d) / IZR d) by (field; lra).
  unfold Rdiv; rewrite Rabs_mult, (Rabs_right (/ IZR d)).
  2: apply Rle_ge, Rlt_le, Rinv_0_lt_compat, d_gt0.
  apply Rmult_lt_reg_r with (IZR d); [exact d_gt0 |].
  rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
  unfold x in *; apply Rabs_def1; lra.
Qed.

Lemma in_binadeP (p q d e : Z) : 0 < IZR d -> in_binade p q d e = true ->
  let s := (IZR p + IZR q * sqrt 5) / IZR d in
  Rabs s < IZR (2 ^ 53) /\ (e = (-1074)%Z \/ IZR (2 ^ 52) <= Rabs s).
Proof.
  intros d_gt0; unfold in_binade; rewrite !andb_true_iff, !orb_true_iff, Z.eqb_eq.
  set (s := (IZR p + IZR q * sqrt 5) / IZR d).
  assert (sd : IZR p + IZR q * sqrt 5 = s * IZR d) by (unfold s; field; lra).
  intros [[below above] floor]; split.
  - apply surd_gt0P in below; apply surd_gt0P in above.
    rewrite minus_IZR, mult_IZR, opp_IZR in below; rewrite plus_IZR, mult_IZR in above.
    apply Rabs_def1; nra.
  - destruct floor as [[-> | floor] | floor]; [now left | right | right];
      apply surd_ge0P in floor.
    + rewrite minus_IZR, mult_IZR in floor.
      apply Rle_trans with s; [nra | apply Rle_abs].
    + rewrite minus_IZR, mult_IZR, !opp_IZR in floor.
      apply Rle_trans with (- s); [nra | rewrite <- Rabs_Ropp; apply Rle_abs].
Qed.

Lemma scaling (e : Z) :
  IZR (2 ^ Z.max 0 (- e)) = IZR (2 ^ Z.max 0 e) * bpow radix2 (- e).
Proof.
  rewrite !(IZR_Zpower radix2) by lia.
  rewrite <- bpow_plus; f_equal; lia.
Qed.

(** In words: if the comparison of integers holds, n is the integer nearest to
    (p + q sqrt 5) / d.
    Does not say: anything about a real half-way between two integers.
    Used by: the integer constants in Constants.v.
    Test: tests/verify/coq/test_generate.py:test_coq_refuses_an_integer_that_is_not_nearest *)
Theorem nearest_integer (p q d n : Z) : within_half p q d n = true ->
  ZnearestE ((IZR p + IZR q * sqrt 5) / IZR d) = n.
Proof. intros near; apply Znearest_imp, (within_halfP p q d n near). Qed.

(** In words: if the comparison of integers holds, rounding (p + q sqrt 5) / d to
    binary64, nearest even, gives exactly m 2^e.
    Does not say: that m 2^e is below the overflow threshold; the exporter only
    writes finite doubles.
    Used by: the constants with a square root in Constants.v. *)
Theorem nearest_double (p q d m e : Z) : is_nearest_double p q d m e = true ->
  round radix2 (FLT_exp (-1074) 53) ZnearestE ((IZR p + IZR q * sqrt 5) / IZR d)
    = F2R (Float radix2 m e).
Proof.
  unfold is_nearest_double; rewrite !andb_true_iff, Z.leb_le.
  set (up := (2 ^ Z.max 0 (- e))%Z); set (down := (2 ^ Z.max 0 e)%Z).
  intros [[e_ge near] binade].
  apply within_halfP in near; destruct near as [D_gt0 near].
  apply in_binadeP in binade; [cbv zeta in binade | exact D_gt0].
  set (x := (IZR p + IZR q * sqrt 5) / IZR d).
  assert (down_gt0 : 0 < IZR down).
  { unfold down; rewrite (IZR_Zpower radix2) by lia; apply bpow_gt_0. }
  assert (d_gt0 : 0 < IZR d) by (rewrite mult_IZR in D_gt0; nra).
  assert (xE : (IZR (p * up) + IZR (q * up) * sqrt 5) / IZR (d * down) = x * bpow radix2 (- e)).
  { rewrite !mult_IZR; unfold up; rewrite scaling; fold down; unfold x; field; lra. }
  rewrite xE in near, binade; destruct binade as [below floor].
  destruct (Req_dec x 0) as [x0 | x_neq0].
  - rewrite x0, Rmult_0_l in near; rewrite x0, round_0 by apply valid_rnd_N.
    replace m with 0%Z; [now rewrite F2R_0 |].
    rewrite Rminus_0_l, Rabs_Ropp, <- abs_IZR in near.
    assert (Z.abs m < 1)%Z by (apply lt_IZR; lra); lia.
  - assert (expE : cexp radix2 (FLT_exp (-1074) 53) x = e).
    { assert (bound : Rabs (x * bpow radix2 (- e)) * bpow radix2 e = Rabs x).
      { rewrite Rabs_mult, (Rabs_right (bpow radix2 (- e))) by (apply Rle_ge, bpow_ge_0).
        rewrite Rmult_assoc, <- bpow_plus, Z.add_opp_diag_l; apply Rmult_1_r. }
      assert (e_gt0 := bpow_gt_0 radix2 e).
      rewrite (IZR_Zpower radix2) in below by lia.
      assert (mag_le : (mag radix2 x <= 53 + e)%Z).
      { apply mag_le_bpow; [exact x_neq0 |].
        rewrite bpow_plus, <- bound; now apply Rmult_lt_compat_r. }
      unfold cexp, FLT_exp.
      destruct floor as [-> | floor]; [lia |].
      rewrite (IZR_Zpower radix2) in floor by lia.
      assert (53 + e <= mag radix2 x)%Z.
      { replace (53 + e)%Z with ((52 + e) + 1)%Z by lia.
        apply Zlt_le_succ, mag_gt_bpow.
        rewrite bpow_plus, <- bound; apply Rmult_le_compat_r; [apply bpow_ge_0 | exact floor]. }
      lia. }
    unfold round, scaled_mantissa; rewrite expE.
    now rewrite (Znearest_imp _ _ m near).
Qed.

(** In words: the same for a rational p / d.
    Does not say: that the decimal text in the source is p / d; the generator reads
    it so.
    Used by: the decimal constants in Constants.v. *)
Theorem nearest_double_rational (p d m e : Z) : is_nearest_double p 0 d m e = true ->
  round radix2 (FLT_exp (-1074) 53) ZnearestE (IZR p / IZR d) = F2R (Float radix2 m e).
Proof.
  intros near; rewrite <- (nearest_double p 0 d m e near).
  now rewrite Rmult_0_l, Rplus_0_r.
Qed.
