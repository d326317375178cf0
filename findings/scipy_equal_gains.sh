#!/bin/sh
# scipy's paired t-test calls gains that are all equal significant, and says nothing.
#
# Three seeds gain one hundredth each: .35 to .34, .58 to .57, .71 to .70. The gains have no spread, so there is
# nothing to test. With scipy 1.17.1 ttest_rel gives t = 5e14 and p = 3e-30, since in floats .35 - .34 is not
# .58 - .57, and warns of nothing; ttest_ind, on two groups that do not vary, at least warns of a loss of
# precision. Scores that are printed with two or three digits meet this often. What helps: call a spread that is
# below a few units in the last place of the *scores* none.
# Exits 1 when p is no longer tiny, or when a warning is given.
set -eu
PYTHON=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$PYTHON" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check scipy==1.17.1 numpy==2.4.6 || exit 3
"$work/venv/bin/python" - <<'PY'
import sys
import warnings
import scipy
from scipy import stats

before, after = [0.35, 0.58, 0.71], [0.34, 0.57, 0.70]
with warnings.catch_warnings(record=True) as given:
    warnings.simplefilter("always")
    test = stats.ttest_rel(before, after)
print("scipy", scipy.__version__)
print("gains", [a - b for a, b in zip(before, after)])
print(f"t = {test.statistic:.3g}, p = {test.pvalue:.3g}, warnings: {len(given)}")
if not test.pvalue < 1e-20:
    sys.exit("CHANGED: p is not tiny")
if given:
    sys.exit("CHANGED: a warning is given")
PY
# Seen:
#   scipy 1.17.1
#   gains [0.009999999999999953, 0.010000000000000009, 0.010000000000000009]
#   t = 5.4e+14, p = 3.43e-30, warnings: 0
