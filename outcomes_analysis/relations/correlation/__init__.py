"""Correlations across areas: raw, with others allowed for, noise taken out, and for places like their neighbours."""
