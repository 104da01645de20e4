"""Which outcomes go together once all the others are allowed for."""
