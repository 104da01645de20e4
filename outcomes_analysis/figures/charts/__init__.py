"""Charts and tables: ranks, courses over time, estimates with intervals, one place, one relation."""
