import type { InjectOptions } from 'fastify'
import * as inputs from './inputs.ts'
import { formText, type Honest, requestOf, type Target } from './targets.ts'

export interface Attack {
  readonly title: string
  readonly request: InjectOptions
  /** A success would be wrong. Otherwise what is sent may turn out to be harmless. */
  readonly refused: boolean
  /** It may miss every scope, and is then refused as what is nowhere. */
  readonly elsewhere?: boolean
}

const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'
const MEGABYTE = 1_100_000

/** Everything hostile that can be sent to a target. */
export function attacksOn(target: Target, honest: Honest): Attack[] {
  return [
    ...(target.body === undefined ? [] : bodies(target, honest)),
    ...members(target, honest),
    ...addresses(target, honest),
    ...headers(target, honest),
  ]
}

function bodies(target: Target, honest: Honest): Attack[] {
  const { url, headers = {} } = honest
  const reads = Object.keys(honest.members).length > 0 && !target.all_optional
  const attack = (title: string, payload: string | Buffer, type?: string, refused = reads): Attack => ({
    title,
    request: {
      method: target.method,
      url,
      headers: { ...headers, ...(type === undefined ? {} : { 'content-type': type }) },
      payload,
    },
    refused,
  })
  const isForm = target.body === 'form'
  const type = isForm ? FORM : JSON_TYPE
  const payload = isForm ? formText(honest.members) : JSON.stringify(honest.members)
  const name = (body: string | Buffer) => `body ${JSON.stringify(body.toString().slice(0, 40))}`
  // A rotation needs no body.
  const optional = target.route === '/admin/api/keys/rotate'
  return [
    ...inputs.contentTypes.map((other) => attack(`content type ${other.slice(0, 40)}`, payload || 'x', other, true)),
    attack('no content type', payload || 'x', undefined, true),
    attack('a megabyte', `a=${'x'.repeat(MEGABYTE)}`, type, true),
    attack('a megabyte of JSON', `{"a":"${'x'.repeat(MEGABYTE)}"}`, type, true),
    ...(isForm ? [attack('JSON for a form', '{"a":"b"}', JSON_TYPE, true)] : []),
    ...(target.body === 'json' ? [attack('a form for JSON', 'a=b', FORM, true)] : []),
    ...(isForm || target.body === 'either'
      ? inputs.brokenForms.map((body) => attack(`form ${name(body)}`, body, FORM))
      : []),
    ...(isForm
      ? []
      : inputs.brokenJson.map((body) => attack(name(body), body, JSON_TYPE, reads && !(optional && body === 'null')))),
  ]
}

function members(target: Target, honest: Honest): Attack[] {
  const { url, headers = {} } = honest
  const names = Object.keys(honest.members)
  const { method } = target
  const change = (title: string, changed: Honest['members']): Attack => ({
    title,
    request: requestOf(target, honest, changed),
    refused: false,
  })
  const asForm = (title: string, text: string, refused = false): Attack => {
    if (target.body === undefined) {
      return { title, request: { method, url: `${url}${url.includes('?') ? '&' : '?'}${text}`, headers }, refused }
    }
    return { title, request: { method, url, headers: { ...headers, 'content-type': FORM }, payload: text }, refused }
  }
  const asJson = (title: string, payload: string): Attack => ({
    title,
    request: { method, url, headers: { ...headers, 'content-type': JSON_TYPE }, payload },
    refused: false,
  })
  const missing = names.map((name) => {
    const { [name]: _, ...others } = honest.members
    return change(`without ${name}`, others)
  })
  const whole = formText(honest.members)
  const inForms = names.flatMap((name) => {
    const { [name]: _, ...others } = honest.members
    const rest = formText(others)
    return [
      // RFC 6749 §3.2: request parameters MUST NOT be included more than once.
      asForm(`${name} twice`, `${whole}&${name}=x`, target.refusal === 'oauth'),
      asForm(`${name}[]`, `${rest}&${name}[]=x&${name}[a]=y`),
      ...inputs.formValues.map((value) => asForm(`${name}=${value.slice(0, 40)}`, `${rest}&${name}=${value}`)),
    ]
  })
  const inJson = names.flatMap((name) => {
    const { [name]: _, ...others } = honest.members
    const rest = JSON.stringify(others).slice(1, -1)
    const text = (value: string) => `{${rest}${rest === '' ? '' : ','}${JSON.stringify(name)}:${value}}`
    return [
      asJson(`${name} twice`, text(`"x",${JSON.stringify(name)}:{}`)),
      ...inputs.jsonValues.map((value) => asJson(`${name}: ${value.slice(0, 40)}`, text(value))),
    ]
  })
  return [
    ...missing,
    ...(target.body === 'json' ? [] : inForms),
    ...(target.body === 'json' || target.body === 'either' ? inJson : []),
    ...(target.body === undefined ? [asForm('a member of every object', '__proto__=x&constructor=y&a[b]=c&%=%')] : []),
  ]
}

