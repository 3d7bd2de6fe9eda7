CREATE TABLE ledger (
    key text PRIMARY KEY,
    attempts integer NOT NULL,
    instance text NOT NULL,
    version text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now()
);
