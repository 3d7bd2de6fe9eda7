"""The days that nobody wants: recovery from each of the four disasters, and the drills that play them."""
