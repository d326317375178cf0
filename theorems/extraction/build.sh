#!/bin/sh
# The verified checker: what theorems/Checker.v defines, extracted to OCaml, with main.ml around it
# and the SHA-512 of Cryptokit. Builds into .goldenseal/checker; outside `make verify` and `make test`.
# Safe to run again. Ends with 0, or with 3 where a tool is missing, with the line to type.
#
# The commands that extract stand here and not in a file of theorems/: the theorem gate takes no
# source that writes other files. Numbers of type nat become OCaml's integers (ExtrOcamlNatInt),
# which hold 62 bits; those of the checker are bytes and lengths of texts in memory.
set -eu

line="apt-get install -y --no-install-recommends coq ocaml-findlib libcryptokit-ocaml-dev"
here="$(cd "$(dirname "$0")" && pwd)"
place="${1:-$here/../../.goldenseal/checker}"

cannot() {
    echo "checker: $1; type: $line" >&2
    exit 3
}

for tool in coqc ocamlfind ocamlopt; do
    command -v "$tool" >/dev/null 2>&1 || cannot "$tool is not installed"
done
ocamlfind query cryptokit >/dev/null 2>&1 || cannot "OCaml's Cryptokit is not installed"

rm -rf "$place"
mkdir -p "$place"
cp "$here/main.ml" "$place"
cd "$place"
for file in Manifest Identity Names Checker; do
    cp "$here/../$file.v" .
    coqc -q -noglob -w none -Q . Goldenseal "$file.v"
done
cat >Extract.v <<'END'
From Goldenseal Require Import Manifest Names Checker.
From Coq Require Import ExtrOcamlBasic ExtrOcamlNatInt.
Extraction "verified.ml" accepts parse admitted before sums_name envelope_name.
END
coqc -q -noglob -w none -Q . Goldenseal Extract.v >extract.log
ocamlfind ocamlopt -w -a -package unix,cryptokit -linkpkg \
    verified.mli verified.ml main.ml -o checker >compile.log 2>&1 ||
    { cat compile.log >&2; exit 1; }
echo "checker: built $(pwd)/checker"
