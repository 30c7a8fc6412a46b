import { cpus } from "node:os";

/**
 * Threads that the CPU provider computes with, in all sessions of the process together. They wait for work in a loop, so
 * that those of one session would be in the way of another's.
 *
 * 0 is ORT's own choice, one for each physical core of the machine. Where the process may use fewer CPUs than there are
 * (taskset, a batch system's share, a container's quota) ORT does not see it: then one for each of those.
 *
 * @example
 * ```ts
 * import { threadsForAll } from "./threads.ts";
 *
 * console.log(threadsForAll(64, 8), threadsForAll(8, 8)); // 8 0
 * ```
 *
 * @param all CPUs of the machine.
 * @param usable CPUs that the process may use.
 */
export function threadsForAll(all = cpus().length, usable = navigator.hardwareConcurrency): number {
  return usable < all ? usable : 0;
}
