"""One question asked in every defensible way, and what all the answers say together."""
