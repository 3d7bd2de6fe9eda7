"""How long a backup and the load of a restore take, beside what everybody types."""
