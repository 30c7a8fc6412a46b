import { shortestWindow } from "../model/spec.ts";
import type { CacheView } from "../model/graph/attention/view.ts";
import type { Engine } from "./engine.ts";
import { SharedModel } from "./shared_model.ts";

/**
 * The model of an engine, for steps that see a part of its cache: the first entries and the last ones. A step writes its
 * entry to the cache as any other, so what it wrote has to be taken back and written anew by a pass that sees
 * everything.
 */
export class ViewModel extends SharedModel {
  readonly attention = "explicit";

  /**
   * Loads the model once more.
   *
   * @param engine What runs the other passes: a full cache.
   * @param view What steps see.
   * @param logits Whether steps also return their logits.
   * @throws {TypeError} If the engine evicts, or the model has a sliding window that texts are longer than.
   */
  constructor(engine: Engine, readonly view: CacheView, readonly logits: "last" | false) {
    const { eviction: { acting }, options: { maxPositions, positions = "absolute" }, model: { spec } } = engine;
    if (acting.length > 0 || positions !== "absolute" || maxPositions > shortestWindow(spec)) {
      throw new TypeError("Cannot view a cache in part that holds a part of the text, or whose model sees a part");
    }
    super(engine, { view, logits, attention: "explicit" });
  }
}
