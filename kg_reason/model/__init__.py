"""Tensors: text and ids enter by batch.py; behind it there are only tensors."""
