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

Inductive vec : nat -> Type := vnil : vec 0 | vcons (k : nat) (n : nat) (v : vec k) : vec (S k).
Fixpoint f (n : nat) (v : vec n) : nat := match v in (vec m) return nat with vnil => 0 | vcons j a w => a + f j w end.

Fixpoint f (n : nat) : bool := match n with O => true | S k' => if 3 <=? 4 then f k' else negb (f k') end.

Fixpoint f (n : nat) : nat := match n with O => 1 | S k => if 2 <? f k then f k - 1 else max (f k) 2 end.

Record pair2 := { left : nat; right : nat }.
Fixpoint f (n : nat) : pair2 := match n with O => {| left := 0; right := 1 |} | S k => {| left := (f k).(right); right := 1 |} end.

Fixpoint f (n : nat) : Prop := match n with O => True | S k => f k /\ (exists y, y = k /\ f k) /\ ~ (f k -> False) end.

Fixpoint f (n : nat) : list nat := match n with O => [] | S k => [length (f k)] ++ k :: f k end.

Fixpoint f (n : nat) : Z := match n with O => 1 | S k => (2 * f k + - f k)%Z end.

Fixpoint f (l : list (nat * nat)) : nat := match l with nil => 0 | (a, b) :: t => a * b + f t end.

Fixpoint f (l : list nat) : nat := match l with [] => 0 | [a] => a | a :: (b :: _) as t => a + b end
with g (l : list nat) : nat := match l with [] | [_] => 0 | _ :: (_ :: t as u) => f t + g u end.

Fixpoint f (t : rose) : nat := match t with Rose n nil => n | Rose n (c :: _) => n + f c end.
