create or replace function api.check_scope() returns void language plpgsql as $$
declare
  claims json := nullif(current_setting('request.jwt.claims', true), '')::json;
begin
  if claims is null then
    return;  -- nobody: what the anonymous role may do is for its grants to say
  end if;
  if claims ->> 'iss' is distinct from 'https://login.example.com' then
    raise sqlstate 'PT401' using message = 'another issuer';
  end if;
  if not 'orders:read' = any (string_to_array(coalesce(claims ->> 'scope', ''), ' ')) then
    raise sqlstate 'PT403' using message = 'the scope orders:read is needed';
  end if;
end $$;
