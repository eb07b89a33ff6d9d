"""Scan and rewrite a repository that is tied to CUDA: one file a rule, the dictionary is `jumar.cudamap`.

Imports neither torch nor the native core, and reads or writes nothing outside the repository it is given.
"""
