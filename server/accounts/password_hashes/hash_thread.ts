/** A thread for hash functions that are JavaScript: it answers one job after the other. */
import { parentPort } from 'node:worker_threads'
import { compareSync } from 'bcryptjs'
import type { HashJob } from './hash_threads.ts'
import { verifyShaCrypt } from './sha_crypt.ts'

parentPort?.on('message', (job: HashJob) => parentPort?.postMessage(check(job)))

function check({ algorithm, stored, password }: HashJob): boolean {
  return algorithm === 'bcrypt' ? compareSync(password, stored) : verifyShaCrypt(stored, password)
}
