(* Recursions of the admitted shape. Each is harmless, and separated by a blank line. *)

Fixpoint f (n : nat) : nat := match n with O => 0 | S k => S (f k) end.

Fixpoint f n := match n with 0 => 0 | S k => S (f k) end.

Local Fixpoint f (a n : nat) {struct n} : nat := match n with O => a | S k => f (S a) k end.

#[local] Fixpoint f (n a : nat) : nat := match n with | O => a | S k => f k (S a) end.

Fixpoint f {A : Type} (l : list A) : nat := match l with nil => 0 | cons _ t => S (f t) end.

Fixpoint f {A} (l : list A) (m : list A) := match l with [] => m | h :: t => h :: f t m end.

Fixpoint f (t : tree) := match t with Leaf => 0 | Node l n r => f l + n + f r end.

Fixpoint f (n : nat) : bool := match n with O => true | S O => false | S (S k) => f k end.

Fixpoint f n := match n with O => true | S m => match m with O => false | S k => f k end end.

Fixpoint f (n m : nat) : nat := match n, m with S a, S b => f a b | _, _ => 0 end.

Fixpoint f (n : nat) : nat := match n as y return (fun _ => nat) y with O => 0 | S k => f k end.

Fixpoint f (n : nat) (b : bool) := if b then 0 else match n with 0 => 1 | S k => f k b end.

Fixpoint f (n : nat) : nat -> nat := fun m => match n with O => m | S k => f k (m + 1) end.

Fixpoint f (n : nat) := match n with O => 0 | S k => let d := f k in d + d end.

Fixpoint f (n : nat) := match n with O | S O => 0 | S (S k as m) => f m end.

Definition g := fix f (n : nat) : nat := match n with O => 0 | S k => f k end.

Definition g (m : nat) := (fix f n := match n with O => m | S k => f k end) m.

Example g : (fix f (n : nat) := match n with O => 0 | S k => f k end) 3 = 0 := eq_refl.

Fixpoint f n := match n with O => true | S k => negb (g k) end
with g n := match n with O => false | S k => negb (f k) end.

Fixpoint f (b : bool) (n : nat) {struct n} := match n with O => b | S k => f (negb b) k end.
