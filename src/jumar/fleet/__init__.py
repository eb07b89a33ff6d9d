"""Thousands of chips over months: which to buy, when they come, how they behave. Imports no torch, no native core."""
