"""How fast expressions are parsed and evaluated."""
