import { type Html, html } from '../html.ts'

/** One labelled input. `name` is its id, too, and what a test or a password manager finds it by: it stays. */
export interface Field {
  readonly name: string
  readonly label: string
  readonly type: 'text' | 'email' | 'password'
  /** @see [HTML Standard §4.10.18.7](https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#autofill-field) */
  readonly autocomplete: string
  readonly optional?: boolean
  readonly hint?: string
  /** What was entered before. Never a password. */
  readonly value?: string
  /** Why what was entered cannot be taken. */
  readonly problem?: string | undefined
}

/** @see [WCAG 2.2 §3.3](https://www.w3.org/TR/WCAG22/#input-assistance): labels, hints and problems belong to inputs */
export function field({ name, label, type, autocomplete, optional, hint, value, problem }: Field): Html {
  // A problem says what its hint says, and more.
  const [note, kind] = problem === undefined ? [hint, 'hint'] : [problem, 'problem']
  return html`<div class="field">
<label for="${name}">${label}${optional && html` <span>(optional)</span>`}</label>
${note && html`<p class="${kind}" id="${name}-${kind}">${note}</p>`}
<div class="input"><input id="${name}" name="${name}" type="${type}" autocomplete="${autocomplete}" autocapitalize="none"
 spellcheck="false"${value && html` value="${value}"`}${!optional && html` required`}${
   note && html` aria-describedby="${name}-${kind}"`
 }${problem && html` aria-invalid="true"`}></div>
</div>`
}

/**
 * All problems of a form at its top, each a link to its input. It takes the focus when the page opens, so that a screen
 * reader starts there and the next Tab goes to the first link.
 */
export function problemSummary(fields: readonly Field[]): Html | undefined {
  const wrong = fields.filter(({ problem }) => problem !== undefined)
  if (wrong.length === 0) return undefined
  return html`<div class="summary" role="alert" tabindex="-1" autofocus>
<h2>Check this and try again</h2>
<ul>${wrong.map(({ name, label, problem }) => html`<li><a href="#${name}">${label}: ${problem}</a></li>`)}</ul>
</div>`
}
