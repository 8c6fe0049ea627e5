-- What the access tokens for a resource say besides, and how their header names them.

ALTER TABLE resources ADD COLUMN claims text NOT NULL DEFAULT '{}';
ALTER TABLE resources ADD COLUMN token_typ text NOT NULL DEFAULT 'at+jwt';
