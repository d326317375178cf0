"""`goldenseal report`: one self-contained page on a record or an audit, for people."""
