import { createHash, createHmac, createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { expiry } from '../../server/protocol/grant.ts'
import {
  decideRefresh,
  formatRefreshToken,
  parseRefreshToken,
  type RefreshPolicy,
} from '../../server/protocol/refresh_token.ts'
import { makeGrant } from '../helpers/grant.ts'

const NOW = 1_800_000_000
const macKey = { mac_key_id: 1, key: createSecretKey(Buffer.alloc(32, 1)) }
const findKey = (id: number) => (id === 1 ? macKey : undefined)
const grant_id = makeGrant().grant_id

t.test('a refresh token names its grant and generation, and is the same each time it is derived', async (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 49 - 1 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      (generation, id) => {
        const token = { grant_id: Buffer.from(id).toString('base64url'), generation }
        const text = formatRefreshToken(token, macKey)
        t.strictSame(parseRefreshToken(text, findKey), token)
        t.equal(formatRefreshToken(token, macKey), text)
      },
    ),
    { numRuns: 200 },
  )
})

t.test('RFC 6749 §10.4: a refresh token altered at any character is refused', async (t) => {
  const text = formatRefreshToken({ grant_id, generation: 300 }, macKey)
  for (let i = 0; i < text.length; i++) {
    for (const other of ['A', 'B', '-', '=', ' ', 'é']) {
      if (text[i] === other) continue
      t.equal(parseRefreshToken(text.slice(0, i) + other + text.slice(i + 1), findKey), undefined)
    }
    t.equal(parseRefreshToken(text.slice(0, i), findKey), undefined, 'cut short')
  }
})

t.test('a token whose checksum is right is still refused without the right MAC', async (t) => {
  const genuine = formatRefreshToken({ grant_id, generation: 1 }, macKey)
  const forge = (bytes: Buffer) => {
    const body = `gth_rt_${bytes.toString('base64url')}`
    return body + createHash('sha256').update(body).digest('base64url').slice(0, 6)
  }
  const bytes = Buffer.from(genuine.slice('gth_rt_'.length, -6), 'base64url')
  t.equal(forge(bytes), genuine, 'the forger knows the format')
  for (let i = 0; i < bytes.length; i++) {
    const forged = Buffer.from(bytes)
    forged.writeUInt8((forged.readUInt8(i) + 1) % 256, i)
    t.equal(parseRefreshToken(forge(forged), findKey), undefined)
  }
  const foreign = { mac_key_id: 1, key: createSecretKey(Buffer.alloc(32, 2)) }
  t.equal(parseRefreshToken(formatRefreshToken({ grant_id, generation: 1 }, foreign), findKey), undefined)
  const dropped = { mac_key_id: 2, key: macKey.key }
  t.equal(parseRefreshToken(formatRefreshToken({ grant_id, generation: 1 }, dropped), findKey), undefined)
})

t.test('a generation has one spelling, even under a genuine MAC', async (t) => {
  const padded = Buffer.concat([Buffer.of(1, 1), Buffer.from(grant_id, 'base64url'), Buffer.of(0x81, 0x00)])
  const mac = createHmac('sha256', macKey.key)
    .update('gatehouse refresh token\0')
    .update(padded)
    .digest()
    .subarray(0, 16)
  const body = `gth_rt_${Buffer.concat([padded, mac]).toString('base64url')}`
  const text = body + createHash('sha256').update(body).digest('base64url').slice(0, 6)
  t.equal(parseRefreshToken(text, findKey), undefined)
})

const standard: RefreshPolicy = {
  profile: 'standard',
  reuse_window_seconds: 30,
  idle_seconds: 86_400,
  access_token_seconds: 300,
}
const strict: RefreshPolicy = { ...standard, profile: 'strict', reuse_window_seconds: 0 }
const resilient: RefreshPolicy = { ...standard, profile: 'resilient', reuse_window_seconds: 60 }
const fixed: RefreshPolicy = { ...standard, profile: 'fixed', reuse_window_seconds: 0 }

