#!/bin/sh
# How large a compressed artifact is depends on the zlib that lies below Python, at the same level.
#
# `zlib.compress(data, 9)` is the library's own work, and there are several that call themselves zlib: zlib itself,
# and zlib-ng, which some distributions and builds of Python install in its place, since it is faster. Here the
# same Python runs with its own library and with zlib-ng 2.3 in zlib's place: the streams can be read by both, but
# their sizes differ by some per cent at level 9 and by a third at level 1, and under zlib-ng level 6 makes weights
# smaller than level 9 does. So a size limit that one machine meets, another misses; a digest of an artifact is that
# of its zlib too. What helps: record zlib.ZLIB_RUNTIME_VERSION beside the size, and leave room.
# Needs cc and make, and a Python that loads libz when it runs, as those of distributions do.
# Exits 1 when the sizes are the same.
set -eu
PYTHON=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v cc >/dev/null && command -v make >/dev/null || { echo "needs cc and make"; exit 3; }
cat > "$work/sizes.py" <<'PY'
import random
import sys
import zlib

random.seed(0)
weights = bytes(int(random.gauss(0, 20)) & 255 for _ in range(1_000_000))  # int8, as of a trained matrix
sizes = [len(zlib.compress(weights, level)) for level in (1, 6, 9)]
if zlib.decompress(zlib.compress(weights, 9)) != weights:
    sys.exit("not read back")
print(zlib.ZLIB_RUNTIME_VERSION, *sizes)
PY
"$PYTHON" -m venv "$work/venv"
"$work/venv/bin/pip" download -q --disable-pip-version-check --no-deps --no-binary :all: -d "$work" \
  zlib-ng==1.1.0 >"$work/log" 2>&1 || { tail -n 3 "$work/log"; exit 3; }
tar xzf "$work/zlib_ng-1.1.0.tar.gz" -C "$work"
source="$work/zlib_ng-1.1.0/src/zlib_ng/zlib-ng"
(cd "$source" && ./configure --zlib-compat && make shared) >"$work/log" 2>&1 || { tail -n 3 "$work/log"; exit 3; }
own=$("$PYTHON" "$work/sizes.py")
other=$(LD_PRELOAD="$source/libz.so.1" "$PYTHON" "$work/sizes.py")
echo "version, bytes at levels 1, 6, 9: $own"
echo "version, bytes at levels 1, 6, 9: $other"
[ "${own%% *}" != "${other%% *}" ] || { echo "this Python has its zlib built in"; exit 3; }
[ "${own#* }" != "${other#* }" ] || { echo "CHANGED: the same sizes"; exit 1; }
# Seen, with Debian's zlib:
#   version, bytes at levels 1, 6, 9: 1.2.13 815135 801768 801768
#   version, bytes at levels 1, 6, 9: 1.3.1.zlib-ng 1058430 798379 815159
