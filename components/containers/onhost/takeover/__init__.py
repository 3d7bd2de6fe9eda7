"""A stack that runs by docker-compose is taken over with its data. Standard library only: it runs on the server."""
