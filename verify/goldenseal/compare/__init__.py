"""In what two logs and two files of tensors differ."""
