// npm install @supabase/supabase-js
import { createClient } from '@supabase/supabase-js'

/** @param accessToken an async function that gives a token of https://login.example.com for https://api.example.com */
export function connect(url, publishableKey, accessToken) {
  return createClient(url, publishableKey, { accessToken })
}
