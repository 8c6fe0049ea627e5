import t from 'tap'
import { type LogoutDelivery, logoutTokenClaims, settleAttempt } from '../../server/protocol/logout.ts'

const NOW = 1_800_000_000
const claimed: LogoutDelivery = {
  session_id: 's',
  client_id: 'c',
  account_id: 'a',
  attempts: 1,
  next_attempt_at: NOW + 60,
  delivered_at: null,
  failed_at: null,
  last_error: null,
  created_at: NOW,
}
const failure = { outcome: 'failed', error: 'status 500' } as const

t.test('Back-Channel Logout 1.0 §2.4: the claims of a logout token, and never a nonce', async (t) => {
  const told = { iss: 'https://id.example', client_id: 'c', sub: 'a', session_id: 's', jti: 'j', now: NOW }
  t.strictSame(logoutTokenClaims(told), {
    iss: 'https://id.example',
    sub: 'a',
    aud: 'c',
    iat: NOW,
    exp: NOW + 120,
    jti: 'j',
    sid: 's',
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
  })
})

t.test('an attempt that is acknowledged settles the delivery', async (t) => {
  t.match(settleAttempt(claimed, { outcome: 'delivered' }, NOW), {
    session_id: 's',
    client_id: 'c',
    delivered_at: NOW,
    failed_at: null,
    last_error: null,
  })
})

t.test('a failed attempt is made again, later each time, for about a day', async (t) => {
  const waits: number[] = []
  let delivery = claimed
  let now = NOW
  for (;;) {
    const settled = settleAttempt(delivery, failure, now)
    t.equal(settled.last_error, 'status 500')
    t.equal(settled.delivered_at, null)
    if (settled.failed_at !== null) {
      t.equal(settled.failed_at, now)
      break
    }
    waits.push(settled.next_attempt_at - now)
    now = settled.next_attempt_at
    delivery = { ...delivery, attempts: delivery.attempts + 1 }
  }
  t.equal(waits[0], 5)
  t.strictSame(
    waits,
    [...new Set(waits)].sort((a, b) => a - b),
    'each wait is longer than the one before',
  )
  t.ok(now - NOW > 23 * 3600 && now - NOW <= 24 * 3600, `given up after ${now - NOW} s`)
})

t.test('where there is nobody to tell any more, the first attempt is the last', async (t) => {
  const settled = settleAttempt(claimed, { outcome: 'moot', error: 'the client is gone' }, NOW)
  t.match(settled, { failed_at: NOW, delivered_at: null, last_error: 'the client is gone' })
})
