#!/bin/sh
# model-signing, installed as its packages say, cannot be imported: it needs pyOpenSSL and names it nowhere.
#
# model-signing 1.1.1 does `from OpenSSL import crypto` when it is imported, and declares no dependency that brings
# this module. It came with older versions of sigstore; sigstore 4.5.1, which fits the declared `sigstore>=4.0`, no
# longer brings it. `pip install model-signing pyOpenSSL` helps.
# Exits 1 when it can be imported without, or not even with it.
set -eu
PYTHON=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$PYTHON" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check model-signing==1.1.1 sigstore==4.5.1
if "$work/venv/bin/python" -c 'import model_signing' 2> "$work/error"; then
  echo "CHANGED: it is imported without pyOpenSSL"
  exit 1
fi
tail -n 1 "$work/error"
"$work/venv/bin/pip" install -q --disable-pip-version-check pyOpenSSL==26.4.0
"$work/venv/bin/python" -c 'import model_signing' || { echo "CHANGED: not even with pyOpenSSL"; exit 1; }
echo "with pyOpenSSL it is imported"
