/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  /** The key: `tokens.access_token_seconds`; empty when it is the file itself. */
  readonly path: string
  /** Where it was written: `gatehouse.yaml:3`, `GATEHOUSE_PORT`, `--port`. */
  readonly source: string
  /** The end of a sentence that begins with the key. */
  readonly message: string
  /** The name that was probably meant. */
  readonly suggestion?: string
  /** How it could be written, in the manner of its source. */
  readonly example?: string
}

/** The configuration cannot be used. Its message tells all that is wrong with it, for a person to read. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
    super([`The configuration has ${count}:`, ...problems.map(paragraph)].join('\n\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

function paragraph({ path, source, message, suggestion, example }: ConfigProblem): string {
  const lines = [`  ${source}`, `    ${[path, message].filter((part) => part !== '').join(' ')}`]
  if (suggestion !== undefined) lines.push(`    Did you mean ${suggestion}?`)
  if (example !== undefined) lines.push(`    For example: ${example}`)
  return lines.join('\n')
}

/**
 * The known name that an unknown one was probably meant to be; undefined when none is near.
 * A key at the wrong level (`port` for `http.port`) is as near as a key with one wrong letter.
 */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: { name: string; distance: number } | undefined
  for (const candidate of known) {
    const distance = Math.min(editDistance(name, candidate), 1 + editDistance(lastPart(name), lastPart(candidate)))
    if (distance < (best?.distance ?? Number.POSITIVE_INFINITY)) best = { name: candidate, distance }
  }
  return best !== undefined && best.distance <= Math.max(2, name.length / 4) ? best.name : undefined
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

/** Levenshtein's distance: how many letters to insert, delete or replace. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[to.length] ?? 0
}
