import fastify from 'fastify'
import t from 'tap'
import { Compile } from 'typebox/compile'
import { adminScope } from '../server/admin/index.ts'
import { buildTestApp } from './helpers/app.ts'

interface Operation {
  operationId?: string
  security?: Record<string, string[]>[]
  parameters?: { in: string; name: string; required: boolean; schema: object }[]
  requestBody?: { content: Record<string, { schema: object }> }
  responses: Record<string, { description?: string; content?: Record<string, { schema: object }> }>
}
interface Document {
  openapi: string
  info: { title: string; version: string }
  servers: { url: string }[]
  paths: Record<string, Record<string, Operation>>
}

const { deps, inject, issuer } = await buildTestApp(t)
const response = await inject({ url: '/admin/api/openapi.json' })
const document: Document = response.json()
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation, title: `${method} ${path}` })),
)

t.test('it is OpenAPI 3.1, and anybody may read it', async (t) => {
  t.equal(response.statusCode, 200)
  t.match(document.openapi, /^3\.1\.\d+$/)
  t.match(document, { info: { title: String, version: String }, servers: [{ url: `${issuer}/admin/api` }] })
})

t.test('it lists every route, and nothing else', async (t) => {
  const routes: string[] = []
  const app = fastify()
  app.addHook('onRoute', ({ method, url }) => {
    for (const name of [method].flat()) if (name !== 'HEAD') routes.push(`${name.toLowerCase()} ${url}`)
  })
  await app.register(adminScope(deps))
  await app.ready()
  const listed = operations.map(({ title }) => title.replaceAll(/\{(\w+)\}/g, ':$1'))
  t.same(listed.sort(), routes.sort())
  t.ok(routes.length > 20, 'they were found at all')
})

t.test(
  'OpenAPI 3.1 §4.8.10: every operation has a name of its own, answers, and the parameters of its path',
  async (t) => {
    const names = operations.map(({ operation }) => operation.operationId)
    t.equal(new Set(names).size, names.length)
    for (const { path, operation, title } of operations) {
      t.match(operation.operationId, /^[a-z][A-Za-z]+$/, title)
      const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path')
      t.same(
        inPath.map(({ name }) => name),
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name),
        title,
      )
      t.ok(inPath.every(({ required }) => required))
      t.ok(Object.keys(operation.responses).some((status) => /^2\d\d$/.test(status)))
      for (const [status, { description }] of Object.entries(operation.responses)) {
        t.match(status, /^([1-5]\d\d|[1-5]XX|default)$/, title)
        t.type(description, 'string')
      }
    }
  },
)

t.test('every operation but this document says which scope it needs, and how it refuses', async (t) => {
  for (const { method, operation, title } of operations) {
    const scope = method === 'get' ? 'gatehouse:read' : 'gatehouse:write'
    if (title === 'get /openapi.json') t.same(operation.security, [])
    else {
      t.same(operation.security, [{ gatehouse: [scope] }], title)
      t.ok(operation.responses['4XX']?.content?.['application/problem+json'], title)
    }
  }
})

t.test('OpenAPI 3.1 §4.8.24: every schema is JSON Schema', async (t) => {
  for (const { operation } of operations) {
    const contents = [operation.requestBody, ...Object.values(operation.responses)].map((part) => part?.content ?? {})
    const schemas = [
      ...(operation.parameters ?? []).map(({ schema }) => schema),
      ...contents.flatMap((content) => Object.values(content).map(({ schema }) => schema)),
    ]
    for (const schema of schemas) t.doesNotThrow(() => Compile(schema))
    t.notMatch(JSON.stringify(schemas), /"nullable"|"\$ref"/)
  }
})
