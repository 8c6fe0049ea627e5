import type { Driver, StepResult } from './driver.ts'
import type { Revoked, RevokedAccessToken, RevokedGrant } from './records.ts'

export type HearRevoked = (revoked: Revoked) => void

/**
 * A driver that tells what its batches have revoked: after the commit, and before whoever asked for it goes on. Each
 * statement that revokes returns what it has revoked, so that no path of revocation can be forgotten here.
 */
export function announcing(database: Driver): {
  readonly driver: Driver
  readonly onRevoked: (hear: HearRevoked) => void
} {
  const hearers: HearRevoked[] = []
  return {
    driver: {
      ...database,
      async batch(steps) {
        const outcome = await database.batch(steps)
        const revoked = outcome.committed ? revokedBy(outcome.results) : undefined
        if (revoked !== undefined) for (const hear of hearers) hear(revoked)
        return outcome
      },
    },
    onRevoked(hear) {
      hearers.push(hear)
    },
  }
}

/** @returns undefined: nothing */
function revokedBy(results: readonly StepResult[]): Revoked | undefined {
  const grants: RevokedGrant[] = []
  const access_tokens: RevokedAccessToken[] = []
  for (const { rows } of results) {
    for (const { revoked_at, revoked_index, revoked_jti, expires_at } of rows) {
      if (typeof revoked_at !== 'number') break
      if (typeof revoked_index === 'number') grants.push({ revoked_at, status_index: revoked_index })
      if (typeof revoked_jti === 'string' && typeof expires_at === 'number') {
        access_tokens.push({ revoked_at, jti: revoked_jti, expires_at })
      }
    }
  }
  return grants.length + access_tokens.length > 0 ? { grants, access_tokens } : undefined
}
