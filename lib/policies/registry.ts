import { InputError } from "../util/errors.ts";
import { adaptiveL2 } from "./adaptive_l2.ts";
import { baseline } from "./baseline.ts";
import { fixSizeL2 } from "./fix_size_l2.ts";
import { h2o } from "./h2o.ts";
import { h2oL2 } from "./h2o_l2.ts";
import { keydiff } from "./keydiff.ts";
import { l2Compress } from "./l2_compress.ts";
import type { Policy, PolicyFactory } from "./policy.ts";
import { pyramidKv } from "./pyramid_kv.ts";
import { pyramidSnapkv } from "./pyramid_snapkv.ts";
import { recentOnly } from "./recent_only.ts";
import { snapkv } from "./snapkv.ts";
import { snapkvLite } from "./snapkv_lite.ts";
import { streamingLlm } from "./streaming_llm.ts";
import { tova } from "./tova.ts";

/** The methods that come with the benchmark, each with its parameters. */
export interface Methods {
  readonly baseline: PolicyFactory<Record<never, never>>;
  readonly recent_only: PolicyFactory<{ window_size: number }>;
  readonly streaming_llm: PolicyFactory<{ start_size: number; recent_size: number }>;
  readonly fix_size_l2: PolicyFactory<{ fix_kv_size: number; keep_ratio: number; strategy: string }>;
  readonly l2_compress: PolicyFactory<{ keep_ratio: number; prune_after: number }>;
  readonly h2o_l2: PolicyFactory<{ start_size: number; heavy_hitter_size: number; recent_size: number }>;
  readonly snapkv_lite: PolicyFactory<{ observation_window: number; keep_size: number; pooling_kernel: number }>;
  readonly pyramid_kv: PolicyFactory<{ base_size: number; layer_decay: number; min_size: number; profile: string }>;
  readonly adaptive_l2: PolicyFactory<{ target_size: number; soft_limit: number; hard_limit: number }>;
  readonly h2o: PolicyFactory<{ start_size: number; heavy_size: number; recent_size: number }>;
  readonly tova: PolicyFactory<{ cache_size: number }>;
  readonly snapkv: PolicyFactory<SnapKvParams>;
  readonly pyramid_snapkv: PolicyFactory<SnapKvParams & { beta: number }>;
  readonly keydiff: PolicyFactory<{ cache_size: number; recent_size: number }>;
}

/** Parameters of the methods that choose as SnapKV does. */
export type SnapKvParams = {
  cache_size: number;
  observation_window: number;
  pooling: string;
  pooling_kernel: number;
};

/**
 * Every method that comes with the benchmark, by the name `--method` takes.
 *
 * @example
 * ```ts
 * import { methods } from "./registry.ts";
 *
 * console.log(methods.streaming_llm({ recent_size: 252 }).params); // { start_size: 4, recent_size: 252 }
 * ```
 */
export const methods: Methods = {
  baseline,
  recent_only: recentOnly,
  streaming_llm: streamingLlm,
  fix_size_l2: fixSizeL2,
  l2_compress: l2Compress,
  h2o_l2: h2oL2,
  snapkv_lite: snapkvLite,
  pyramid_kv: pyramidKv,
  adaptive_l2: adaptiveL2,
  h2o,
  tova,
  snapkv,
  pyramid_snapkv: pyramidSnapkv,
  keydiff,
};

/** Name of a method that comes with the benchmark. */
export type MethodName = keyof Methods;

/** Names of {@linkcode methods}, in the order of the help. */
export const methodNames: readonly MethodName[] = Object.keys(methods) as MethodName[];

/**
 * Whether `name` is a method that comes with the benchmark.
 *
 * @param name What was asked for.
 * @returns True for a key of {@linkcode methods}.
 */
export function isMethod(name: string): name is MethodName {
  return Object.hasOwn(methods, name);
}

/**
 * Makes a policy from its name and parameters as plain data, such as results.json holds.
 *
 * @example
 * ```ts
 * import { policyOf } from "./registry.ts";
 *
 * console.log(policyOf("recent_only", { window_size: 8 }).keep({ layer: 0, layers: 1, entries: 9 }));
 * // { sink: 0, heavy: 0, recent: 8 }
 * ```
 *
 * @param method Name of the method.
 * @param params Its parameters; those left out have their defaults.
 * @returns The policy.
 * @throws {InputError} Where there is no such method, or it has no such parameter, or of another type.
 */
export function policyOf(method: string, params: Readonly<Record<string, number | string>> = {}): Policy {
  if (!isMethod(method)) {
    throw new InputError(`Cannot make the policy ${method}: the methods are ${methodNames.join(", ")}`);
  }
  const make = methods[method] as unknown as PolicyFactory<Record<string, number | string>>;
  for (const [name, value] of Object.entries(params)) {
    if (!Object.hasOwn(make.defaults, name)) {
      const known = Object.keys(make.defaults).join(", ") || "none";
      throw new InputError(`Cannot make the policy ${method}: no parameter ${name}; its parameters: ${known}`);
    }
    if (typeof value !== typeof make.defaults[name]) {
      throw new InputError(
        `Cannot make the policy ${method}: ${name} must be a ${typeof make.defaults[name]}, found ${
          JSON.stringify(value)
        }`,
      );
    }
  }
  return make(params);
}
