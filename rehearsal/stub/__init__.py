"""The application that rehearsals deploy: the backend's endpoints, behaviour and faults, without its business.

It runs in the image `backend` with Debian's Python, where nothing of this project but this package exists: it
imports nothing else of it.
"""
