"""Small numbers: figures drawn towards those of their like, as far as their errors warrant."""
