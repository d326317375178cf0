#!/bin/sh
# Coq with Flocq and Interval, from the system's package manager. Safe to run again: when they are
# there, this only looks. Without the right to install it prints the line to type and ends well,
# since the theorem gate then says that it could not run.
set -eu

packages="coq libcoq-flocq libcoq-interval"
line="apt-get install -y $packages"

if command -v coqc >/dev/null 2>&1 &&
    [ -f "$(coqc -where)/user-contrib/Flocq/Core/Core.vo" ]; then
    exit 0
fi

if ! command -v apt-get >/dev/null 2>&1; then
    echo "theorems: no apt-get here; install Coq 8.16 to 8.20 with Flocq, as in: $line" >&2
    exit 0
fi

if [ "$(id -u)" -eq 0 ]; then
    as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    echo "theorems: Coq is not installed, and installing it needs an administrator; type:" >&2
    echo "  sudo $line" >&2
    exit 0
fi

echo "theorems: installing $packages"
if ! { $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $packages ||
    { $as_root apt-get update -q &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $packages; }; } >&2; then
    echo "theorems: the installation did not succeed; type: sudo $line" >&2
fi
