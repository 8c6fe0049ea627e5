import t from 'tap'
import { tooManyAttempts } from '../../web/pages/too_many_attempts.ts'

t.test('RFC 9110 §10.2.3: people read Retry-After in words, rounded up', async (t) => {
  const said: [number, string][] = [
    [0, '1 minute'],
    [1, '1 minute'],
    [60, '1 minute'],
    [61, '2 minutes'],
    [900, '15 minutes'],
    [3540, '59 minutes'],
    [3541, '1 hour'],
    [3600, '1 hour'],
    [3601, '2 hours'],
  ]
  for (const [seconds, words] of said) t.equal(tooManyAttempts(seconds), `Too many attempts. Try again in ${words}.`)
})
