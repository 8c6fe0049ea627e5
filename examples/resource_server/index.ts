/** Starts the API: `node index.ts --issuer URL --audience NAME [--port 4000]`, or ISSUER, AUDIENCE and PORT. */
import { parseArgs } from 'node:util'
import { buildResourceServer } from './app.ts'

const { values } = parseArgs({
  options: { issuer: { type: 'string' }, audience: { type: 'string' }, port: { type: 'string' } },
})
const issuer = values.issuer ?? process.env.ISSUER
const audience = values.audience ?? process.env.AUDIENCE
const port = Number(values.port ?? process.env.PORT ?? 4000)

if (issuer === undefined || audience === undefined) {
  console.error('Name the issuer and this API: --issuer http://localhost:3000 --audience https://api.example.com')
  process.exit(2)
}

const app = await buildResourceServer(issuer, audience)
process.once('SIGTERM', () => void app.close())
console.log(`Listening on ${await app.listen({ port })}`)
