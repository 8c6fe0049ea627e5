/** Markdown as the tests of the documentation need it: its fenced blocks, its links and its headings. */

export interface Block {
  readonly language: string
  readonly text: string
  /** What the comment before it says: `<!-- test: run NAME -->` is `run NAME`. */
  readonly tag: string | undefined
  /** The number of its first line, for messages. */
  readonly line: number
}

/** The fenced blocks of a document, in order. */
export function blocksOf(markdown: string): Block[] {
  const pattern = /(?:^<!-- test: (.+?) -->\n+)?^```(\w*)\n([\s\S]*?)^```$/gm
  return [...markdown.matchAll(pattern)].map(({ 0: whole, 1: tag, 2: language = '', 3: text = '', index }) => ({
    tag,
    language,
    text,
    line: markdown.slice(0, index + whole.indexOf('```')).split('\n').length,
  }))
}

/** Where the links and images of a document lead, without those inside code. */
export function linksOf(markdown: string): string[] {
  const prose = withoutCode(markdown)
  return [...prose.matchAll(/\]\(([^()\s]+)\)|<img [^>]*src="([^"]+)"/g)].map((match) => match[1] ?? match[2] ?? '')
}

/** The anchors of a document's headings, as GitHub makes them. */
export function anchorsOf(markdown: string): Set<string> {
  const headings = markdown.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#{1,6} (.+)$/gm)
  return new Set([...headings].map(([, heading = '']) => slug(heading)))
}

function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-')
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '')
}

/**
 * Whether an output has the shape that a document shows: the same lines but for ids, tokens and numbers. A line `…`
 * stands for any number of lines.
 *
 * @returns the first run of lines that is missing; undefined when all are there, in order
 */
export function missingFrom(output: string, documented: string): string | undefined {
  const lines = output.split('\n').map(shapeOf)
  let from = 0
  for (const part of documented.split(/^\s*…$/m)) {
    const wanted = part.replace(/^\n|\n$/g, '').split('\n')
    if (wanted.join('') === '') continue
    const shapes = wanted.map(shapeOf)
    const at = lines.findIndex((_, index) => index >= from && shapes.every((shape, i) => lines[index + i] === shape))
    if (at === -1) return wanted.join('\n')
    from = at + shapes.length
  }
  return undefined
}

/** A line without what differs from run to run. */
function shapeOf(line: string): string {
  return (
    line
      .trimEnd()
      .replace(/[\w-]{6,}…[\w-]*/g, '#')
      .replace(/[\w-]{20,}(\.[\w-]{20,})*/g, '#')
      .replace(/-[\da-f]{8}\b/g, '-#')
      // How long ago, or from now on, as the command line says it.
      .replace(/, (?:now|(?:in )?\d+ (?:d|h|min|s)(?: \d+ (?:h|min|s))?(?: ago)?)\)/g, ', #)')
      .replace(/\d+/g, '0')
      // Columns are as wide as what is in them.
      .replace(/(\S) {2,}/g, '$1  ')
  )
}

/** The names and types that a JSON value consists of, as far as a document shows them. */
export function jsonShape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(jsonShape)
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, jsonShape(of)]))
}
