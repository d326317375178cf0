"""One subject a file; each check takes a record and writes down what it finds."""
