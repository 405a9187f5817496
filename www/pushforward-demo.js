// <pushforward-demo link="v=1&m=…"> for other people's pages and slides: a demo in a frame, with methods, events, and
// reveal.js fragments. A script of its own, which knows nothing of the page; docs/embedding.md describes it.
// @ts-check
(() => {
  const NAMESPACE = "pushforward";
  const ANSWER_MS = 30_000;
  /** How reveal.js is asked for pages to print. */
  const PRINTED = /[?&](print-pdf|view=print)/;
  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  const home = new URL(".", script?.src || document.baseURI).href;
  let count = 0;

  /** @typedef {Record<string, unknown>} Message */

  class PushforwardDemo extends HTMLElement {
    static observedAttributes = ["link"];

    constructor() {
      super();
      count += 1;
      this.name = this.id || `demo-${count}`;
      /** @type {HTMLIFrameElement | null} */
      this.frame = null;
      this.requests = 0;
      /** @type {Map<number, (answer: Message) => void>} */
      this.waiting = new Map();
      /** What is said before the demo is ready. @type {Message[] | null} */
      this.early = [];
      this.hear = (/** @type {MessageEvent} */ event) => this.heard(event);
    }

    /** Where the demo is, and what it shows. */
    get address() {
      const base = this.getAttribute("src") ?? home;
      const options = new URLSearchParams(this.getAttribute("options") ?? "");
      options.set("embed", "1");
      options.set("id", this.name);
      // In a deck the slide starts the demo, not the loading of the page.
      if (this.closest(".reveal") && !options.has("autoplay")) options.set("autoplay", "0");
      return `${new URL(base, document.baseURI).href}?${options}#${this.getAttribute("link") ?? ""}`;
    }

    connectedCallback() {
      if (this.frame) return;
      addEventListener("message", this.hear);
      const frame = document.createElement("iframe");
      frame.title = this.getAttribute("title") ?? "A Pushforward demo";
      frame.loading = "lazy";
      frame.allow = "fullscreen; clipboard-write";
      frame.dataset.preload = "";
      const sandbox = this.getAttribute("sandbox");
      if (sandbox !== null) frame.setAttribute("sandbox", sandbox || "allow-scripts");
      Object.assign(this.style, { display: this.style.display || "block" });
      Object.assign(frame.style, { width: "100%", height: "100%", border: "0", aspectRatio: this.getAttribute("ratio") ?? "16 / 9", display: "block" });
      this.frame = frame;
      this.replaceChildren(...this.poster(frame));
      // A deck that is printed would start every demo at once.
      if (this.querySelector("img") && PRINTED.test(location.search)) return frame.remove();
      frame.src = this.address;
    }

    /**
     * The frame, on its poster where it has one: that is what shows until the demo does, and in print.
     * @param {HTMLIFrameElement} frame
     */
    poster(frame) {
      const src = this.getAttribute("poster");
      if (!src) return [frame];
      const image = Object.assign(document.createElement("img"), { src, alt: frame.title });
      Object.assign(this.style, { position: "relative", aspectRatio: frame.style.aspectRatio });
      Object.assign(image.style, { position: "absolute", inset: "0", width: "100%", height: "100%", objectFit: "cover", margin: "0", border: "0", maxWidth: "none", maxHeight: "none" });
      Object.assign(frame.style, { position: "absolute", inset: "0", height: "100%" });
      return [image, frame];
    }

    disconnectedCallback() {
      removeEventListener("message", this.hear);
      this.frame?.remove();
      this.frame = null;
      this.early = [];
    }

    attributeChangedCallback() {
      if (this.frame) void this.ask({ type: "set", link: this.getAttribute("link") ?? "" }).catch(() => {});
    }

    /** @param {MessageEvent} event */
    heard({ data, source }) {
      if (!this.frame || source !== this.frame.contentWindow || data?.ns !== NAMESPACE) return;
      if (data.type === "ready") {
        const early = this.early?.splice(0) ?? [];
        this.early = null;
        for (const message of early) this.post(message);
      }
      this.waiting.get(data.request)?.(data);
      this.waiting.delete(data.request);
      this.dispatchEvent(new CustomEvent(`${NAMESPACE}-${data.type}`, { detail: data, bubbles: true }));
    }

    /** @param {Message} message */
    post(message) {
      if (this.early) this.early.push(message);
      else this.frame?.contentWindow?.postMessage({ ns: NAMESPACE, v: 1, ...message }, "*");
    }

    /**
     * Sends a message and waits for its answer.
     * @param {Message} message
     * @returns {Promise<Message>}
     */
    ask(message) {
      this.requests += 1;
      const request = this.requests;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          this.waiting.delete(request);
          reject(new Error("the demo did not answer"));
        }, ANSWER_MS);
        this.waiting.set(request, (answer) => {
          clearTimeout(timer);
          if (answer.type === "error") reject(new Error(String(answer.message)));
          else resolve(answer);
        });
        this.post({ ...message, request });
      });
    }

    play() { return this.ask({ type: "play" }); }
    pause() { return this.ask({ type: "pause" }); }
    step(n = 1) { return this.ask({ type: "step", n }); }
    reset() { return this.ask({ type: "reset" }); }
    /** @param {number | Message} to a step, or { scene } */
    seek(to) { return this.ask({ type: "seek", ...(typeof to === "number" ? { k: to } : to) }); }
    /** @param {string} key @param {string | number | boolean} value */
    set(key, value) { return this.ask({ type: "set", key, value }); }
    get(what = "state") { return this.ask({ type: "get", what }); }
    /** @param {string} what */
    export(what) { return this.ask({ type: "export", what }); }
  }
  customElements.define("pushforward-demo", PushforwardDemo);

  // A deck may say that a slide has started before the demo on it is there to hear it.
  addEventListener("message", ({ data, source }) => {
    if (data?.ns !== NAMESPACE || data.type !== "ready") return;
    const frame = [...document.querySelectorAll(".reveal iframe")].find((each) => /** @type {HTMLIFrameElement} */ (each).contentWindow === source);
    if (frame && !frame.closest("section:not(.present)")) /** @type {Window} */ (source).postMessage("slide:start", "*");
  });

  /**
   * The demo that a fragment is for: the one it names, else that of its slide.
   * @param {Element} fragment
   * @returns {Window | null | undefined}
   */
  function target(fragment) {
    const name = fragment.getAttribute("data-demo");
    const holder = name ? document.getElementById(name) : fragment.closest("section")?.querySelector("pushforward-demo, iframe");
    const frame = holder instanceof HTMLIFrameElement ? holder : holder?.querySelector("iframe");
    return frame?.contentWindow;
  }

  /**
   * Fragments of reveal.js: `data-shown` is sent when one appears, `data-hidden` when it goes again. Both hold one message or a list.
   * @param {"data-shown" | "data-hidden"} attribute
   */
  const tell = (attribute) => (/** @type {any} */ event) => {
    for (const fragment of event.fragments ?? [event.fragment]) {
      const text = fragment?.getAttribute?.(attribute);
      if (!text) continue;
      try {
        for (const message of [JSON.parse(text)].flat()) target(fragment)?.postMessage({ ns: NAMESPACE, v: 1, ...message }, "*");
      } catch (error) {
        console.error(`${attribute}: ${error instanceof Error ? error.message : error}`);
      }
    }
  };
  document.addEventListener("fragmentshown", tell("data-shown"));
  document.addEventListener("fragmenthidden", tell("data-hidden"));
})();
