"""Geometry on simplices, spheres and clouds that systems share: pure functions, small modules.

Shape letters: N simplices, M points of a pool, D coordinates, A anchors, B batch, P tokens.
Squared distances of a 4-simplex are ten rows in the order 01 02 03 04 12 13 14 23 24 34.
"""
