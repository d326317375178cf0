"""The published tables of the soup and its student, as text, and what can be asked of any table."""

SOUP = """
E mAP F1 R1 cos cv anchors loss
1 .788 .731 .971 .806 .1213 226 .1676
2 .803 .742 .971 .809 .1178 200 .1459
3 .810 .735 .973 .808 .1197 161 .1431
4 .817 .752 .971 .811 .1262 131 .1404
5 .823 .755 .971 .812 .1232 113 .1389
6 .825 .755 .972 .815 .1105 104 .1379
7 .827 .767 .970 .814 .1125 101 .1369
8 .829 .763 .971 .815 .1239 99 .1361
9 .832 .764 .972 .815 .1164 98 .1355
10 .833 .765 .968 .814 .1166 99 .1345
11 .834 .763 .971 .814 .1214 98 .1346
12 .833 .764 .973 .813 .1200 95 .1343
13 .836 .761 .972 .813 .1081 94 .1338
14 .836 .772 .973 .812 .1170 95 .1334
15 .835 .774 .970 .812 .1223 95 .1338
16 .837 .777 .968 .812 .1225 96 .1339
17 .834 .772 .973 .811 .1089 95 .1327
18 .834 .770 .973 .812 .1156 95 .1321
19 .834 .773 .970 .811 .1224 96 .1328
20 .835 .770 .971 .812 .1159 96 .1328
"""

STUDENT = """
E loss nce mse bce acc cos val_mAP val_F1 val_R1 val_cos val_cv anchors
1 2.6891 2.2529 .0120 .1963 .340 .258 .151 .162 .032 .325 .2663 95
2 1.7948 1.4297 .0099 .1473 .553 .368 .206 .197 .062 .390 .2552 99
3 1.4854 1.1484 .0092 .1338 .641 .416 .246 .244 .091 .427 .2234 98
4 1.2910 .9727 .0087 .1265 .695 .448 .272 .266 .113 .453 .2078 99
5 1.1331 .8303 .0083 .1205 .743 .475 .296 .292 .139 .473 .2133 98
6 1.0003 .7111 .0079 .1158 .784 .499 .317 .311 .164 .495 .1835 98
7 .8943 .6172 .0075 .1115 .815 .520 .337 .335 .190 .513 .1809 96
8 .8028 .5365 .0072 .1076 .843 .539 .344 .331 .207 .523 .1779 95
9 .7228 .4665 .0070 .1041 .866 .557 .361 .349 .218 .537 .1764 95
"""

# Of the training columns, row 10 tells what the progress bar showed at 36 % of the epoch.
STUDENT_LATER = """
E acc cos val_mAP val_F1 val_R1 val_cos anchors
10 .887 .572 .380 .361 .254 .557 96
20 .972 nan .429 .418 .323 .599 94
"""

# What is known of the runs about which "calibration is essential" is said; one run of each.
EXPERIMENTS = [
    {"calibrated": False, "sampled": False, "procrustes_loss": True, "collapsed": True},
    {"calibrated": False, "sampled": False, "procrustes_loss": False, "collapsed": True},
    {"calibrated": True, "sampled": True, "procrustes_loss": False, "collapsed": False},
]

# What each thing learned from; "images" is no network.
LEARNED_FROM = {
    "student": ["soup", "images"],
    "soup": ["CLIP ViT-L/14", "DINOv2 ViT-B/14", "SigLIP ViT-B/16"],
}
PRETRAINED = {"CLIP ViT-L/14", "DINOv2 ViT-B/14", "SigLIP ViT-B/16"}


def decided(runs, outcome):
    """Factors of which two runs show what they do: all else is equal, and the outcome differs."""
    factors = [name for name in runs[0] if name != outcome]
    return [
        factor
        for factor in factors
        if any(
            a[outcome] != b[outcome] and [f for f in factors if a[f] != b[f]] == [factor]
            for a in runs
            for b in runs
        )
    ]


def origins(graph, name):
    """All that a thing goes back to, step by step."""
    found = set(graph.get(name, ()))
    return found.union(*(origins(graph, each) for each in found))


def rows(text):
    """One dict of floats a line."""
    names, *lines = (line.split() for line in text.strip().splitlines())
    return [dict(zip(names, map(float, line), strict=True)) for line in lines]


def together(table, **cited):
    """Rows in which all the cited values stand: [] when they come from different rows."""
    return [row["E"] for row in table if all(row[n] == v for n, v in cited.items())]


def places(table, value):
    """(row, column) of every place where a value stands."""
    return [(row["E"], name) for row in table for name in row if name != "E" and row[name] == value]


def trend(table, column):
    """Change from the first row to the last."""
    return round(table[-1][column] - table[0][column], 4)


def reached(table, column, target, tolerance):
    """Rows in which a column is as near to its target as that."""
    return [row["E"] for row in table if abs(row[column] - target) <= tolerance]


def best(table, column):
    """The first row with the largest value."""
    return max(table, key=lambda row: row[column])
