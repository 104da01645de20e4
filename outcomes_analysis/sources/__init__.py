"""Who published it: the registry of files, readers from file to observations, and the release."""
