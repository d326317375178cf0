(******************************************************************************)
(*         The geometric backward pass: tangential part and separation        *)
(*                                                                            *)
(*  tangential tau e g == g - tau <g, e> e                                    *)
(*   library sigma a g == g - sigma max(0, <g, a>) a, the published sign      *)
(* described sigma a g == g + sigma max(0, -<g, a>) a, what its text says     *)
(*      stepped eta e g == e - eta g, one step of descent                     *)
(*                                                                            *)
(* Here e is a unit embedding and a the unit anchor that is nearest to it.    *)
(*                                                                            *)
(* Source: the public library's own backward pass (reconstructed); the code   *)
(* is train_gpt_style/geometry.                                               *)
(*                                                                            *)
(* Code: train_gpt_style/geometry/gradient.py:tangential                      *)
(* Test: tests/train_gpt_style/geometry/test_constellation.py:test_the_tangential_part_is_orthogonal_and_taking_it_twice_changes_nothing *)
(*                                                                            *)
(* Does not say: that either sign is better for a network.                    *)
(******************************************************************************)

From Coq Require Import Reals Lra Lia Psatz.
From Goldenseal Require Import Vectors Cosine Sums CreditCosines.

Open Scope R_scope.

Definition along (c : R) (x y : vector) : vector := fun j => 1 * x j + c * y j.

Definition tangential (tau : R) (n : nat) (e g : vector) : vector := along (- (tau * dot n g e)) g e.

Definition library (sigma : R) (n : nat) (a g : vector) : vector :=
  along (- (sigma * Rmax 0 (dot n g a))) g a.

Definition described (sigma : R) (n : nat) (a g : vector) : vector :=
  along (sigma * Rmax 0 (- dot n g a)) g a.

Definition stepped (eta : R) (e g : vector) : vector := along (- eta) e g.

Lemma dot_along (n : nat) (c : R) (x y z : vector) :
  dot n (along c x y) z = dot n x z + c * dot n y z.
Proof. unfold along; rewrite dot_linear; ring. Qed.

(** In words: the part along the embedding shrinks by the factor 1 - tau; for tau = 1 nothing of it
    is left.
    Does not say: anything of an embedding that was not normalised.
    Used by: AUTOGRAD_TANG of `dual_stream` and `soup`. *)
Theorem tangential_radial (tau : R) (n : nat) (e g : vector) :
  dot n e e = 1 -> dot n (tangential tau n e g) e = (1 - tau) * dot n g e.
Proof. intros unit; unfold tangential; rewrite dot_along, unit; ring. Qed.

(** In words: for tau = 1 the result is orthogonal to the embedding.
    Does not say: that its computed product is exactly 0.
    Used by: AUTOGRAD_TANG of `dual_stream` and `soup`. *)
Theorem tangential_orthogonal (n : nat) (e g : vector) :
  dot n e e = 1 -> dot n (tangential 1 n e g) e = 0.
Proof. intros unit; rewrite tangential_radial by exact unit; ring. Qed.

(** In words: for tau = 1 doing it twice is doing it once.
    Does not say: the same for another tau.
    Used by: AUTOGRAD_TANG of `dual_stream` and `soup`. *)
Theorem tangential_idempotent (n : nat) (e g : vector) (j : nat) :
  dot n e e = 1 -> tangential 1 n e (tangential 1 n e g) j = tangential 1 n e g j.
Proof.
  intros unit; unfold tangential at 1; rewrite tangential_orthogonal by exact unit.
  unfold along; ring.
Qed.

(* --- Separation ----------------------------------------------------------- *)

(* Adding a positive part of a unit vector never lowers the cosine with it. *)
Lemma plain_along (n : nat) (s : R) (x a : vector) :
  0 <= s -> dot n a a = 1 -> 0 < norm n x -> 0 < norm n (along s x a) ->
  plain n x a <= plain n (along s x a) a.
Proof.
  intros s_ge0 unit x_gt0 moved_gt0.
  assert (norm n a = 1) as a1 by (unfold norm; fold (dot n a a); rewrite unit; apply sqrt_1).
  pose proof (norm_sqr n x) as u_sqr; pose proof (norm_sqr n (along s x a)) as w_sqr.
  pose proof (cauchy_schwarz n x a) as below; rewrite unit, Rmult_1_r, <- u_sqr in below.
  assert (norm n (along s x a) * norm n (along s x a)
          = norm n x * norm n x + 2 * s * dot n x a + s * s) as moved.
  { rewrite w_sqr, u_sqr; unfold along; rewrite dot_combination, unit; ring. }
  unfold plain; rewrite a1, !Rmult_1_r, dot_along, unit, Rmult_1_r.
  set (c := dot n x a) in *; set (u := norm n x) in *; set (w := norm n (along s x a)) in *.
  apply Rmult_le_reg_r with (u * w); [now apply Rmult_lt_0_compat |].
  replace (c / u * (u * w)) with (c * w) by (field; lra).
  replace ((c + s) / w * (u * w)) with ((c + s) * u) by (field; lra).
  (* Squares: ((c + s) u)^2 - (c w)^2 = s (2 c + s) (u^2 - c^2). *)
  assert (((c + s) * u) * ((c + s) * u) - (c * w) * (c * w) = s * (2 * c + s) * (u * u - c * c))
    as squares.
  { replace (c * w * (c * w)) with (c * c * (w * w)) by ring; rewrite moved; ring. }
  assert (0 <= s * (u * u - c * c)) as rest_ge0 by (apply Rmult_le_pos; lra).
  assert (s * (2 * c + s) * (u * u - c * c) = (2 * c + s) * (s * (u * u - c * c))) as swap by ring.
  rewrite swap in squares; clear swap.
  destruct (Rle_lt_dec 0 c) as [c_ge0 | c_lt0].
  - apply Rsqr_incr_0_var; [unfold Rsqr | apply Rmult_le_pos; lra].
    assert (0 <= (2 * c + s) * (s * (u * u - c * c))) by (apply Rmult_le_pos; lra); lra.
  - destruct (Rle_lt_dec 0 (c + s)) as [sum_ge0 | sum_lt0].
    + assert (c * w <= 0) by nra; assert (0 <= (c + s) * u) by (apply Rmult_le_pos; lra); lra.
    + assert (0 <= - ((c + s) * u)) as left_ge0 by nra.
      assert (0 <= - (c * w)) as right_ge0 by nra.
      assert (- ((c + s) * u) <= - (c * w)); [| lra].
      apply Rsqr_incr_0_var; [unfold Rsqr | exact right_ge0].
      assert ((2 * c + s) * (s * (u * u - c * c)) <= 0) by nra; nra.
Qed.

(* A step after the correction, as a step before it and a part along the anchor. *)
Lemma stepped_along (eta s : R) (e g a : vector) (j : nat) :
  stepped eta e (along s g a) j = along (- (eta * s)) (stepped eta e g) a j.
Proof. unfold stepped, along; ring. Qed.

Lemma norm_ext (n : nat) (x y : vector) : (forall j, x j = y j) -> norm n x = norm n y.
Proof. intros xy; unfold norm; f_equal; apply sum_ext; intros j; now rewrite xy. Qed.

Lemma plain_ext (n : nat) (x y a : vector) :
  (forall j, x j = y j) -> plain n x a = plain n y a.
Proof.
  intros xy; unfold plain; rewrite (norm_ext n x y xy).
  now rewrite (dot_ext n x y a) by (intros; apply xy).
Qed.

(** In words: with the published sign, a step of descent never ends at a smaller cosine with the
    anchor than the same step without the correction; the term attracts.
    Does not say: that this anchor is the nearest after the step.
    Used by: AUTOGRAD_SIGN=library of `dual_stream` and `soup`.
    Code: train_gpt_style/geometry/gradient.py:separated
    Test: tests/train_gpt_style/geometry/test_constellation.py:test_the_library_sign_attracts_and_the_described_one_never_does *)
Theorem library_attracts (eta sigma : R) (n : nat) (e g a : vector) :
  0 <= eta -> 0 <= sigma -> dot n a a = 1 ->
  0 < norm n (stepped eta e g) -> 0 < norm n (stepped eta e (library sigma n a g)) ->
  plain n (stepped eta e g) a <= plain n (stepped eta e (library sigma n a g)) a.
Proof.
  intros eta_ge0 sigma_ge0 unit plain_gt0 moved_gt0; unfold library in *.
  rewrite (norm_ext n _ _ (stepped_along eta _ e g a)) in moved_gt0.
  rewrite (plain_ext n _ _ a (stepped_along eta _ e g a)).
  apply plain_along; try assumption.
  replace (- (eta * - (sigma * Rmax 0 (dot n g a)))) with (eta * (sigma * Rmax 0 (dot n g a)))
    by ring.
  repeat (apply Rmult_le_pos; try assumption); apply Rmax_l.
Qed.

(** In words: with the sign of its description, it never ends at a larger one; that term repels.
    Does not say: that it repels from other anchors too.
    Used by: AUTOGRAD_SIGN=described of `dual_stream` and `soup`.
    Code: train_gpt_style/geometry/gradient.py:separated
    Test: tests/train_gpt_style/geometry/test_constellation.py:test_the_library_sign_attracts_and_the_described_one_never_does *)
Theorem described_repels (eta sigma : R) (n : nat) (e g a : vector) :
  0 <= eta -> 0 <= sigma -> dot n a a = 1 ->
  0 < norm n (stepped eta e g) -> 0 < norm n (stepped eta e (described sigma n a g)) ->
  plain n (stepped eta e (described sigma n a g)) a <= plain n (stepped eta e g) a.
Proof.
  intros eta_ge0 sigma_ge0 unit plain_gt0 moved_gt0; unfold described in *.
  set (s := sigma * Rmax 0 (- dot n g a)) in *.
  assert (forall j, stepped eta e g j = along (eta * s) (stepped eta e (along s g a)) a j) as back
    by (intros j; unfold stepped, along; ring).
  rewrite (norm_ext n _ _ back) in plain_gt0; rewrite (plain_ext n _ _ a back).
  apply plain_along; try assumption.
  unfold s; repeat (apply Rmult_le_pos; try assumption); apply Rmax_l.
Qed.

(** In words: with the full strength sigma = 1, the library's sign leaves no part of the step that
    goes away from the anchor, and the described sign none that goes towards it.
    Does not say: anything of a smaller sigma, which removes the same share of it.
    Used by: AUTOGRAD_SEP = 1.0 of `soup`.
    Code: train_gpt_style/geometry/gradient.py:separated
    Test: tests/train_gpt_style/geometry/test_constellation.py:test_the_library_sign_attracts_and_the_described_one_never_does *)
Theorem full_separation (n : nat) (g a : vector) : dot n a a = 1 ->
  dot n (library 1 n a g) a = Rmin 0 (dot n g a) /\
  dot n (described 1 n a g) a = Rmax 0 (dot n g a).
Proof.
  intros unit; unfold library, described; rewrite !dot_along, unit.
  destruct (Rle_lt_dec 0 (dot n g a)) as [ge0 | lt0].
  - rewrite Rmin_left, (Rmax_right 0 (dot n g a)), (Rmax_left 0 (- dot n g a)) by lra; split; ring.
  - rewrite Rmin_right, (Rmax_left 0 (dot n g a)), (Rmax_right 0 (- dot n g a)) by lra; split; ring.
Qed.
