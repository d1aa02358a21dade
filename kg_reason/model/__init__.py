"""Tensors: text and ids enter by collator.py; behind it there are only tensors."""
