// Entry of the worker: an engine whose messages are the worker's.
// @ts-check
import { Engine } from "./engine.js";

/** @typedef {{ postMessage: (message: unknown, transfer: Transferable[]) => void, onmessage: ((event: MessageEvent) => void) | null }} Scope */
const scope = /** @type {Scope} */ (/** @type {unknown} */ (self));
const engine = new Engine((message, transfer = []) => scope.postMessage(message, transfer));
scope.onmessage = (/** @type {MessageEvent} */ { data }) => void engine.receive(data);
