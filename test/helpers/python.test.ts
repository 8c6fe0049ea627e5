import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { pythonPackages } from './python.ts'

t.test('without Python there is a reason, and the next test may try again', async (t) => {
  const folder = t.testdir({ 'requirements.txt': 'Django\n' })
  const requirements = join(folder, 'requirements.txt')
  const answer = await pythonPackages(requirements, join(folder, 'venv'), 'no-such-python')
  t.match(answer, { unavailable: /no-such-python/ })
  t.strictSame(await readdir(join(folder, 'venv')), [], 'the lock is given back')
})

t.test('what is installed is not installed again', async (t) => {
  const folder = t.testdir({ 'requirements.txt': 'Django\n' })
  await mkdir(join(folder, 'venv'))
  await writeFile(join(folder, 'venv', 'installed.txt'), 'Django\n')
  const answer = await pythonPackages(join(folder, 'requirements.txt'), join(folder, 'venv'), 'no-such-python')
  t.strictSame(answer, { bin: join(folder, 'venv', 'bin') })
})
