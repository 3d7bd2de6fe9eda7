"""Disasters that a whole stack on a rehearsal machine meets, and whether it comes back by the documented command."""
