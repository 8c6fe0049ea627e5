/**
 * Pages as tagged templates. What stands in the template is ours and is markup; what is put in is text, and is escaped.
 * There is no other way in.
 *
 * @see [HTML Standard §13.3](https://html.spec.whatwg.org/multipage/parsing.html#escapingString) escaping a string
 */
const MARKUP = Symbol('markup')

/** Markup that is safe to send. Only {@link html} makes it: the symbol cannot come from a request. */
export interface Html {
  readonly [MARKUP]: string
}

/** What a template takes: markup as it is, text escaped, lists one after another; the rest is nothing at all. */
export type Content = Html | string | number | null | undefined | false | readonly Content[]

const UNQUOTED = /\s[^\s"'<>=]+=$/

/**
 * Text between tags and inside quoted attributes is safe; nothing else is, so an unquoted attribute throws.
 *
 * @throws {TypeError} when a value would stand in an attribute without quotes
 */
export function html(template: TemplateStringsArray, ...contents: readonly Content[]): Html {
  let markup = ''
  for (const [index, ours] of template.entries()) {
    if (index < contents.length && UNQUOTED.test(ours)) throw new TypeError('an attribute of a template needs quotes')
    markup += ours + markupOf(contents[index])
  }
  return { [MARKUP]: markup }
}

/** The markup as text, to be sent. */
export function render(content: Html): string {
  return content[MARKUP]
}

function markupOf(content: Content): string {
  if (content === null || content === undefined || content === false) return ''
  if (typeof content === 'number') return String(content)
  if (typeof content === 'string') return escapeText(content)
  if (isHtml(content)) return content[MARKUP]
  return content.map(markupOf).join('')
}

function isHtml(content: Html | readonly Content[]): content is Html {
  return MARKUP in content
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '')
}
