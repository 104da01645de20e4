"""Correlations across areas: raw, with others held alike, noise taken out, and for places like their neighbours."""
