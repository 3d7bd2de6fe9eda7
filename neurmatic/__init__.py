"""The Neurmatic system: its settings. The program itself is the __main__.py above."""
