import { type Content, type Html, html } from '../html.ts'
import type { Messages } from '../locales/messages.ts'

/** One labelled input. `name` is its id, too, and what a test or a password manager finds it by: it stays. */
export interface Field {
  readonly name: string
  readonly label: string
  readonly type: 'text' | 'email' | 'password'
  /** @see [HTML Standard §4.10.18.7](https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#autofill-field) */
  readonly autocomplete: string
  readonly autocapitalize?: 'none' | 'characters'
  readonly optional?: boolean
  /** Shown and sent, but not to be changed. */
  readonly fixed?: boolean | undefined
  /** Takes the focus when the page opens. */
  readonly autofocus?: boolean | undefined
  readonly hint?: string
  /** What was entered before. Never a password. */
  readonly value?: string | undefined
  /** Why what was entered cannot be taken. */
  readonly problem?: string | undefined
  /** The id of what else is to be read with it. */
  readonly described_by?: string | undefined
  /** A link beside the label. */
  readonly aside?: { readonly href: string; readonly text: string } | undefined
}

/** @see [WCAG 2.2 §3.3](https://www.w3.org/TR/WCAG22/#input-assistance): labels, hints and problems belong to inputs */
export function field(words: Messages, { name, label, type, hint, value, problem, aside, ...more }: Field): Html {
  // A problem says what its hint says, and more.
  const [note, kind] = problem === undefined ? [hint, 'hint'] : [problem, 'problem']
  const described_by = note === undefined ? more.described_by : `${name}-${kind}`
  return html`<div class="field">
<div class="label"><label for="${name}">${label}${more.optional && html` <span>${words.form.optional}</span>`}</label>${
    aside && html`<a href="${aside.href}">${aside.text}</a>`
  }</div>
${note && html`<p class="${kind}" id="${name}-${kind}">${note}</p>`}
<div class="input"><input id="${name}" name="${name}" type="${type}" autocomplete="${more.autocomplete}"
 autocapitalize="${more.autocapitalize ?? 'none'}" spellcheck="false"${[
   value && html` value="${value}"`,
   more.fixed && html` readonly`,
   !more.optional && html` required`,
   more.autofocus && html` autofocus`,
   described_by && html` aria-describedby="${described_by}"`,
   problem && html` aria-invalid="true"`,
   type === 'password' && revealing(words),
 ]}></div>
</div>`
}

/** What the script `show_password` writes on the button that it adds, which it knows no language for. */
function revealing({ form }: Messages): Html {
  return html` data-show="${form.show}" data-hide="${form.hide}"
 data-show-label="${form.show_password}" data-hide-label="${form.hide_password}"`
}

/** The title of a page that has a form: who reads with their ears hears first that something is wrong. */
export function titleOf({ common }: Messages, title: string, is_wrong: boolean): Content {
  return is_wrong ? common.error(title) : title
}

/**
 * All problems of a form at its top, each a link to its input. It takes the focus when the page opens, so that a screen
 * reader starts there and the next Tab goes to the first link.
 */
export function problemSummary({ form }: Messages, fields: readonly Field[]): Html | undefined {
  const wrong = fields.flatMap(({ name, label, problem }) => (problem === undefined ? [] : [{ name, label, problem }]))
  if (wrong.length === 0) return undefined
  return html`<div class="summary" role="alert" tabindex="-1" autofocus>
<h2>${form.check}</h2>
<ul>${wrong.map(({ name, label, problem }) => html`<li><a href="#${name}">${form.problem_of(label, problem)}</a></li>`)}</ul>
</div>`
}

/** What every step's form needs, wherever it is. */
export interface StepForm {
  /** The path that the form goes to. */
  readonly action: string
  readonly csrf_token: string
  /** Sent as `interaction`: the paused request that the step belongs to. */
  readonly interaction_id?: string | undefined
  /** Where the step may lead once it is done: the request's redirect URI (see `Page.form_action`). */
  readonly form_action?: readonly string[] | undefined
}

/** The one form of a step. */
export function stepForm({ action, csrf_token, interaction_id }: StepForm, content: Content): Html {
  return html`<form method="post" action="${action}">
${hiddenFields({ csrf_token, ...(interaction_id !== undefined && { interaction: interaction_id }) })}
${content}
</form>`
}

export function hiddenFields(values: Readonly<Record<string, string>>): Html[] {
  return Object.entries(values).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">\n`)
}
