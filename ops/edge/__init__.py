"""The zone as data, and beside the live one."""
