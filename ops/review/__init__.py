"""`./infra review`: what a change would do, rehearsed on top of what it is based on, as one report."""
