import type { Cli } from '../cli.ts'

const LINE_EVERY_PERCENT = 5
const LINE_EVERY_ROWS = 10_000

export interface Progress {
  /** @param done share of the work, 0 to 1; undefined: nobody knows */
  report(done: number | undefined, rows: number): void
  end(): void
}

/** A line that moves on a terminal, and a line for each 5 % elsewhere; nothing with `--json`. */
export function createProgress({ io, options }: Cli): Progress {
  const began = io.now()
  let told = 0
  let written = false
  const say = (percent: number | undefined, rows: number) => {
    const rate = Math.round(rows / Math.max(0.001, (io.now() - began) / 1000))
    return `${percent === undefined ? '' : `${percent} %  `}${rows} rows  ${rate} a second`
  }
  return {
    report(done, rows) {
      if (options.json) return
      const percent = done === undefined ? undefined : Math.floor(done * 100)
      if (io.stderr.isTTY === true) {
        io.stderr.write(`\r${say(percent, rows)}\u001b[K`)
        written = true
        return
      }
      const step = percent === undefined ? Math.floor(rows / LINE_EVERY_ROWS) : Math.floor(percent / LINE_EVERY_PERCENT)
      if (step <= told) return
      told = step
      io.stderr.write(`${say(percent === undefined ? undefined : step * LINE_EVERY_PERCENT, rows)}\n`)
    },
    end() {
      if (written) io.stderr.write('\n')
    },
  }
}
