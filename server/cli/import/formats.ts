import { auth0 } from './auth0.ts'
import { betterAuth } from './better_auth.ts'
import { firebase } from './firebase.ts'
import { gatehouse } from './gatehouse.ts'
import { keycloak } from './keycloak.ts'
import type { SourceFormat, SourceRecord } from './row.ts'
import { supabase } from './supabase.ts'

/** Where accounts may come from. Another one is a file here and a line in this list. */
export const FORMATS: readonly SourceFormat[] = [gatehouse, keycloak, auth0, supabase, firebase, betterAuth]

export function findFormat(name: string): SourceFormat | undefined {
  return FORMATS.find((format) => format.name === name)
}

/** By the look of the first record. */
export function detectFormat(record: SourceRecord): SourceFormat {
  return FORMATS.find((format) => format.recognizes(record)) ?? gatehouse
}
