import { html } from '../html.ts'
import { hiddenFields } from './form.ts'
import type { Page } from './layout.ts'

export interface FormPost {
  /** Verified: the target of the answer. */
  readonly redirect_uri: string
  readonly parameters: Readonly<Record<string, string>>
}

/** @see [OAuth 2.0 Form Post Response Mode](https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html) */
export function formPostPage({ redirect_uri, parameters }: FormPost): Page {
  return ({ common, form_post }) => ({
    title: form_post.title,
    content: html`<h1>${form_post.title}</h1>
<p>${form_post.lead}</p>
<form method="post" action="${redirect_uri}">
${hiddenFields(parameters)}<button>${common.continue}</button>
</form>`,
    scripts: ['submit_form'],
    form_action: [redirect_uri],
  })
}
