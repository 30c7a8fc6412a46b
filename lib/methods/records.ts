/**
 * One record for each method: what the command line and the engine benchmark know of it. A new method is a file in
 * lib/policies and a record here.
 *
 * @module
 */
import type { ValuesOf } from "../flags/spec.ts";
import type { MethodName } from "../policies/registry.ts";
import { paperFlags } from "./_papers.ts";
import { adaptiveL2Flags, adaptiveL2Record } from "./adaptive_l2.ts";
import { baselineRecord } from "./baseline.ts";
import { fixSizeL2Flags, fixSizeL2Record } from "./fix_size_l2.ts";
import { h2oFlags, h2oRecord } from "./h2o.ts";
import { h2oL2Flags, h2oL2Record } from "./h2o_l2.ts";
import { keydiffFlags, keydiffRecord } from "./keydiff.ts";
import { l2CompressFlags, l2CompressRecord } from "./l2_compress.ts";
import { pyramidKvFlags, pyramidKvRecord } from "./pyramid_kv.ts";
import { pyramidSnapkvFlags, pyramidSnapkvRecord } from "./pyramid_snapkv.ts";
import { recentOnlyFlags, recentOnlyRecord } from "./recent_only.ts";
import { snapkvFlags, snapkvRecord } from "./snapkv.ts";
import { snapkvLiteFlags, snapkvLiteRecord } from "./snapkv_lite.ts";
import { streamingLlmFlags, streamingLlmRecord } from "./streaming_llm.ts";
import { tovaRecord } from "./tova.ts";
import type { MethodRecord } from "./method_record.ts";

/** Flags of methods, in the order of the help. */
export const METHOD_FLAGS = {
  ...recentOnlyFlags,
  ...streamingLlmFlags,
  ...fixSizeL2Flags,
  ...l2CompressFlags,
  ...h2oL2Flags,
  ...snapkvLiteFlags,
  ...pyramidKvFlags,
  ...adaptiveL2Flags,
  ...paperFlags,
  ...h2oFlags,
  ...snapkvFlags,
  ...pyramidSnapkvFlags,
  ...keydiffFlags,
};

/** Values of the flags of methods. */
export type MethodFlags = ValuesOf<typeof METHOD_FLAGS>;

/** What records may read of a command line. */
export type RecordFlags = MethodFlags & { readonly no_baseline: boolean };

/** The records, by method. */
export const RECORDS: Readonly<Record<MethodName, MethodRecord<RecordFlags>>> = {
  baseline: baselineRecord,
  recent_only: recentOnlyRecord,
  streaming_llm: streamingLlmRecord,
  fix_size_l2: fixSizeL2Record,
  l2_compress: l2CompressRecord,
  h2o_l2: h2oL2Record,
  snapkv_lite: snapkvLiteRecord,
  pyramid_kv: pyramidKvRecord,
  adaptive_l2: adaptiveL2Record,
  h2o: h2oRecord,
  tova: tovaRecord,
  snapkv: snapkvRecord,
  pyramid_snapkv: pyramidSnapkvRecord,
  keydiff: keydiffRecord,
};
