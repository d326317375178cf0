#!/bin/sh
# `coqchk -o` says two things under one title since Coq 8.20: "* Theory: Set is predicative" and
# "* Theory: Rewrite rules are not allowed". Who reads its context summary by title, last one wins,
# no longer sees whether Set is predicative, and who compares the section with 8.16's text refuses a
# sound project.
#
# Seen with Debian 13's coq 8.20.1+dfsg-1 (coqchk 8.20.1), on one reflexivity:
#     * Theory: Set is predicative
#     * Theory: Rewrite rules are not allowed
# Debian 12's coq 8.16.1 prints the first line alone.
#
# Needs root and debootstrap (it makes a Debian 13 from the mirror that apt uses, 1.2 GB, and removes
# it). Ends 0 when the output is as above, 1 when it has changed, 3 when it could not be seen.
set -eu

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
[ "$(id -u)" -eq 0 ] && command -v debootstrap >/dev/null || { echo "needs root and debootstrap"; exit 3; }
mirror="$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
    'Origin: Debian' 'Label: Debian' 2>/dev/null | head -n 1)"
# shellcheck disable=SC2086  # no mirror is no argument
{
    debootstrap --variant=minbase trixie "$work/debian" $mirror &&
        chroot "$work/debian" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -q --no-install-recommends 'coq=8.20.1*'
} >"$work/log" 2>&1 || { tail -n 3 "$work/log"; exit 3; }

echo 'Theorem one : 1 = 1. Proof. reflexivity. Qed.' >"$work/debian/root/A.v"
printed="$(chroot "$work/debian" sh -c 'cd /root && coqc -q A.v && coqchk --version && coqchk -o -silent -Q . "" A' 2>&1)"
echo "$printed" | grep -e version -e Theory
wanted="* Theory: Set is predicative
* Theory: Rewrite rules are not allowed"
[ "$(echo "$printed" | grep Theory)" = "$wanted" ] || { echo "the behaviour has changed"; exit 1; }
