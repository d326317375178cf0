"""Folders that strangers made, and files that are whole or not there. The ground floor."""
