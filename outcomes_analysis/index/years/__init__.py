"""Change of an index between years: how far, how sure, and what is no change at all."""
