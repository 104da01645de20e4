"""Evidence: pages and reports that put results, figures and methods together."""
