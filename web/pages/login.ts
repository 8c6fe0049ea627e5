import { type Html, html } from '../html.ts'
import type { Messages, Said } from '../locales/messages.ts'
import { clientIn, clientLinks, clientName, type ShownClient } from './client.ts'
import { field, type StepForm, stepForm, titleOf } from './form.ts'
import type { Page } from './layout.ts'

export interface LoginForm extends StepForm {
  /** Who asked; left out when nobody did. */
  readonly client?: ShownClient | undefined
  readonly username?: string | undefined
  /** It has to be this one. */
  readonly username_fixed?: boolean | undefined
  /** Leads to this page without the fixed name. */
  readonly not_you_href?: string | undefined
  /** Somebody is signed in, and has to show it again. */
  readonly reauthenticate?: boolean | undefined
  /** Why it did not work. */
  readonly problem?: Said | undefined
  /** Whether there is somebody to answer `access_denied` to. */
  readonly can_cancel: boolean
  /** Whether `remember` is ticked; left out: it is not offered. */
  readonly remember?: boolean | undefined
}

/** Sends `username`, `password`, perhaps `remember=true`; or `cancel=true`. */
export function loginPage(form: LoginForm): Page {
  const { reauthenticate, problem, can_cancel, remember, form_action } = form
  return (words) => {
    const { common, login } = words
    const client = form.client && clientIn(words, form.client)
    return {
      title: titleOf(words, common.sign_in, problem !== undefined),
      content: html`<h1>${common.sign_in}</h1>
${client && html`<p class="lead">${common.to_continue_to(clientName(client))}</p>`}
${reauthenticate && html`<p>${login.again}</p>`}
${problem && html`<div class="summary" id="problem" role="alert" tabindex="-1" autofocus><p>${problem(words)}</p></div>`}
${stepForm(
  form,
  html`${fields(words, form)}
${remember !== undefined && rememberBox(words, remember)}
<button id="login-submit">${common.sign_in}</button>
${can_cancel && html`<button id="login-cancel" class="quiet" name="cancel" value="true" formnovalidate>${common.cancel}</button>`}`,
)}
${client && clientLinks(words, client)}`,
      scripts: ['show_password'],
      ...(form_action && { form_action }),
    }
  }
}

function fields(words: Messages, { username, username_fixed, not_you_href, problem }: LoginForm): Html[] {
  const { common, login } = words
  // Which of the two was wrong is not said: the problem belongs to both.
  const described_by = problem === undefined ? undefined : 'problem'
  return [
    field(words, {
      name: 'username',
      label: username_fixed ? common.username : login.username_or_email,
      type: 'text',
      autocomplete: 'username webauthn',
      value: username,
      fixed: username_fixed,
      autofocus: problem === undefined && !username,
      described_by,
      aside: username_fixed && not_you_href ? { href: not_you_href, text: login.not_you } : undefined,
    }),
    field(words, {
      name: 'password',
      label: common.password,
      type: 'password',
      autocomplete: 'current-password',
      autofocus: problem === undefined && Boolean(username),
      described_by,
    }),
  ]
}

function rememberBox({ login }: Messages, checked: boolean): Html {
  return html`<label class="check"><input type="checkbox" name="remember" value="true"${checked && html` checked`}>
<span>${login.remember}</span></label>`
}