interface Case {
  presented: number
  seconds_later: number
  policy?: RefreshPolicy
  bound?: boolean
  late_replay_generation?: number | null
}
/** The decision on a grant at generation 5, so many seconds after its last rotation. */
function decide({ presented, seconds_later, policy = standard, bound = false, late_replay_generation = null }: Case) {
  const grant = makeGrant({ generation: 5, rotated_at: NOW, late_replay_generation })
  return decideRefresh({ presented, grant, policy, bound, now: NOW + seconds_later })
}

t.test('the current token rotates, however early it comes', async (t) => {
  t.match(decide({ presented: 5, seconds_later: 0 }), { outcome: 'rotate', idle_expires_at: NOW + 86_400 })
  t.match(decide({ presented: 5, seconds_later: 1000, policy: strict }), { outcome: 'rotate' })
})

t.test('the previous token within the window gets the successor, and no longer-lived access token', async (t) => {
  t.strictSame(decide({ presented: 4, seconds_later: 29 }), { outcome: 'resend', access_token_not_after: NOW + 300 })
  t.strictSame(decide({ presented: 4, seconds_later: 29, bound: true }), {
    outcome: 'resend',
    access_token_not_after: NOW + 300,
  })
})

t.test('a window longer than an access token lives is kept all the same', async (t) => {
  const policy = { ...resilient, reuse_window_seconds: 3600 }
  t.strictSame(decide({ presented: 4, seconds_later: 3599, policy }), {
    outcome: 'resend',
    access_token_not_after: NOW + 3600,
  })
})

t.test('RFC 9700 §4.14.2: the previous token after the window revokes the grant of a public client', async (t) => {
  t.strictSame(decide({ presented: 4, seconds_later: 30 }), { outcome: 'revoke' })
  t.strictSame(
    decide({ presented: 4, seconds_later: 0, policy: strict }),
    { outcome: 'revoke' },
    'strict has no window',
  )
})

t.test('an older token revokes the grant of a public client at any time', async (t) => {
  for (const policy of [strict, standard, resilient]) {
    for (const presented of [3, 2, 0])
      t.strictSame(decide({ presented, seconds_later: 0, policy }), { outcome: 'revoke' })
  }
})

t.test('an old token from an authenticated caller is refused, and the grant lives on', async (t) => {
  const refusal = { outcome: 'refuse', reason: 'refresh token reused' }
  t.strictSame(decide({ presented: 3, seconds_later: 0, bound: true }), refusal)
  t.strictSame(decide({ presented: 4, seconds_later: 30, bound: true }), refusal)
  t.strictSame(decide({ presented: 4, seconds_later: 30, bound: true, policy: fixed }), refusal)
})

t.test('resilient: one late replay of the previous token is a lost response', async (t) => {
  t.strictSame(decide({ presented: 4, seconds_later: 5000, policy: resilient }), { outcome: 'resend_late' })
  t.strictSame(decide({ presented: 4, seconds_later: 5000, policy: resilient, late_replay_generation: 2 }), {
    outcome: 'resend_late',
  })
})

t.test('resilient: a second late replay, or one of what a late replay handed out, is a theft', async (t) => {
  for (const late_replay_generation of [4, 3]) {
    t.strictSame(decide({ presented: 4, seconds_later: 5000, policy: resilient, late_replay_generation }), {
      outcome: 'revoke',
    })
  }
})

t.test('fixed: the generation never moves', async (t) => {
  t.match(decide({ presented: 5, seconds_later: 10, policy: fixed, bound: true }), { outcome: 'touch' })
})

t.test('a generation that was never issued is refused loudly', async (t) => {
  t.strictSame(decide({ presented: 6, seconds_later: 0 }), {
    outcome: 'refuse',
    reason: 'not yet issued',
  })
})

t.test('lifetimes: idle and absolute end a grant, and rotation never extends the absolute one', async (t) => {
  const grant = makeGrant({ idle_expires_at: NOW + 100, absolute_expires_at: NOW + 150 })
  const decision = decideRefresh({ presented: 0, grant, policy: standard, bound: false, now: NOW + 99 })
  t.strictSame(decision, { outcome: 'rotate', idle_expires_at: NOW + 150 })
  t.equal(expiry(grant, NOW + 99), undefined)
  t.equal(expiry(grant, NOW + 100), 'expired (idle)')
  t.equal(expiry(grant, NOW + 150), 'expired (absolute)')
})
