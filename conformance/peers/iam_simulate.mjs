// Asks @cloud-copilot/iam-simulate the vectors: JSON lines in, JSON lines out. Run where the package is installed.
// It leaves out the keys of OIDC issuers, which it does not list for the action.
import { createInterface } from 'node:readline'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'

// the package of the folder that this is run in, wherever this file lies
const require = createRequire(pathToFileURL(join(process.cwd(), 'package.json')))
const { runSimulation } = require('@cloud-copilot/iam-simulate')

const ROLE = 'role/conformance'

async function decide({ policy, request }) {
  const context = Object.fromEntries(
    Object.entries(request.context).map(([key, values]) => [key, values.length === 1 ? values[0] : values])
  )
  const provider = `arn:${request.partition}:iam::${request.account}:oidc-provider/${request.issuer.replace('https://', '')}`
  const simulation = {
    request: {
      // a caller with a web identity is a federated principal
      principal: provider,
      action: request.action,
      resource: { resource: `arn:${request.partition}:iam::${request.account}:${ROLE}`, accountId: request.account },
      contextVariables: context
    },
    identityPolicies: [],
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    resourcePolicy: policy
  }
  const answer = await runSimulation(simulation, {})
  if (answer.resultType === 'error' || answer.errors) return 'invalid'
  const result = answer.overallResult
  return { Allowed: 'allow', ImplicitlyDenied: 'implicit_deny', ExplicitlyDenied: 'explicit_deny' }[result] ?? String(result)
}

for await (const line of createInterface({ input: process.stdin })) {
  if (!line) continue
  const vector = JSON.parse(line)
  let decision
  try {
    decision = await decide(vector)
  } catch (error) {
    decision = 'error'
  }
  console.log(JSON.stringify({ id: vector.id, decision }))
}
