-- Who fetches the JWK Set, and which keys were in the last one: a rotation waits for those who do not know the next key.

CREATE TABLE key_fetchers (
  -- The resource that the fetch named; empty: none.
  resource text NOT NULL,
  address_prefix text NOT NULL,
  -- The first product of the user agent, without its version.
  agent text NOT NULL,
  -- The key ids of the set that was fetched last, in JSON.
  kids text NOT NULL,
  first_fetched_at bigint NOT NULL,
  fetched_at bigint NOT NULL,
  PRIMARY KEY (resource, address_prefix, agent)
);
CREATE INDEX key_fetchers_by_fetch ON key_fetchers (fetched_at);
