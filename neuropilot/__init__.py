"""The NeuroPilot system."""
