"""What is asked of an index: one frozen specification, read from a file, checked and told in words."""
