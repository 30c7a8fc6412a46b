/** A sweep on many nodes in simulated time: who works on what, what dies, and what that costs. */
import { firstOf } from "../../../lib/study/work/first_of.ts";

/** A sweep on nodes that die; times in seconds. */
export interface Fleet {
  readonly nodes: number;
  readonly cells: number;
  readonly chunk: number;
  /** Time of a cell, and of the full cache that each job measures first; a cell has several passes. */
  readonly cell: number;
  readonly passes: number;
  /** Time to start a worker, and to start a run. */
  readonly start: number;
  /** Mean time until a node dies; Infinity for never. */
  readonly mtbf: number;
  /** Time until a lost node's task is started again. */
  readonly back: number;
  readonly stale: number;
  /** Time between two looks of a worker that waits. */
  readonly look: number;
}

/** What it took. */
export interface FleetResult {
  /** Until the last cell was stored. */
  readonly makespan: number;
  readonly deaths: number;
  /** Time of measurements that were done again. */
  readonly again: number;
  /** From a death until another worker went on with the job: each of them, ascending. */
  readonly orphaned: readonly number[];
  /** Longest time that a cell waited for after all other jobs were over. */
  readonly tail: number;
  /** Times that each job's passes were finished: all 1 if nothing is done twice. */
  readonly finished: readonly number[];
}

interface SimulatedJob {
  readonly index: number;
  /** Passes that are finished, the baseline's included. */
  done: number;
  finished: number;
  owner: SimulatedNode | undefined;
  /** When its owner died. */
  died: number | undefined;
}

interface SimulatedNode {
  readonly order: readonly SimulatedJob[];
  time: number;
  dies: number;
  at: number;
  taken: number;
  held: SimulatedJob[];
  /** Dead owners' jobs: when this node first saw that beat. */
  seen: Map<SimulatedJob, number>;
  isOver: boolean;
  busy: { readonly job: SimulatedJob; readonly began: number } | undefined;
}

/** Runs a sweep in simulated time, by the rules of lib/study/work/run_sweep.ts with --first and --no_wait. */
export function simulateFleet(fleet: Fleet, random: () => number): FleetResult {
  const count = Math.ceil(fleet.cells / fleet.chunk);
  const jobs: SimulatedJob[] = Array.from({ length: count }, (_, index) => ({
    ...{ index, done: 0, finished: 0, owner: undefined, died: undefined },
  }));
  const pass = fleet.cell / fleet.passes;
  const passesOf = (job: SimulatedJob) =>
    (Math.min(fleet.chunk, fleet.cells - job.index * fleet.chunk) + 1) * fleet.passes;
  const life = () => fleet.mtbf === Infinity ? Infinity : -Math.log(1 - random()) * fleet.mtbf;
  const perTask = Math.ceil(count / fleet.nodes);
  const nodes: SimulatedNode[] = Array.from({ length: fleet.nodes }, (_, i) => ({
    order: firstOf(jobs, jobs.slice(i * perTask, (i + 1) * perTask).map(({ index }) => index)),
    ...{ time: fleet.start, dies: life(), at: 0, taken: 0, held: [], seen: new Map(), isOver: false, busy: undefined },
  }));
  let makespan = 0, deaths = 0, again = 0, tail = 0, begun = 0;
  const orphaned: number[] = [];
  const isOver = (job: SimulatedJob) => job.done >= passesOf(job);

  const die = (node: SimulatedNode) => {
    deaths++;
    if (node.busy !== undefined) {
      const { job, began } = node.busy;
      const worked = Math.max(0, node.dies - began - fleet.start);
      const whole = Math.floor(worked / pass);
      job.done += whole;
      again += worked - whole * pass;
      job.died = node.dies;
    }
    node.time = node.dies + fleet.back + fleet.start;
    node.dies = node.time + life();
    Object.assign(node, { at: 0, taken: 0, held: [], seen: new Map(), busy: undefined });
  };
  const take = (node: SimulatedNode, job: SimulatedJob) => {
    if (job.died !== undefined) orphaned.push(node.time - job.died);
    Object.assign(job, { owner: node, died: undefined });
    node.taken++;
    begun = Math.max(begun, node.time);
    node.busy = { job, began: node.time };
    node.time += fleet.start + (passesOf(job) - job.done) * pass;
  };
  /** Whether a worker takes a job now, as `Worker.#take` decides. */
  const tries = (node: SimulatedNode, job: SimulatedJob): boolean => {
    if (job.owner === undefined) return true;
    node.held.push(job);
    if (job.died === undefined) return false;
    const since = node.seen.get(job);
    if (since === undefined) node.seen.set(job, node.time);
    else if (node.time - since >= fleet.stale) return true;
    return false;
  };

  for (;;) {
    const alive = nodes.filter(({ isOver }) => !isOver);
    if (alive.length === 0) break;
    const node = alive.reduce((a, b) => Math.min(a.time, a.dies) <= Math.min(b.time, b.dies) ? a : b);
    if (node.dies < node.time) {
      die(node);
      continue;
    }
    if (node.busy !== undefined) {
      const { job } = node.busy;
      Object.assign(job, { done: passesOf(job), finished: job.finished + 1, owner: undefined });
      tail = node.time - begun;
      makespan = Math.max(makespan, node.time);
      node.busy = undefined;
    }
    while (node.at < node.order.length && node.busy === undefined) {
      const job = node.order[node.at++]!;
      if (!isOver(job) && tries(node, job)) take(node, job);
    }
    if (node.busy !== undefined) continue;
    const { held, taken } = node;
    Object.assign(node, { at: 0, taken: 0, held: [] });
    if (taken > 0) continue;
    // --no_wait: it ends if all that is left is of workers that give signs of life.
    if (held.every((job) => job.died === undefined)) node.isOver = true;
    else node.time += fleet.look;
  }
  return {
    ...{ makespan, deaths, again, tail, orphaned: orphaned.sort((a, b) => a - b) },
    finished: jobs.map(({ finished }) => finished),
  };
}
