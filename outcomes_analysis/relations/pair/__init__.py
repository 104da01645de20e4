"""Two figures with known errors: a model of what they measure, kept on disk with its card."""
