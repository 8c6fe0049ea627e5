/** A process beside this one that is asked and answers, over Node's own channel. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

interface Call<Request> {
  readonly id: number
  readonly request: Request
}
interface Answer<Result> {
  readonly id: number
  readonly result?: Result
  readonly error?: string
}

export interface Worker<Request, Result> {
  readonly pid: number
  ask(request: Request): Promise<Result>
  stop(): Promise<void>
}

/** @param file of this folder, which calls {@link answerWith} */
export function startWorker<Request, Result>(file: string, env: NodeJS.ProcessEnv): Worker<Request, Result> {
  const child: ChildProcess = fork(new URL(file, import.meta.url), { env, stdio: 'inherit' })
  const waiting = new Map<number, (answer: Answer<Result>) => void>()
  let calls = 0
  child.on('message', (answer: Answer<Result>) => waiting.get(answer.id)?.(answer))
  child.on('exit', () => {
    for (const [id, settle] of waiting) settle({ id, error: `${file} has ended` })
  })
  return {
    pid: child.pid ?? 0,
    ask(request) {
      calls += 1
      const id = calls
      const answered = new Promise<Answer<Result>>((resolve) => waiting.set(id, resolve))
      child.send({ id, request })
      return answered.then(({ result, error }) => {
        waiting.delete(id)
        if (result === undefined) throw new Error(error)
        return result
      })
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.disconnect()
      await once(child, 'exit')
    },
  }
}

/** In the worker: answers every request, and ends with whoever asks. */
export function answerWith<Request, Result>(work: (request: Request) => Promise<Result>): void {
  process.on('message', ({ id, request }: Call<Request>) => {
    work(request).then(
      (result) => process.send?.({ id, result }),
      (error: unknown) => process.send?.({ id, error: String(error) }),
    )
  })
  process.on('disconnect', () => process.exit())
}
