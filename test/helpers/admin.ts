/** The admin API as its callers see it. */
import type { LightMyRequestResponse } from 'fastify'
import { mintCliToken } from '../../server/admin/cli_token.ts'
import { buildTestApp, type TestApp } from './app.ts'

export interface TestAdmin extends TestApp {
  /** @param options.token of the command line, unless it is given */
  readonly call: (
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    options?: { token?: string },
  ) => Promise<LightMyRequestResponse>
  /** The fields that a 400 complains about. */
  readonly complaints: (method: 'POST' | 'PATCH', path: string, body: unknown) => Promise<string[]>
}

type Options = Parameters<typeof buildTestApp>

export async function buildTestAdmin(t: Options[0], { config }: NonNullable<Options[1]> = {}): Promise<TestAdmin> {
  // A busy machine is no reason to shed a test's load.
  const http = { max_event_loop_delay_milliseconds: 0, ...config?.http }
  const test = await buildTestApp(t, { config: { ...config, http } })
  const call: TestAdmin['call'] = async (method, path, body, { token } = {}) =>
    test.inject({
      method,
      url: `/admin/api/${path}`,
      headers: {
        authorization: `Bearer ${token ?? (await mintCliToken(test.deps))}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    })
  return {
    ...test,
    call,
    async complaints(method, path, body) {
      const response = await call(method, path, body)
      if (response.statusCode !== 400) throw new Error(`${response.statusCode} ${response.body}`)
      const { errors }: { errors: { field: string }[] } = response.json()
      return errors.map(({ field }) => field)
    },
  }
}

/** The events of the audit trail, newest first. */
export async function auditedEvents(test: TestApp, limit = 5): Promise<string[]> {
  const { items } = await test.deps.store.listAudit({}, { limit, cursor: null })
  return items.map(({ event, actor }) => `${event} ${actor}`)
}
