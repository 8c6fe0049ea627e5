/** A browser without script: it keeps cookies, follows redirects at home, and sends the forms that it was shown. */
import { createHash, randomBytes } from 'node:crypto'
import type { Client } from '../../server/protocol/client.ts'
import { PASSWORD } from './app.ts'

type Headers = Readonly<Record<string, string | number | readonly string[] | undefined>>

/** What a browser talks to: a `TestApp`, or anything that sends requests to a server. */
export interface Site {
  readonly issuer: string
  inject(request: {
    method: 'GET' | 'POST'
    url: string
    headers: Record<string, string>
    payload?: string
  }): Promise<{ statusCode: number; headers: Headers; body: string }>
}

/** Where a navigation ended: a page at home, or the address of another site that it was sent to. */
export interface Landing {
  /** Of the page; for another site, the whole of what it was sent. */
  readonly url: URL
  readonly left: boolean
  readonly statusCode: number
  readonly headers: Headers
  readonly body: string
}

export interface Browser {
  /** By name. */
  readonly cookies: Map<string, string>
  open(url: string, headers?: Record<string, string>): Promise<Landing>
  post(url: string, form: Record<string, string>, headers?: Record<string, string>): Promise<Landing>
  /** Sends the form of a page: its hidden fields, and `values`. */
  submit(page: Landing, values: Record<string, string>): Promise<Landing>
}

const MAX_REDIRECTS = 10

export function createBrowser(site: Site): Browser {
  const cookies = new Map<string, string>()
  const home = new URL(site.issuer).origin

  async function send(method: 'GET' | 'POST', url: URL, headers: Record<string, string>, payload?: string) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await site.inject({
      method,
      url: `${url.pathname}${url.search}`,
      headers: { ...(cookie === '' ? {} : { cookie }), ...headers },
      ...(payload === undefined ? {} : { payload }),
    })
    for (const line of [response.headers['set-cookie'] ?? []].flat()) keep(String(line))
    return response
  }

  function keep(line: string): void {
    const [pair = ''] = line.split(';')
    const at = pair.indexOf('=')
    if (/;\s*max-age=0(;|$)/i.test(line)) cookies.delete(pair.slice(0, at))
    else cookies.set(pair.slice(0, at), pair.slice(at + 1))
  }

  async function navigate(
    method: 'GET' | 'POST',
    to: string,
    headers: Record<string, string>,
    payload?: string,
  ): Promise<Landing> {
    let url = new URL(to, site.issuer)
    let { statusCode, headers: received, body } = await send(method, url, headers, payload)
    for (let redirects = 0; typeof received.location === 'string'; redirects += 1) {
      if (redirects === MAX_REDIRECTS) throw new Error(`redirected in circles, last to ${url.href}`)
      url = new URL(received.location, url)
      if (url.origin !== home) return { url, left: true, statusCode, headers: received, body }
      ;({ statusCode, headers: received, body } = await send('GET', url, {}))
    }
    return { url, left: false, statusCode, headers: received, body }
  }

  const browser: Browser = {
    cookies,
    open: (url, headers = {}) => navigate('GET', url, headers),
    post: (url, form, headers = {}) =>
      navigate(
        'POST',
        url,
        {
          'content-type': 'application/x-www-form-urlencoded',
          origin: home,
          'sec-fetch-site': 'same-origin',
          ...headers,
        },
        new URLSearchParams(form).toString(),
      ),
    submit: (page, values) => {
      const { action, fields } = formIn(page.body)
      return browser.post(new URL(action, page.url).href, { ...fields, ...values })
    },
  }
  return browser
}

