import type { FastifyPluginAsync } from 'fastify'
import type { Said } from '../../web/locales/messages.ts'
import { type SetupForm, setupDonePage, setupGonePage, setupPage } from '../../web/pages/setup.ts'
import { type AccountProblem, MOST_USERNAME_CHARACTERS, newAccount } from '../accounts/account.ts'
import { MOST_PASSWORD_BYTES, type PasswordProblem } from '../accounts/password_policy.ts'
import { setupLinkDigest } from '../accounts/setup_link.ts'
import type { Deps } from '../deps.ts'
import { type PageOptions, queryOf } from '../http/browser_scope.ts'
import { callerOf } from '../http/caller.ts'
import { formOf } from '../http/machine_scope.ts'
import { auditRecord } from '../observe/audit.ts'
import { ADMIN_ROLE } from '../protocol/account.ts'
import { foldIdentifier } from '../protocol/identifier.ts'
import { single } from '../protocol/parameters.ts'
import { offersLoginApi } from '../protocol/profile.ts'
import { issuerPath } from '../protocol/server_metadata.ts'

/**
 * The page that makes the first administrator, through a link that works once. Opening the link changes nothing, since
 * mail scanners and chat previews open links, too. As soon as there is an administrator, the page is gone.
 *
 * The link's token is what a form of another site cannot know, so it stands against cross-site requests as well
 * (OWASP CSRF Prevention: a secret per form); there is no session yet that another one could hang on.
 */
export function setup(deps: Deps): FastifyPluginAsync<PageOptions> {
  const { config, store } = deps
  const action = `${issuerPath(config.issuer)}/setup`
  const blank = { action, min_length: config.passwords.min_length }

  /** @returns what is stored of a token that could still be claimed */
  async function liveDigest(token: string): Promise<string | undefined> {
    const digest = setupLinkDigest(deps, token)
    if (!(await store.isOneTimeHandleLive(digest, 'setup_link', deps.clock.now()))) return undefined
    return (await store.hasAdministrator()) ? undefined : digest
  }

  return async (app, { sendPage }) => {
    app.get('/setup', async (request, reply) => {
      const token = single(queryOf(request), 'token') ?? ''
      if ((await liveDigest(token)) === undefined) return sendPage(reply, setupGonePage(), 404)
      return sendPage(reply, setupPage({ ...blank, token }))
    })

    app.post('/setup', async (request, reply) => {
      const form = formOf(request)
      const [token = '', username = '', email = '', password = ''] = FIELDS.map((name) => single(form, name))
      // Before any password is hashed: that work is for the link's holder only. The claim below decides.
      const digest = await liveDigest(token)
      if (digest === undefined) return sendPage(reply, setupGonePage(), 404)

      const refuse = (problems: NonNullable<SetupForm['problems']>) =>
        sendPage(reply, setupPage({ ...blank, token, username, email, problems }), 422)
      const made = await newAccount(deps, { username, email, password, roles: [ADMIN_ROLE] })
      if ('problems' in made) {
        return refuse(new Map(made.problems.map((problem) => [problem.field, said(problem, blank.min_length)])))
      }

      const { account } = made
      const outcome = await store.createFirstAdministrator(account, digest, deps.clock.now(), [
        auditRecord(deps, 'admin.first_administrator_created', {
          account_id: account.account_id,
          caller: callerOf(request),
        }),
      ])
      switch (outcome) {
        case 'link_spent':
          return sendPage(reply, setupGonePage(), 404)
        case 'identifier_taken': {
          const other = await store.findAccountByIdentifier(foldIdentifier(username))
          const field = other === undefined ? 'email' : 'username'
          return refuse(new Map([[field, ({ setup }) => setup.taken]]))
        }
        case 'created':
          // 303, so that a reload does not send the form again.
          return reply.redirect(`${action}/done`, 303)
      }
    })

    app.get('/setup/done', async (_request, reply) => {
      if (!(await store.hasAdministrator())) return sendPage(reply, setupGonePage(), 404)
      return sendPage(
        reply,
        setupDonePage({ issuer: config.issuer, token_api: config.token_api.enabled && offersLoginApi(config.profile) }),
      )
    })
  }
}

/** The same as its message, in the language that is read. */
function said({ field, message, password_problem }: AccountProblem, min_length: number): Said {
  if (password_problem !== undefined) return saidOfPassword(password_problem, min_length)
  if (field === 'username') return ({ setup }) => setup.username_problem(MOST_USERNAME_CHARACTERS)
  if (field === 'email') return ({ setup }) => setup.email_problem
  return () => message
}

function saidOfPassword(problem: PasswordProblem, min_length: number): Said {
  if (problem === 'too_short') return ({ passwords }) => passwords.too_short(min_length)
  if (problem === 'too_long') return ({ passwords }) => passwords.too_long(MOST_PASSWORD_BYTES)
  return ({ passwords }) => passwords[problem]
}

const FIELDS = ['token', 'username', 'email', 'password'] as const