function addresses(target: Target, honest: Honest): Attack[] {
  const request = requestOf(target, honest)
  const at = (url: string, refused = false): Attack => ({
    title: `address ${url.slice(0, 80)}`,
    request: { ...request, url },
    refused,
    elsewhere: true,
  })
  const { url } = honest
  const named = target.route.split('/').findIndex((part) => part.startsWith(':'))
  const parts = url.split('/')
  const replaced = named === -1 ? [] : inputs.segments.map((segment) => parts.with(named, segment).join('/'))
  const { MARK } = inputs
  const secrets = `client_id=service&client_secret=${MARK}&token=${MARK}&access_token=${MARK}&password=${MARK}`
  const [path = ''] = url.split('?')
  return [
    ...replaced.map((other) => at(other, true)),
    ...['%00', '%ff', '%', '/%2e%2e/%2e%2e', ';x=y', '/x', '%0d%0aset-cookie:a=b', '\u00e9'].map((end) =>
      at(path + end),
    ),
    ...[`/${path}`, `${path}/`, path.toUpperCase(), `/.${path}`, `/x/..${path}`].map((other) => at(other)),
    { ...at(`${path}?${secrets}`), request: { method: target.method, url: `${path}?${secrets}` } },
    { ...at(`${path}?%&=&&${secrets}#${MARK}`), request: { method: target.method, url: `${path}?%&=&&${secrets}` } },
  ]
}

/** Headers that are read, reflected or written down somewhere in most servers. */
const NAMES = [
  'user-agent',
  'referer',
  'origin',
  'cookie',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'forwarded',
  'x-request-id',
  'x-http-method-override',
  'accept',
  'accept-version',
  'accept-encoding',
  'if-none-match',
  'range',
  'content-encoding',
  'sec-fetch-site',
]

function headers(target: Target, honest: Honest): Attack[] {
  // Where the honest request has a password hashed, one without members will do.
  const request = requestOf(target, honest, target.hashes ? {} : honest.members)
  const guarded = honest.headers?.authorization !== undefined && target.route !== '/admin/api/openapi.json'
  const { authorization: _, ...bare } = request.headers ?? {}
  const attack = (name: string, value: string, refused = false): Attack => ({
    title: `${name}: ${value.slice(0, 60)}`,
    request: { ...request, headers: { ...request.headers, [name]: value } },
    refused,
  })
  return [
    ...inputs.authorizations.map((value) => attack('authorization', value, guarded)),
    ...(guarded ? [{ title: 'no authorization', request: { ...request, headers: bare }, refused: true }] : []),
    ...NAMES.flatMap((name) => [
      attack(name, 'odd\r\nset-cookie: a=b'),
      attack(name, '\u001b[31m"odd\u00e9'),
      attack(name, 'x'.repeat(9000)),
    ]),
  ]
}
