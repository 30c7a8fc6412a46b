import type { Policy } from "../../lib/policies/policy.ts";
import { type MethodName, methods } from "../../lib/policies/registry.ts";

/** Makes a policy from its method's name and parameters as plain data, as a fixture has them. */
export function policyOf(method: string, params: unknown): Policy {
  return (methods[method as MethodName] as (params: unknown) => Policy)(params);
}
