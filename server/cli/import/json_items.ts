/** The objects of a JSON array, one after the other, without the array ever being in memory. */

const LONGEST_ITEM = 1024 * 1024

/** Characters of a JSON text that mean something outside of its strings. */
const MARKS = /["{}[\]]/g
const END_OF_STRING = /["\\]/g

/**
 * @param chunks the text, cut anywhere
 * @param member of the document, whose value the array is; undefined: the document is the array
 * @yields the text of each object of the array
 * @throws RangeError when one has more than a million characters
 */
export async function* jsonItems(chunks: AsyncIterable<string>, member: string | undefined): AsyncGenerator<string> {
  // Brackets that are open around an item.
  const around = member === undefined ? 1 : 2
  let depth = 0
  let in_string = false
  let escaped = false
  /** Of the string at depth 1 that ended last: a key, if it is followed by a bracket. */
  let key = ''
  let in_array = false
  let item: string | undefined

  for await (const chunk of chunks) {
    let from = item === undefined ? -1 : 0
    let string_from = 0
    let at = 0
    const collect = (until: number) => {
      if (from >= 0) item = (item ?? '') + chunk.slice(from, until)
      if ((item?.length ?? 0) > LONGEST_ITEM) throw new RangeError('an account has more than a million characters')
    }
    while (at < chunk.length) {
      if (in_string) {
        if (escaped) {
          escaped = false
          at += 1
          continue
        }
        END_OF_STRING.lastIndex = at
        const found = END_OF_STRING.exec(chunk)
        if (depth === 1) key += chunk.slice(string_from, found?.index ?? chunk.length)
        if (found === null) break
        at = found.index + 1
        string_from = at
        if (found[0] === '\\') escaped = true
        else in_string = false
        continue
      }
      MARKS.lastIndex = at
      const found = MARKS.exec(chunk)
      if (found === null) break
      at = found.index + 1
      switch (found[0]) {
        case '"':
          in_string = true
          string_from = at
          if (depth === 1) key = ''
          break
        case '[':
        case '{':
          if (in_array && depth === around && found[0] === '{') {
            item = ''
            from = found.index
          }
          depth += 1
          if (found[0] === '[' && depth === around && (member === undefined || key === member)) in_array = true
          break
        default:
          depth -= 1
          if (depth < around) in_array = false
          if (depth === around && item !== undefined) {
            collect(at)
            yield item ?? ''
            item = undefined
            from = -1
          }
      }
    }
    collect(chunk.length)
  }
  if (depth !== 0 || in_string) throw new SyntaxError('the JSON document ends too early')
}
