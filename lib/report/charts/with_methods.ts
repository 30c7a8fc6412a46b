import type { Context } from "./canvas.ts";

/**
 * Replaces members of a canvas's context; all others stay those of the context.
 *
 * @param context The context.
 * @param members By name.
 * @returns What draws on the same canvas.
 *
 * @example
 * ```ts
 * import { loadCanvas } from "./canvas.ts";
 * import { withMethods } from "./with_methods.ts";
 *
 * const context = (await loadCanvas()).createCanvas(20, 10).getContext("2d");
 * const texts: string[] = [];
 * withMethods(context, { fillText: (text: string) => texts.push(text) }).fillText("ms", 0, 9);
 * console.log(texts); // [ "ms" ]
 * ```
 */
export function withMethods(context: Context, members: Readonly<Record<string, unknown>>): Context {
  const methods = new Map<string | symbol, unknown>();
  return new Proxy(context, {
    get(target, name) {
      if (Object.hasOwn(members, name)) return members[name as string];
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      // The library's methods accept only its own object as `this`.
      if (!methods.has(name)) methods.set(name, value.bind(target));
      return methods.get(name);
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
}
