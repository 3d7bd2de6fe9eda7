"""The health check as it runs on the server: the standard library alone, and no laptop or engine."""
