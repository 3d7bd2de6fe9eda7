"""The clouds of a rehearsal: AWS and Cloudflare as servers on loopback, which refuse what the real ones refuse.

    servers.py ── starts ──> server.py: one process, one port for each API
    wire.py -> faults.py -> aws/ (a front, then moto) or cloudflare/ (v4 over a zone that edgerules can evaluate)

Importing this starts nothing. docs/embedded-clouds.md says what is emulated, how well, and what is not.
"""
