#!/bin/sh
# The theorem gate under another Python and another Coq: Debian 13, with Python 3.13 and Coq 8.20.1,
# in a folder of its own made by debootstrap from the Debian mirror that apt uses here (about 1.5 GB
# and a minute, once). Outside CI: it needs root. Safe to run again: the folder is kept, the tree is
# copied anew. Ends as the gate does there: 0 it holds, 1 it does not; 3 when it could not run.
set -eu

suite=trixie
packages="coq libcoq-flocq python3 python3-filelock python3-markdown-it python3-pydantic python3-rfc8785"
packages="$packages python3-rich python3-typer"

cd "$(dirname "$0")/.."
home="$PWD/.goldenseal/coq-versions"
place="$home/$suite"

cannot() {
    echo "coq-versions: $1" >&2
    exit 3
}

[ "$(id -u)" -eq 0 ] || cannot "making a chroot needs root; type: sudo make coq-versions"
for tool in debootstrap chroot; do
    command -v "$tool" >/dev/null 2>&1 ||
        cannot "$tool is not installed; type: apt-get install -y debootstrap"
done

if [ ! -f "$place/ready" ]; then
    # The mirror that this machine's apt uses; where apt names none, debootstrap's own default.
    mirror="$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
        'Origin: Debian' 'Label: Debian' 2>/dev/null | head -n 1)"
    mkdir -p "$home"
    rm -rf "$place"
    echo "coq-versions: installing Debian $suite into $place" >&2
    # shellcheck disable=SC2086  # no mirror is no argument; packages are words
    {
        debootstrap --variant=minbase "$suite" "$place" $mirror &&
            chroot "$place" env DEBIAN_FRONTEND=noninteractive \
                apt-get install -y -q --no-install-recommends $packages
    } >"$home/install.log" 2>&1 || {
        tail -n 3 "$home/install.log" >&2
        cannot "the installation did not succeed; $home/install.log says why"
    }
    touch "$place/ready"
fi

# What git knows of, and what is new: not the virtual environment, data or caches of this machine.
tree="$place/goldenseal"
kept="$home/cache"
rm -rf "$kept"
[ ! -d "$tree/.goldenseal" ] || mv "$tree/.goldenseal" "$kept"
rm -rf "$tree"
mkdir -p "$tree"
git -c safe.directory="$PWD" ls-files -z --cached --others --exclude-standard |
    tar --create --null --anchored --exclude=records --ignore-failed-read --files-from=- 2>/dev/null |
    tar --extract --directory "$tree"
[ -f "$tree/theorems/_CoqProject" ] || cannot "this is no git checkout, so nothing could be copied"
[ ! -d "$kept" ] || mv "$kept" "$tree/.goldenseal"

exec chroot "$place" env -i PATH=/usr/bin:/bin HOME=/root LC_ALL=C.UTF-8 sh -c '
    cd /goldenseal
    python3 --version
    coqc --version | head -n 1
    PYTHONPATH=verify exec python3 -m goldenseal verify --only theorems'
