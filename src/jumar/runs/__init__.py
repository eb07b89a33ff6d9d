"""Stored runs: what a program did, kept so that it can be priced on any chip later. Imports no torch.

run = directory.read(directory.find("last"))         # events as columns, kinds of operators with their work
pricing.price_run(run, chips.find("h100"))           # how long, how much memory, how much energy, and why
"""
