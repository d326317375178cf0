"""Forms of records beside the first one, each read in a file of its own."""
