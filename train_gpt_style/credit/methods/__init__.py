"""How credit is assigned: one file a method, `local.py` for what the local ones share."""
