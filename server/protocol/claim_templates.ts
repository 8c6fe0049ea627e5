/** Mappings for software that wants to find its claims under names of its own. */
import type { ClaimMapping } from './claim_mapping.ts'

export interface ClaimTemplate {
  readonly claims: ClaimMapping
  /** Why, and where it is described. */
  readonly about: string
}

/** By the name of what they are for. */
export const CLAIM_TEMPLATES: Readonly<Record<string, ClaimTemplate>> = {
  hasura: {
    about: 'session variables of Hasura GraphQL Engine, in its default namespace',
    claims: {
      'https://hasura.io/jwt/claims': {
        'x-hasura-user-id': '{{sub}}',
        'x-hasura-default-role': 'user',
        'x-hasura-allowed-roles': ['user', '{{roles}}'],
      },
    },
  },
  postgrest: {
    about: 'the PostgreSQL role that PostgREST switches to',
    claims: { role: 'authenticated' },
  },
  supabase: {
    about: 'what Supabase takes from a third-party issuer: the role, and what its policies read',
    claims: {
      role: 'authenticated',
      email: '{{email}}',
      app_metadata: { provider: 'gatehouse', roles: '{{roles}}' },
      user_metadata: { name: '{{name}}', email_verified: '{{email_verified}}' },
    },
  },
  kubernetes: {
    about: 'user name and groups of a Kubernetes API server',
    claims: { preferred_username: '{{username}}', groups: '{{roles}}' },
  },
  simplejwt: {
    about: 'what views of Django REST Framework read without a query, with the number that the site knows a user by',
    claims: { user_id: '{{legacy_user_id}}', username: '{{username}}', email: '{{email}}', groups: '{{roles}}' },
  },
}
