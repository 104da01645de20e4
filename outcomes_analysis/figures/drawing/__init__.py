"""What every figure shares: its look, its parts, and how they are put together."""
