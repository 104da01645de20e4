"""The one tidy table of observations, and how sure each figure in it is."""
