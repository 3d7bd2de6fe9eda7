-- Old releases break: this is the migration that stands in the way of a rollback.
ALTER TABLE ledger RENAME COLUMN attempts TO writes;
