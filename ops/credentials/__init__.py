"""What is secret in a stack: where each comes from, how old it may get, and how another one takes its place."""
