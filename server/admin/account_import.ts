import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import type { Deps } from '../deps.ts'
import { fieldProblems, type SchemaError } from '../http/problem.ts'
import { ProfileChangeDocument } from './account_profile.ts'
import { Email, Name, Roles } from './accounts.ts'
import { administratorOf } from './guard.ts'
import { type ImportRow, importAccounts, OUTCOMES, type RowResult } from './import_accounts.ts'
import { closed, nullable, problems, text } from './schemas.ts'

/** Rows in one request, and so in one commit. */
const MAX_ROWS = 500
const BODY_LIMIT_BYTES = 4 * 1024 * 1024
/** A commit of many rows takes longer than an answer elsewhere may, most of all on a busy disk. */
const DEADLINE_SECONDS = 60

/** One account that moves in: what the schema of each row is. */
const ImportedAccount = closed({
  username: Type.String({ maxLength: 150 }),
  email: Type.Optional(Email),
  email_verified: Type.Optional(Type.Boolean()),
  name: Type.Optional(Name),
  profile: Type.Optional(ProfileChangeDocument),
  roles: Type.Optional(Roles),
  password_hash: Type.Optional(Type.String({ maxLength: 1024, description: 'As it was made elsewhere.' })),
  disabled: Type.Optional(Type.Boolean()),
  created_at: Type.Optional(Type.Integer({ description: 'Seconds since the Unix epoch.' })),
  legacy_user_id: Type.Optional(nullable(text(255, 'What the other system knew the account by.'))),
})

const ImportDocument = closed({
  on_conflict: Type.Optional(
    Type.Enum(['fail', 'skip', 'update'], {
      default: 'fail',
      description: 'What becomes of a row whose account is there and differs.',
    }),
  ),
  allow_admins: Type.Optional(
    Type.Boolean({ description: 'Takes rows with the role admin, which may administer this server.' }),
  ),
  dry_run: Type.Optional(Type.Boolean({ description: 'Says what would become of each row, and changes nothing.' })),
  accounts: Type.Array(Type.Object({}, { description: describeRow() }), { minItems: 1, maxItems: MAX_ROWS }),
})

const ImportReport = Type.Object({
  results: Type.Array(
    Type.Object({
      outcome: Type.Enum([...OUTCOMES]),
      account_id: Type.Optional(Type.String()),
      errors: Type.Optional(Type.Array(Type.Object({ field: Type.String(), message: Type.String() }))),
    }),
    { description: 'One for each row, in its order.' },
  ),
})

/** `POST /accounts/import`: many accounts at once, each with its own outcome. */
export function accountImport(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/accounts/import',
      {
        config: { scope: 'gatehouse:write', deadline_seconds: DEADLINE_SECONDS },
        bodyLimit: BODY_LIMIT_BYTES,
        schema: {
          tags: ['accounts'],
          operationId: 'importAccounts',
          body: ImportDocument,
          response: { 200: ImportReport, ...problems },
        },
      },
      async (request) => {
        const { accounts, on_conflict = 'fail', dry_run = false, allow_admins = false } = request.body
        const check = await rowChecker()
        const options = { on_conflict, dry_run, allow_admins }
        const results = await importAccounts(deps, administratorOf(request), accounts.map(check), options)
        return {
          results: results.map(({ errors, ...rest }: RowResult) => ({
            ...rest,
            ...(errors && { errors: [...errors] }),
          })),
        }
      },
    )
  }
}

let checker: Promise<(row: unknown) => ImportRow> | undefined

/** Each row is judged by itself: what is wrong with one is said of it, and the others are taken. */
function rowChecker(): Promise<(row: unknown) => ImportRow> {
  // Compiled when it is first needed, as the other schemas are.
  checker ??= import('typebox/compile').then(({ Compile }) => {
    const compiled = Compile(ImportedAccount)
    return (row) => {
      if (compiled.Check(row)) return { value: row as Static<typeof ImportedAccount> }
      const errors: readonly SchemaError[] = compiled.Errors(row).map((error) => ({ ...error, message: error.message }))
      return { errors: fieldProblems(errors) }
    }
  })
  return checker
}

function describeRow(): string {
  return `An account: ${Object.keys(ImportedAccount.properties).join(', ')}.`
}
