"""How sure an index is: draws of figures and of methods, ranks with their sets, and what moves them."""
