import t from 'tap'
import type { AuthorizationRequest, Prompt } from '../../server/protocol/authorization_request.ts'
import { nextStep, type Situation } from '../../server/protocol/interaction.ts'
import { makeAccount, makeConsent, makeRequest, makeSession } from '../helpers/interaction.ts'

const NOW = 1_800_000_000
const PWD = 'urn:gatehouse:pwd'

const UNTOUCHED = {
  authenticated_at: null,
  selected_at: null,
  consented_at: null,
  consented_session_id: null,
  expires_at: NOW + 3600,
  created_at: NOW - 10,
}
const CLIENT = { client_id: 'web', origin: 'admin', first_party: false } as const
const SESSION = makeSession({ auth_time: NOW - 100 })

interface Change extends Partial<Omit<Situation, 'request' | 'interaction'>> {
  readonly request?: Partial<AuthorizationRequest>
  readonly interaction?: Partial<NonNullable<Situation['interaction']>>
}

/** Signed in 100 seconds ago, consent given before, nothing asked for in particular. */
function situation({ request, interaction, ...change }: Change = {}): Situation {
  return {
    request: makeRequest(request),
    client: CLIENT,
    session: SESSION,
    account: makeAccount(),
    subject: 'alice-subject',
    consent: makeConsent(),
    interaction: interaction && { ...UNTOUCHED, ...interaction },
    reachable_acr_values: [PWD],
    now: NOW,
    ...change,
  }
}

/** The step, or the error of a refusal. */
function step(change?: Change): string {
  const next = nextStep(situation(change))
  return next.step === 'refuse' ? next.error.code : next.step
}

const NOBODY = { session: undefined, account: undefined, subject: undefined, consent: undefined }

t.test('OpenID Connect Core §3.1.2.1: prompt × session × consent × max_age', async (t) => {
  const sessions = { none: NOBODY, old: {}, young: { session: makeSession({ auth_time: NOW - 5 }) } }
  const consents = { given: {}, missing: { consent: undefined } }
  // Rows: prompt; columns: nobody, an old session and a young one, each with consent and without; max_age is 50.
  const table: [Prompt[], number | null, string][] = [
    [[], null, 'login login | issue consent | issue consent'],
    [[], 50, 'login login | login login | issue consent'],
    [[], 0, 'login login | login login | login login'],
    [['none'], null, 'login_required login_required | issue consent_required | issue consent_required'],
    [['none'], 50, 'login_required login_required | login_required login_required | issue consent_required'],
    [['none'], 0, 'login_required login_required | login_required login_required | login_required login_required'],
    [['login'], null, 'login login | login login | login login'],
    [['login'], 50, 'login login | login login | login login'],
    [['consent'], null, 'login login | consent consent | consent consent'],
    [['consent'], 50, 'login login | login login | consent consent'],
    [['select_account'], null, 'login login | select_account select_account | select_account select_account'],
    [['select_account'], 50, 'login login | login login | select_account select_account'],
    [['login', 'consent'], null, 'login login | login login | login login'],
    [
      ['select_account', 'consent'],
      null,
      'login login | select_account select_account | select_account select_account',
    ],
  ]
  for (const [prompt, max_age, expected] of table) {
    const found = Object.values(sessions).map((session) =>
      Object.values(consents)
        .map((consent) => step({ ...consent, ...session, request: { prompt, max_age } }))
        .join(' '),
    )
    t.equal(found.join(' | '), expected, `prompt=${prompt.join(' ')} max_age=${max_age}`)
  }
})

t.test('the session that the answer is about comes with the decision', async (t) => {
  t.match(nextStep(situation()), { step: 'issue', session: { session_id: SESSION.session_id } })
})

