"""What runs on the server: the standard library of Python 3.10 and the modules that bundle.py packs, nothing else."""
