"""Stand-ins for the six resource plugins: one server, behaviour in tables, types read from the installed SDKs."""
