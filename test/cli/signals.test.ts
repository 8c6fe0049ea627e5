import t, { type Test } from 'tap'
import { runInProcess } from '../helpers/cli.ts'
import { temporaryDirectory } from '../helpers/process.ts'
import { openSeeder } from '../helpers/seed.ts'
import { sampleSignal, sampleSignalStream } from '../storage/samples_signals.ts'

const env = { GATEHOUSE_DATA_DIR: temporaryDirectory(t) }
const seeder = await openSeeder(t, env)
const { store } = seeder.deps
await seeder.client({ client_id: 'orders' })

async function text(t: Test, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runInProcess(args, env)
  t.equal(code, 0, `gatehouse ${args.join(' ')} ${stderr}`)
  return stdout
}

t.test('signals: who is told, and of what', async (t) => {
  t.equal(await text(t, ['signals', 'streams']), 'None.\n')
  const stream = sampleSignalStream({ client_id: 'orders' })
  const { stream_id } = stream
  await store.createSignalStream(stream, 10, [])
  const signal = sampleSignal(stream_id)
  await store.appendSignal(signal)
  t.match(await text(t, ['signals', 'streams', '--client', 'orders']), new RegExp(`${stream_id} +orders +enabled +1`))
  t.equal(await text(t, ['signals', 'streams', '--client', 'other']), 'None.\n')
  t.match(
    await text(t, ['signals', 'list', '--stream', stream_id]),
    new RegExp(`${signal.jti} +${stream_id} +waiting +0`),
  )
  t.equal(await text(t, ['signals', 'list', '--stream', 'other']), 'None.\n')
})
