-- What another system knew an account by, for those that moved in.
ALTER TABLE accounts ADD COLUMN legacy_user_id text;
CREATE UNIQUE INDEX accounts_by_legacy_user_id ON accounts (legacy_user_id);
