"""The building blocks of both systems: one folder per component.

The component classes live in `components/<x>/component.py` and the `__init__.py` of these folders stay empty:
`components/<x>/config.py` must be importable without pulumi, and importing it runs the folder's `__init__.py` first.
"""
