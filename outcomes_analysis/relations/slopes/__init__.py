"""Slopes across areas: the lines, their errors, and how strong a characteristic not in the figures would have to be."""
