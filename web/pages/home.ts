import { html } from '../html.ts'
import type { Page } from './layout.ts'

export interface Home {
  readonly login_href: string
  /** Where the demo is; undefined: there is none. */
  readonly demo_href: string | undefined
}

/** For who opens the issuer's own address. */
export function homePage({ login_href, demo_href }: Home): Page {
  return ({ common, home }) => ({
    title: home.title,
    content: html`<h1>${home.title}</h1>
<p class="lead">${home.lead}</p>
<p><a class="button" href="${login_href}">${common.sign_in}</a></p>
${demo_href && html`<p><a class="button quiet" href="${demo_href}">${home.demo}</a></p>`}`,
  })
}
