#!/bin/sh
# safetensors writes the same tensors and the same metadata as different bytes from one process to the next.
#
# With safetensors 0.8.0, `save(tensors, metadata=...)` puts the entries of `metadata` into the header in no
# fixed order: tensors are sorted, metadata is not, and the order differs from process to process. So a file of
# weights that carries two metadata entries or more has another SHA-512 each time that it is written, which looks
# like another model. With one entry, or none, equal content gives equal bytes; several texts can be put as one
# JSON text under one key.
# Exits 1 when ten processes write the same bytes with eight entries, or other bytes with one.
set -eu
PYTHON=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$PYTHON" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check safetensors==0.8.0 numpy==2.4.6
cat > "$work/write.py" <<'PY'
import hashlib, sys
import numpy, safetensors.numpy

keys = sys.argv[1]
data = safetensors.numpy.save({"w": numpy.zeros(1, "f4")}, metadata={key: "x" for key in keys})
print(hashlib.sha512(data).hexdigest()[:16])
PY
for keys in a abcdefgh; do
  for _ in 1 2 3 4 5 6 7 8 9 10; do "$work/venv/bin/python" "$work/write.py" "$keys"; done | sort -u > "$work/$keys"
  echo "metadata of ${#keys}: $(wc -l < "$work/$keys" | tr -d ' ') different files of 10"
done
[ "$(wc -l < "$work/a")" -eq 1 ] || { echo "CHANGED: one entry is not stable either"; exit 1; }
[ "$(wc -l < "$work/abcdefgh")" -gt 1 ] || { echo "CHANGED: the order is fixed"; exit 1; }
