import { cpus } from "node:os";

/**
 * Returns the number of threads that the CPU provider computes with, shared by all sessions of the process. They wait
 * for work in a loop, so one session's threads would slow down another's.
 *
 * 0 is ORT's own choice, one for each physical core of the machine. ORT does not see that a process may use fewer CPUs
 * (taskset, a batch system's share, a container's quota): then it is one for each usable CPU.
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
