import { isIP } from 'node:net'
import type { Setting } from './settings.ts'

/**
 * What is wrong with one value, as the end of a sentence that begins with its name; undefined: nothing.
 * Never quotes a text, because a text may be a secret.
 */
export function faultOf(setting: Setting, value: unknown): string | undefined {
  if (value === null && setting.nullable) return undefined
  switch (setting.kind) {
    case 'integer':
      return faultOfInteger(setting, value)
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `must be true or false, not ${nameOf(value)}`
    case 'choice':
      return typeof value === 'string' && setting.choices.includes(value)
        ? undefined
        : `must be one of ${setting.choices.join(', ')}`
    case 'list':
      return faultOfList(setting, value)
    case 'text':
      return typeof value === 'string' ? faultOfText(setting, value) : `must be a text, not ${nameOf(value)}`
  }
}

function faultOfInteger(
  { minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: Setting,
  value: unknown,
): string | undefined {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) return `must be a whole number, not ${nameOf(value)}`
  if (value < minimum) return `must be at least ${minimum}, not ${value}`
  return value > maximum ? `must be at most ${maximum}, not ${value}` : undefined
}

function faultOfList(setting: Setting, value: unknown): string | undefined {
  if (!Array.isArray(value)) {
    // A number of hops or `true` would let a client write its own address (fastify's `trustProxy` takes both).
    const why = setting.format === 'cidr' && (value === true || typeof value === 'number')
    return `must be a list, not ${nameOf(value)}${why ? ': it would believe an address that the client made up' : ''}`
  }
  for (const item of value) {
    const fault = typeof item === 'string' ? faultOfText(setting, item) : `holds ${nameOf(item)}, not a text`
    if (fault !== undefined) return fault
  }
  return undefined
}

function faultOfText(setting: Setting, value: string): string | undefined {
  if (value === '') return 'must not be empty'
  if (value.length > (setting.max_length ?? 2048))
    return `must be at most ${setting.max_length ?? 2048} characters long`
  if (/\p{Cc}/u.test(value)) return 'must not hold control characters'
  if (setting.pattern !== undefined && !new RegExp(setting.pattern, 'u').test(value))
    return `must match ${setting.pattern}`
  if (setting.format === 'cidr') return faultOfCidr(value)
  if (setting.format === 'instant') return faultOfInstant(value)
  if (setting.format === 'origin') return faultOfOrigin(value)
  if (setting.format === 'secure_origin') return faultOfOrigin(value) ?? faultOfSecureOrigin(value)
  if (setting.format === 'https_url') return faultOfHttpsUrl(value)
  if (setting.format === 'resource') return faultOfResource(value)
  if (setting.path === 'issuer') return faultOfIssuer(value)
  return setting.path === 'database' ? faultOfDatabase(value) : undefined
}

function faultOfCidr(value: string): string | undefined {
  const [address = '', bits, ...rest] = value.split('/')
  const version = isIP(address)
  const most = version === 6 ? 128 : 32
  if (version === 0 || rest.length > 0) return `must hold addresses or CIDR ranges; '${value}' is neither`
  if (bits === undefined) return undefined
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > most) return `holds '${value}', whose prefix length is not 1 to ${most}`
  return Number(bits) === 0 ? `holds '${value}', which is everyone: name the proxies` : undefined
}

function faultOfInstant(value: string): string | undefined {
  const at = new Date(value)
  const canonical = Number.isNaN(at.getTime()) ? '' : at.toISOString().replace('.000Z', 'Z')
  return value === canonical ? undefined : 'must be an instant in UTC, as 2026-12-31T00:00:00Z'
}

function faultOfOrigin(value: string): string | undefined {
  const url = URL.parse(value)
  if (url !== null && /^https?:$/.test(url.protocol) && url.origin === value) return undefined
  return `must hold origins (scheme, host and port, nothing else); '${value}' is none`
}

function faultOfSecureOrigin(value: string): string | undefined {
  const { protocol, hostname } = new URL(value)
  if (protocol === 'https:' || isLoopback(hostname)) return undefined
  return `must hold https origins: over http, anyone on the way has the cookie ('${value}'; http is for localhost only)`
}

function faultOfHttpsUrl(value: string): string | undefined {
  const protocol = URL.parse(value)?.protocol
  return protocol === 'https:' || protocol === 'http:' ? undefined : `must hold URLs; '${value}' is none`
}

// RFC 8707 §2: an absolute URI without a fragment.
function faultOfResource(value: string): string | undefined {
  return URL.canParse(value) && !value.includes('#') ? undefined : 'must be an absolute URI without a fragment'
}

// OpenID Connect Discovery §3, RFC 8414 §2: no query and no fragment. Verifiers compare it as a string.
function faultOfIssuer(value: string): string | undefined {
  const url = URL.parse(value)
  if (url === null || !/^https?:$/.test(url.protocol)) return 'must be an https URL'
  if (url.username !== '' || url.password !== '') return 'must not hold a user name or a password'
  if (value.includes('?') || value.includes('#')) return 'must have no query and no fragment'
  if (value.endsWith('/')) return `must not end with a slash: write ${value.replace(/\/+$/, '')}`
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    return 'must be https: over http, anyone on the way reads the passwords (http is for localhost only)'
  }
  const canonical = url.href.replace(/\/$/, '')
  return value === canonical ? undefined : `must be written as verifiers will: ${canonical}`
}

function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(\.\d+){3}$/.test(hostname)
  )
}

function faultOfDatabase(value: string): string | undefined {
  if (/^sqlite:./.test(value)) return undefined
  const url = /^postgres(ql)?:\/\//.test(value) ? URL.parse(value) : null
  return url === null ? 'must be sqlite:PATH or postgres://user:password@host/name' : undefined
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (typeof value === 'number' || typeof value === 'boolean') return `${value}`
  if (typeof value === 'string') return 'a text'
  return Array.isArray(value) ? 'a list' : 'a group of keys'
}
