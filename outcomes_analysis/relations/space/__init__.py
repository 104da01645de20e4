"""Neighbours: who borders whom, whether they are alike, and slopes that allow for it."""