/** The one form of a page: where it goes, and what its hidden fields and filled inputs hold. */
export function formIn(body: string): { action: string; fields: Record<string, string> } {
  const [, attributes = '', content = ''] = /<form\b([^>]*)>([\s\S]*?)<\/form>/.exec(body) ?? []
  if (attributes === '') throw new Error(`there is no form in: ${body.slice(0, 2000)}`)
  const inputs = [...content.matchAll(/<input\b([^>]*)>/g)].map(([, input = '']) => input)
  const filled = inputs.filter((input) => attribute(input, 'type') !== 'checkbox' || /\schecked\b/.test(input))
  const fields = filled.flatMap((input) => {
    const [name, value] = [attribute(input, 'name'), attribute(input, 'value')]
    return name === undefined || value === undefined ? [] : [[name, value]]
  })
  return { action: attribute(attributes, 'action') ?? '', fields: Object.fromEntries(fields) }
}

function attribute(tag: string, name: string): string | undefined {
  return new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]?.replace(/&(amp|lt|gt|quot|#39);/g, (entity) => {
    return { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"' }[entity] ?? "'"
  })
}

/** What the person does on the way; they approve unless told otherwise. */
export interface Person {
  readonly username?: string
  readonly password?: string
  readonly decision?: 'approve' | 'deny'
  readonly remember?: boolean
}

const MAX_PAGES = 5

/** Opens an address and does what the pages ask for, until the browser is sent away or nothing is asked any more. */
export async function signInThroughPages(browser: Browser, url: string, person: Person = {}): Promise<Landing> {
  const { username = 'alice', password = PASSWORD, decision = 'approve', remember = false } = person
  let landing = await browser.open(url)
  for (let pages = 0; pages < MAX_PAGES && !landing.left && landing.statusCode === 200; pages += 1) {
    if (landing.body.includes('id="login-submit"')) {
      landing = await browser.submit(landing, { username, password, ...(remember && { remember: 'true' }) })
    } else if (landing.body.includes('id="consent-approve"')) {
      landing = await browser.submit(landing, { decision })
    } else if (landing.body.includes('id="select-continue"')) {
      landing = await browser.submit(landing, { choice: 'continue' })
    } else break
  }
  return landing
}

/** The address of an authorization request with everything in order; `parameters` change or (undefined) take away. */
export function authorizationUrl(
  site: Pick<Site, 'issuer'>,
  client: Pick<Client, 'client_id' | 'redirect_uris'>,
  parameters: Record<string, string | undefined> = {},
): { url: string; code_verifier: string; redirect_uri: string } {
  const code_verifier = randomBytes(32).toString('base64url')
  const redirect_uri = parameters.redirect_uri ?? client.redirect_uris[0] ?? ''
  const all = {
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri,
    scope: 'openid',
    state: 'the state',
    code_challenge: createHash('sha256').update(code_verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...parameters,
  }
  const given = Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return { url: `${site.issuer}/authorize?${new URLSearchParams(given).toString()}`, code_verifier, redirect_uri }
}

export interface CodeFlow {
  readonly code: string
  readonly code_verifier: string
  readonly redirect_uri: string
  /** Everything in the answer. */
  readonly answer: URLSearchParams
  readonly browser: Browser
}

/** From the client's request to the code: the account has to exist, `alice` unless `person` is somebody else. */
export async function authorizationCodeFlow(
  site: Site,
  flow: {
    readonly client: Pick<Client, 'client_id' | 'redirect_uris'>
    readonly parameters?: Record<string, string | undefined>
    readonly person?: Person
    /** One that is signed in already, perhaps. */
    readonly browser?: Browser
  },
): Promise<CodeFlow> {
  const { client, parameters, person, browser = createBrowser(site) } = flow
  const { url, code_verifier, redirect_uri } = authorizationUrl(site, client, parameters)
  const landing = await signInThroughPages(browser, url, person)
  const answer = landing.url.searchParams
  const code = answer.get('code')
  if (!landing.left || code === null)
    throw new Error(`no code: ${landing.statusCode} ${landing.url.href} ${landing.body}`)
  return { code, code_verifier, redirect_uri, answer, browser }
}

/** A client for the code flow, to be given to `createClient`. */
export const WEB_CLIENT = {
  client_id: 'web',
  redirect_uris: ['https://app.example/callback'],
  response_types: ['code'],
  grant_types: ['authorization_code', 'refresh_token'],
  scope: 'openid profile email offline_access',
} as const satisfies Partial<Client>
