-- Old releases do not notice: a rollback across it is safe.
ALTER TABLE ledger ADD COLUMN note text;
