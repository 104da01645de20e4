"""Several years of the same authorities: slopes within each."""
