"""How long the server's converge takes, beside Ansible; what others say about it before and after."""
