"""The sealed copy of a stack's state: written after every `up`, opened with a key that is kept offline."""
