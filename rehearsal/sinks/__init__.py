"""What a rehearsal talks to in place of the internet: mail, webhooks, S3 and a certificate authority."""
