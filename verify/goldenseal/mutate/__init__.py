"""How strong the gates are: single edits are planted in the code, and each must be noticed."""
