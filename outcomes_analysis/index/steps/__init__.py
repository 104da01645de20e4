"""The steps of an index, pure functions with methods as objects, from denominating to aggregating."""
