"""Maps: shapes, classes, hexagons, and the maps drawn from them."""
