"""One place and one date beside what others would have one expect."""