t.test('prompt=login and max_age are met by a sign-in for this request, and by no other', async (t) => {
  for (const request of [{ prompt: ['login'] as const }, { max_age: 0 }, { max_age: 50 }]) {
    const fresh = { session: makeSession({ auth_time: NOW - 5 }) }
    t.equal(step({ ...fresh, request, interaction: { authenticated_at: NOW - 5 } }), 'issue')
    const slow = { session: makeSession({ auth_time: NOW - 900 }) }
    t.equal(step({ ...slow, request, interaction: { authenticated_at: NOW - 900 } }), 'issue', 'took long to consent')
    const older = { session: makeSession({ auth_time: NOW - 901 }) }
    t.equal(step({ ...older, request, interaction: { authenticated_at: NOW - 900 } }), 'login', 'an older session')
    t.equal(step({ ...NOBODY, request, interaction: { authenticated_at: NOW - 5 } }), 'login', 'signed out since')
  }
  const elsewhere = { session: makeSession({ auth_time: NOW - 5 }), interaction: {} }
  t.equal(step({ ...elsewhere, request: { prompt: ['login'] } }), 'login', 'signed in next to it, in another tab')
})

t.test('max_age: the last second of it still counts', async (t) => {
  t.equal(step({ request: { max_age: 100 } }), 'issue')
  t.equal(step({ request: { max_age: 99 } }), 'login')
})

t.test('OpenID Connect Registration §2: default_max_age holds where the request says nothing', async (t) => {
  const client = { ...CLIENT, default_max_age: 50 }
  t.equal(step({ client }), 'login')
  t.equal(step({ client, request: { max_age: 200 } }), 'issue')
  t.equal(step({ client: { ...CLIENT, default_max_age: 200 } }), 'issue')
})

t.test('a disabled account is signed in nowhere', async (t) => {
  const account = makeAccount({ disabled_at: NOW - 1 })
  t.equal(step({ account }), 'login')
  t.equal(step({ account, request: { prompt: ['none'] } }), 'login_required')
})

t.test('id_token_hint: the answer is about that person, as the client knows them, or about nobody', async (t) => {
  const hinted_subject = 'alice-subject'
  t.equal(step({ request: { hinted_subject } }), 'issue')
  t.equal(step({ ...NOBODY, request: { hinted_subject } }), 'login')
  t.equal(step({ request: { hinted_subject, prompt: ['none'] } }), 'issue')
  t.equal(step({ request: { hinted_subject: 'another' } }), 'login')
  t.equal(step({ request: { hinted_subject: 'another', prompt: ['none'] } }), 'login_required')
  const signedIn = { session: makeSession({ auth_time: NOW }), interaction: { authenticated_at: NOW } }
  t.equal(step({ ...signedIn, request: { hinted_subject: 'another' } }), 'login', 'still the wrong one')
})

t.test('prompt=select_account is answered once, by going on or by signing in', async (t) => {
  const request = { prompt: ['select_account'] as const }
  t.equal(step({ request, interaction: {} }), 'select_account')
  t.equal(step({ request, interaction: { selected_at: NOW - 1 } }), 'issue')
  t.equal(step({ request, interaction: { authenticated_at: SESSION.auth_time } }), 'issue')
  const replaced = { session: makeSession({ auth_time: NOW }), interaction: { selected_at: NOW - 1 } }
  t.equal(step({ ...replaced, request }), 'select_account', 'somebody else has signed in since')
  t.equal(step({ request: { prompt: ['none', 'select_account'] } }), 'account_selection_required')
})

t.test('consent counts for the session that gave it', async (t) => {
  const request = { prompt: ['consent'] as const }
  const consented = { consented_at: NOW - 1, consented_session_id: SESSION.session_id }
  t.equal(step({ request, interaction: consented }), 'issue')
  t.equal(step({ request, interaction: { ...consented, consented_session_id: 'another' } }), 'consent')
  t.equal(step({ request, interaction: { ...consented, consented_at: null } }), 'consent')
  t.equal(step({ request, interaction: consented, consent: undefined }), 'consent', 'withdrawn since')
})

