import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

/** A password to compare with a hash, away from the event loop. */
export interface HashJob {
  readonly algorithm: 'bcrypt' | 'sha_crypt'
  readonly stored: string
  readonly password: string
}

/** A thread that has had nothing to do for so long ends, and gives its memory back. */
const IDLE_MILLISECONDS = 30_000
/** The source beside this one, in a clone and in what is built of it. */
const THREAD = new URL(`./hash_thread${extname(import.meta.url)}`, import.meta.url)

const idle: { readonly worker: Worker; readonly end: NodeJS.Timeout }[] = []

/** Compares in a thread of its own. How many there are at once is for the gate to say, which every hash passes. */
export async function inHashThread(job: HashJob): Promise<boolean> {
  const worker = takeIdle() ?? startThread()
  try {
    const same = await answerOf(worker, job)
    putBack(worker)
    return same
  } catch (error) {
    await worker.terminate()
    throw error
  }
}

function startThread(): Worker {
  const worker = new Worker(THREAD)
  // One that fails between jobs is found out by the next job.
  worker.on('error', () => undefined)
  return worker
}

function takeIdle(): Worker | undefined {
  const found = idle.pop()
  if (found === undefined) return undefined
  clearTimeout(found.end)
  found.worker.ref()
  return found.worker
}

function putBack(worker: Worker): void {
  const end = setTimeout(() => {
    idle.splice(
      idle.findIndex((other) => other.worker === worker),
      1,
    )
    void worker.terminate()
  }, IDLE_MILLISECONDS)
  // Neither keeps a process alive that has nothing else to do.
  end.unref()
  worker.unref()
  idle.push({ worker, end })
}

function answerOf(worker: Worker, job: HashJob): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      worker.off('message', answered)
      worker.off('error', failed)
      worker.off('exit', ended)
      act()
    }
    const answered = (same: boolean) => settle(() => resolve(same))
    const failed = (error: unknown) => settle(() => reject(error))
    const ended = () => settle(() => reject(new Error('a thread that hashes passwords has ended')))
    worker.on('message', answered)
    worker.on('error', failed)
    worker.on('exit', ended)
    worker.postMessage(job)
  })
}
