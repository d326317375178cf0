(* Recursions that Coq accepts and the theorem gate refuses. Each is harmless, and separated by a blank line. *)

Fixpoint f (n : nat) := match n with O => 0 | S k => f (pred (S k)) end.

Fixpoint f (n : nat) := match n with O => 0 | S k => f (match k with O => k | S j => j end) end.

Fixpoint f (n : nat) := match n with O => 0 | S k => f (if true then k else k) end.

Fixpoint f (n : nat) := match n with O => 0 | S k => f ((fun x => x) k) end.

Fixpoint f (n : nat) := match n with O => 0 | S k => f (let x := k in x) end.

Fixpoint f (n : nat) := match n with O => 0 | S k => f (k : nat) end.

Fixpoint f (n : nat) := match n with O => 0 | S k => let x := k in f x end.

Fixpoint f (n : nat) := match n with O => 0 | S k => (fun x => f x) k end.

Fixpoint f (l : list nat) := match l with nil => 0 | h :: t => f (tl (h :: t)) end.

Fixpoint f (t : tree) := match t with Leaf => 0 | Node l _ r => f (if true then l else r) end.

Fixpoint f (n : nat) := match (n) with O => 0 | S k => f k end.

Fixpoint f (n : nat) := match n with O => 0 | S k => match id k with O => 0 | S j => f j end end.

Fixpoint f (p : nat * nat) (n : nat) := match n with O => 0 | S k => let (a, b) := p in f (a, b) k end with g (n : nat) := match n with O => 0 | S k => let '(x) := k in g x end.

Fixpoint f (t : rose) : nat := match t with Rose n l => n + list_sum (map f l) end.

Fixpoint f (t : rose) : nat := match t with Rose n l => fold_right (fun x a => f x + a) n l end.

Fixpoint f (n : nat) : nat -> nat := match n with O => S | S k => let g := f in g k end.

Fixpoint f (n m : nat) : nat := match m with O => 0 | S k => id (f n) k end.

Fixpoint f (n : nat) := match n with O => 0 | S k => id f k end.

Fixpoint f (n : nat) := match n with O => 0 | S k => @f k end.

Fixpoint f (t : rose) : nat := match t with Rose n l =>
  (fix g (l : list rose) := match l with nil => n | x :: r => f x + g r end) l end.

Definition f := fix f (n : nat) := match n with O => 0 | S k => f (pred (S k)) end.

Definition f n := let fix f n := match n with O => 0 | S k => f (pred (S k)) end in f n.

Definition f := fix f n := match n with O => 0 | S k => g k end
with g n := match n with O => 0 | S k => f k end for f.

Fixpoint f (n : nat) : nat. Proof. destruct n as [| k]; [exact 0 | exact (f k)]. Defined.

Fixpoint f (n : nat) : nat := match n with O => 0 | S k => f k + ltac:(exact (f k)) end.

Fixpoint f (n : nat) (e : n = n) := match n with O => 0 | S k => f k (eq_refl _) end.

Definition f : nat -> nat. fix f 1. intros [| k]; [exact 0 | exact (f k)]. Defined.

Definition f : nat -> nat. refine (fix f n := match n with O => 0 | S k => f k end). Defined.

Lemma f (n : nat) : n = n. Proof. revert n. exact (fix f n := eq_refl n). Qed.

Lemma a (n : nat) (e : ev n) : True with b (n : nat) (e : od n) : True.
Proof. destruct e as [| n e]; [| exact (b n e)]; exact I. destruct e as [n e]; exact (a n e). Qed.

Fixpoint f (n : nat) : nat := 0.

Fixpoint f (n : nat) := match n with O => 0 | S n => f n end.
Fixpoint g (n : nat) := match n with O => 0 | S k => (fun k : nat => g (pred (S k))) k end.

Notation "'step' x" := (pred (S x)) (at level 9).
Fixpoint f (n : nat) := match n with O => 0 | S k => f (step k) end.

Notation down f k := (f (pred (S k))).
Fixpoint f (n : nat) := match n with O => 0 | S k => f k + down f k end.

Notation rec := (fix f (n : nat) := match n with O => 0 | S k => f k end).

Ltac rec := fix f 1.

Class C := c : nat. Fixpoint f (n : nat) := match n with O => 0 | S k => f k end.

Definition wrap (n : nat) := Some n. Coercion wrap : nat >-> option.
Fixpoint f (n : nat) := match n with O => 0 | S k => f k end.

Set Implicit Arguments. Fixpoint f (A : Type) (l : list A) := match l with nil => 0 | _ :: t => f t end.

CoFixpoint f (n : nat) : stream := Cons n (f (S n)).

Definition f := cofix f (n : nat) : stream := Cons n (f (S n)).

Require Import Program. Program Fixpoint f (n : nat) := match n with O => 0 | S k => f k end.

Require Import Program.
Program Definition f := fix f n := match n with O => 0 | S k => f k end.

Require Import Recdef. Function f (n : nat) := match n with O => 0 | S k => f k end.

Section S. Let Fixpoint f (n : nat) := match n with O => 0 | S k => f (pred (S k)) end. End S.

Require Import Program. Obligation Tactic := idtac. Program Definition f : nat -> nat := _.
Next Obligation. fix f 1. intros [| k]; [exact 0 | exact (f k)]. Defined.

Reserved Notation "# n" (at level 9).
Fixpoint f (n : nat) := match n with O => 0 | S k => # k end where "# n" := (f n).
