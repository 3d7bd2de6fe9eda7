"""What `./infra` does about backups: it calls the scripts on the server, which need nothing of it."""
