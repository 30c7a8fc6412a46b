import type { MethodName } from "../policies/registry.ts";
import type { FlagReader } from "./values.ts";

/** One flag: its reader, its default and its help. */
export interface FlagSpec<T> {
  /** Heading under which the help lists it. */
  readonly group: string;
  /** What it does; the default is added to it. */
  readonly help: string;
  /** Placeholder of the value in the help; omitted for a switch. */
  readonly value?: string;
  /** Reads the value; omitted for a switch. */
  readonly read?: FlagReader<T>;
  /** Value if the flag is not given; undefined where it depends on the device or on another flag. */
  readonly default: T;
  /** Text of the help for a default that depends on another flag. */
  readonly defaultText?: string;
  /** The methods it belongs to; omitted if it belongs to all. */
  readonly methods?: readonly MethodName[];
  /** Whether it sets how many entries a method keeps: `--budget` takes its place. */
  readonly isSize?: boolean;
  /** Its one-letter form. */
  readonly short?: string;
}

/** The values of some flags, by their specifications. */
export type ValuesOf<T> = { [K in keyof T]: T[K] extends FlagSpec<infer V> ? V : never };
