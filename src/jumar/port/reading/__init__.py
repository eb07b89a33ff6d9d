"""Readers of files that are not Python: each keeps the place of every word, so that an edit touches only that word."""
