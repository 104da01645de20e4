"""What else the page of one association needs: the map, the years, other figures, and every way of asking."""
