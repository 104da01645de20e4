"""What an index and its figures are fit for: the audit, the cards, and the uses withheld."""