t.test('nobody consents past the login', async (t) => {
  const interaction = { consented_at: NOW - 1, consented_session_id: SESSION.session_id }
  t.equal(step({ ...NOBODY, interaction }), 'login')
  t.equal(step({ request: { prompt: ['login'] }, interaction }), 'login')
})

t.test(
  'first party: nobody is asked; RFC 6749 §10.2: a client that registered itself is always asked about',
  async (t) => {
    const first_party = { ...CLIENT, first_party: true }
    t.equal(step({ client: first_party, consent: undefined }), 'issue')
    t.equal(step({ client: first_party, consent: undefined, request: { prompt: ['none'] } }), 'issue')
    for (const origin of ['registered', 'metadata_document'] as const) {
      const client = { ...first_party, origin }
      t.equal(step({ client }), 'consent', 'although it was allowed before')
      t.equal(step({ client, consent: undefined, request: { prompt: ['none'] } }), 'consent_required')
      t.equal(step({ client, request: { prompt: ['none'] } }), 'issue', 'silently, what was allowed before')
      const interaction = { consented_at: NOW, consented_session_id: SESSION.session_id }
      t.equal(step({ client, interaction }), 'issue')
    }
  },
)

t.test('OpenID Connect Core §5.5.1.1: an essential acr is reached, or refused', async (t) => {
  const acr = (acr: object) => ({ claims: { id_token: { acr } } })
  const weaker = { session: makeSession({ auth_time: NOW - 100, acr: null }) }
  t.equal(step({ request: acr({ essential: true, value: PWD }) }), 'issue')
  t.equal(step({ request: acr({ essential: true, values: ['urn:mfa', PWD] }) }), 'issue')
  t.equal(step({ request: acr({ essential: true }) }), 'issue', 'whichever it is')
  t.equal(step({ ...weaker, request: acr({ essential: true, value: PWD }) }), 'login')
  t.equal(step({ ...weaker, request: { ...acr({ essential: true, value: PWD }), prompt: ['none'] } }), 'login_required')
  for (const change of [{}, NOBODY]) {
    const refused = 'unmet_authentication_requirements'
    t.equal(step({ ...change, request: acr({ essential: true, value: 'urn:mfa' }) }), refused)
    t.equal(step({ ...change, request: acr({ essential: true, values: ['urn:mfa', 7] }) }), refused)
  }
  t.equal(step({ request: acr({ value: 'urn:mfa' }) }), 'issue', 'voluntary')
  const stronger = { session: makeSession({ auth_time: NOW - 100, acr: 'urn:mfa' }) }
  t.equal(step({ ...stronger, request: acr({ essential: true, value: 'urn:mfa' }) }), 'issue')
})

t.test(
  'RFC 9700 §4.11.2: whoever registered itself hears of an acr out of reach once somebody has signed in',
  async (t) => {
    const refused = 'unmet_authentication_requirements'
    const claims = { id_token: { acr: { essential: true, value: 'urn:mfa' } } }
    for (const origin of ['registered', 'metadata_document'] as const) {
      const client = { ...CLIENT, origin }
      t.equal(step({ ...NOBODY, client, request: { claims } }), 'login')
      t.equal(step({ ...NOBODY, client, request: { claims, prompt: ['none'] } }), refused)
      t.equal(step({ client, request: { claims } }), refused)
    }
  },
)

t.test('§3.1.2.1: acr_values are worth a sign-in that fulfils one, and never a refusal', async (t) => {
  const weaker = { session: makeSession({ auth_time: NOW - 100, acr: null }) }
  t.equal(step({ request: { acr_values: ['urn:mfa'] } }), 'issue')
  t.equal(step({ ...weaker, request: { acr_values: ['urn:mfa', PWD] } }), 'login')
  t.equal(step({ ...weaker, request: { acr_values: ['urn:mfa', PWD], prompt: ['none'] } }), 'issue')
  t.equal(step({ ...weaker, client: { ...CLIENT, default_acr_values: [PWD] } }), 'login')
  t.equal(step({ request: { acr_values: [PWD] } }), 'issue')
})
