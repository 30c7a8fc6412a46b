import { cpus } from "node:os";
import { fromFileUrl } from "@std/path";
import config from "../../../deno.json" with { type: "json" };
import { gitCommit } from "./git_commit.ts";
import type { Environment } from "./types.ts";

/** The part of {@linkcode Environment} that this process can find out by itself, without FFI. */
export type HostEnvironment = Pick<
  Environment,
  "cpu" | "memory_bytes" | "os" | "deno" | "kvcompress" | "git_commit" | "host" | "time_zone"
>;

/** The rest: the GPU and ONNX Runtime, known to the process that opened them, and the hashes. */
export type MeasuredEnvironment = Omit<Environment, keyof HostEnvironment>;

/**
 * Describes the environment of a measurement, for results.json.
 *
 * Needs `--allow-sys=cpus,systemMemoryInfo,osRelease`, and `--allow-read` of the project for the commit. With
 * `--allow-sys=hostname` it also has the machine's name.
 *
 * @param measured What the process that ran the model knows, and the hashes of model and text.
 * @returns The complete description.
 *
 * @example
 * ```ts
 * import { describeEnvironment } from "./environment.ts";
 *
 * const environment = describeEnvironment({
 *   gpu: null,
 *   onnxruntime: "1.29.0",
 *   onnxruntime_path: "/opt/ort/libonnxruntime.so.1",
 *   providers: ["CPUExecutionProvider"],
 *   model_sha256: {},
 *   text_sha256: "",
 * });
 * console.log(environment.cpu.model);
 * ```
 */
export function describeEnvironment(measured: MeasuredEnvironment): Environment {
  const { gpu, onnxruntime, onnxruntime_path, providers } = measured;
  const { model_commit, model_sha256, weights_fingerprint, code_sha256 } = measured;
  const { text_commit, text_sha256, samples_sha256 } = measured;
  const { cpu, memory_bytes, os, deno, git_commit, kvcompress, ...named } = hostEnvironment();
  return {
    gpu,
    cpu,
    memory_bytes,
    os,
    deno,
    onnxruntime,
    onnxruntime_path,
    providers,
    git_commit,
    kvcompress,
    ...named,
    ...(code_sha256 === undefined ? {} : { code_sha256 }),
    ...(model_commit === undefined ? {} : { model_commit }),
    model_sha256,
    ...(weights_fingerprint === undefined ? {} : { weights_fingerprint }),
    ...(text_commit === undefined ? {} : { text_commit }),
    text_sha256,
    ...(samples_sha256 === undefined ? {} : { samples_sha256 }),
  };
}

/**
 * Describes the machine and the software that need no FFI; see {@linkcode describeEnvironment}.
 *
 * @returns The description.
 *
 * @example
 * ```ts
 * import { hostEnvironment } from "./environment.ts";
 *
 * console.log(hostEnvironment().os); // "linux 6.1.0 x86_64"
 * ```
 */
export function hostEnvironment(): HostEnvironment {
  return {
    // `cores`: the cores this process may use, which a container or taskset may limit
    cpu: { model: cpus()[0]?.model.trim() || "unknown", cores: navigator.hardwareConcurrency },
    memory_bytes: Deno.systemMemoryInfo().total,
    os: `${Deno.build.os} ${Deno.osRelease()} ${Deno.build.arch}`,
    deno: Deno.version.deno,
    git_commit: import.meta.url.startsWith("file:")
      ? gitCommit(fromFileUrl(new URL("../../../", import.meta.url)))
      : null,
    kvcompress: config.version,
    ...hostName(),
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
}

/** Returns the machine's name, if this process may know it. */
function hostName(): { host?: string } {
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "hostname" });
  return state === "granted" ? { host: Deno.hostname() } : {};
}
