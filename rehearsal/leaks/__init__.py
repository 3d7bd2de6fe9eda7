"""Secrets where they do not belong: each in every form that it may have taken on its way."""
