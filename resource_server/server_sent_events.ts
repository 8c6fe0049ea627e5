/**
 * Reads server-sent events.
 *
 * @see [HTML §9.2.6](https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation)
 */
export interface ServerSentEvent {
  readonly event: string
  readonly data: string
}

export interface EventReader {
  /** @returns the events that this piece completes. @throws when one is longer than an event may be */
  read(text: string): ServerSentEvent[]
  /** The last `id` that was given. */
  readonly last_event_id: string | undefined
}

const MAX_EVENT_CHARACTERS = 64 * 1024

export function eventReader(last_event_id?: string): EventReader {
  let rest = ''
  let event = ''
  let data: string[] = []
  let id = last_event_id

  function readLine(line: string): ServerSentEvent | undefined {
    if (line === '') {
      const complete =
        data.length === 0 ? undefined : { event: event === '' ? 'message' : event, data: data.join('\n') }
      event = ''
      data = []
      return complete
    }
    const [, name = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (name === 'event') event = value
    if (name === 'data') data.push(value)
    if (name === 'id' && !value.includes('\0')) id = value
    return undefined
  }

  return {
    read(text) {
      rest += text
      // A carriage return at the end may be the first half of a line break.
      const lines = rest.split(/\r\n|\n|\r(?!$)/)
      rest = lines.pop() ?? ''
      const events = lines.map(readLine).filter((complete) => complete !== undefined)
      const waiting = rest.length + data.reduce((sum, line) => sum + line.length, 0)
      if (waiting > MAX_EVENT_CHARACTERS) throw new Error('an event is too long')
      return events
    },
    get last_event_id() {
      return id
    },
  }
}
