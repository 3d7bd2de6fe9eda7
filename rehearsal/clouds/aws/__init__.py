"""S3, IAM and the caller's identity: moto behind a front that asks who calls, may they, and would S3 take it.

front.py: signature.py (who) -> actions.py (what) -> policy/ (may they) -> checks (would S3) -> backend.py (moto)
"""
