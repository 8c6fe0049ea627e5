import type { Deps } from '../deps.ts'
import { type FieldProblem, notFound, Problem } from '../http/problem.ts'
import { auditRecord } from '../observe/audit.ts'
import type { Resource } from '../protocol/resource.ts'
import { type ResourceRegistration, registeredResource } from '../protocol/resource_registration.ts'
import { builtInResources } from '../tokens/resources.ts'
import type { Administrator } from './guard.ts'

/** The resource that is asked for. Nothing is stored yet. @param existing undefined for a new one */
export function planResource(
  deps: Pick<Deps, 'config' | 'clock'>,
  existing: Resource | undefined,
  asked: ResourceRegistration,
): { readonly value: Resource } | { readonly problems: readonly FieldProblem[] } {
  const { admin_resource } = builtInResources(deps.config)
  return registeredResource(existing, asked, admin_resource, deps.clock.now())
}

export async function createResource(deps: Deps, by: Administrator, resource: Resource): Promise<void> {
  // Before the resource is there to be asked for.
  await deps.keys.ensure(resource.signing_alg)
  const audit = [tell(deps, by, 'admin.resource_created', resource)]
  if ((await deps.store.createResource(resource, audit)) === 'exists') {
    throw new Problem(409, 'this resource is registered already')
  }
}

export async function updateResource(deps: Deps, by: Administrator, resource: Resource): Promise<void> {
  await deps.keys.ensure(resource.signing_alg)
  const audit = [tell(deps, by, 'admin.resource_updated', resource)]
  if ((await deps.store.updateResource(resource, audit)) === 'not_found') throw notFound('resource')
}

function tell(deps: Deps, { actor, caller }: Administrator, event: `admin.${string}`, resource: Resource) {
  return auditRecord(deps, event, { actor, caller, detail: { ...resource } })
}
