// One dialog for everything that leaves the page: the link, slides, a QR code, figures, data, a file, a film.
// @ts-check
import { shell, standalone } from "./boot.js";
import { dialog, download, tabbed } from "./dialog.js";
import { h } from "./dom.js";
import { pictureOf, posterOfStage, provenance, vectorsOf } from "./figure.js";
import { posterOf } from "./poster.js";
import { receipt } from "./receipt.js";
import { address, base, element, iframe, pinned, quarto, queryOf, reveal } from "./snippets.js";
import { escaped } from "./svg.js";
import { filmType, record } from "./video.js";

/** @typedef {import("./main.js").Page} Page */
/** @typedef {import("./snippets.js").Choices} Choices */
/** @typedef {import("./figure.js").Provenance} Provenance */

/** A longer link makes a QR code that the back of a hall cannot read. */
const READABLE = 200;

/**
 * A text to copy, with its button.
 * @param {string} label
 * @param {string} text
 * @param {number} rows
 */
function copyable(label, text, rows) {
  const id = `copy-${label.replace(/\W/g, "").toLowerCase()}`;
  const area = h("textarea", { id, rows, readonly: true, spellcheck: "false", class: "code", onfocus: () => area.select() });
  area.value = text;
  const done = h("span", { class: "fine", role: "status" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      done.textContent = "copied";
    } catch {
      area.select();
      done.textContent = "press Ctrl C to copy";
    }
    setTimeout(() => (done.textContent = ""), 4000);
  };
  return h("div", { class: "copyable" },
    h("div", { class: "across" }, h("label", { for: id }, label), done, h("button", { type: "button", "aria-label": `Copy: ${label}`, onclick: () => void copy() }, "Copy")), area);
}

/**
 * Names and labels of what can be hidden: the page's controls, then the parameters.
 * @param {Page} page
 */
function controlNames(page) {
  const own = [...document.querySelectorAll("#app [data-control]")].filter((control) => !control.closest("#controls"));
  const words = (/** @type {Element} */ control) => (control.getAttribute("aria-label") ?? control.querySelector(".label, .sr")?.textContent ?? control.textContent ?? "").trim();
  const id = page.described?.panes[page.pane]?.system;
  const parameters = page.manifest?.systems.find((system) => system.id === id)?.params ?? [];
  return [...own.map((control) => ({ key: control.getAttribute("data-control") ?? "", label: words(control) })), ...parameters.map(({ key, label }) => ({ key, label }))]
    .filter(({ key }, i, all) => all.findIndex((other) => other.key === key) === i);
}

/**
 * @param {Page} page
 * @param {() => void} changed
 */
function optionFields(page, changed) {
  const check = (/** @type {string} */ id, /** @type {string} */ label, disabled = false) => {
    const box = h("input", { type: "checkbox", id: `share-${id}`, disabled, onchange: changed });
    return { box, row: h("label", { class: "check" }, box, label) };
  };
  const choice = (/** @type {string} */ id, /** @type {string} */ label, /** @type {[string, string][]} */ words) => {
    const select = h("select", { id: `share-${id}`, onchange: changed }, ...words.map(([value, word]) => h("option", { value }, word)));
    return { select, row: h("div", { class: "across" }, h("label", { for: select.id }, label), select) };
  };
  const step = page.run?.step ?? 0;
  const here = check("here", `Start at this step (${step})`, step === 0);
  const paused = check("paused", "Start paused");
  const predict = check("predict", "Predict first, then reveal the curves");
  const click = check("click", "Load on a click");
  const picture = check("picture", "With a picture, for print and where it cannot run");
  const ui = choice("ui", "In a slide", [["min", "stage and run"], ["full", "everything"], ["none", "stage only"]]);
  const theme = choice("theme", "Theme", [["auto", "the reader’s"], ["light", "light"], ["dark", "dark"], ["projector", "projector"]]);
  const scale = choice("scale", "Text", [["1", "normal"], ["1.25", "125 %"], ["1.5", "150 %"], ["2", "200 %"]]);
  const names = controlNames(page);
  const boxes = new Map(names.map(({ key, label }) => [key, {
    hide: h("input", { type: "checkbox", "aria-label": `Hide ${label}`, onchange: changed }),
    lock: h("input", { type: "checkbox", "aria-label": `Lock ${label}`, onchange: changed }), label,
  }]));
  const table = h("table", { class: "columns" },
    h("thead", {}, h("tr", {}, ...["Control", "hide", "lock"].map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", {}, ...[...boxes.values()].map(({ hide, lock, label }) => h("tr", {}, h("td", {}, label), h("td", {}, hide), h("td", {}, lock)))));
  const ticked = (/** @type {"hide" | "lock"} */ which) => [...boxes].filter(([, box]) => box[which].checked).map(([key]) => key);
  return {
    /** @returns {Choices} */
    read: () => ({
      here: here.box.checked, paused: paused.box.checked, predict: predict.box.checked, click: click.box.checked, picture: picture.box.checked,
      ui: /** @type {Choices["ui"]} */ (ui.select.value), theme: theme.select.value, scale: Number(scale.select.value), hide: ticked("hide"), lock: ticked("lock"),
    }),
    fields: h("div", { class: "stack options" }, here.row, paused.row, predict.row, click.row, picture.row, ui.row, theme.row, scale.row,
      h("details", {}, h("summary", {}, "Hide or lock controls"), h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Controls to hide or lock" }, table))),
  };
}

/** @param {{ size: number, rows: string[] }} code @param {string} name */
function qrPicture({ size, rows }, name) {
  const margin = 4;
  const path = rows.map((row, y) => [...row].map((bit, x) => (bit === "1" ? `M${x + margin} ${y + margin}h1v1h-1z` : "")).join("")).join("");
  const side = size + 2 * margin;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${side} ${side}" shape-rendering="crispEdges" role="img" aria-label="${name}"><path fill="#fff" d="M0 0h${side}v${side}H0z"/><path d="${path}"/></svg>`;
}

/** @param {string} title */
const fileName = (title) => title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "pushforward";

/**
 * A button that does something slow, with the word for it.
 * @param {string} label
 * @param {() => Promise<unknown>} work
 */
function worker(label, work) {
  const said = h("span", { class: "fine", role: "status" });
  const button = h("button", {
    type: "button", class: "primary", onclick: async () => {
      button.disabled = true;
      said.textContent = "…";
      said.textContent = await work().then(() => "done", (error) => (error instanceof Error ? error.message : String(error)));
      button.disabled = false;
    },
  }, label);
  return h("div", { class: "across" }, button, said);
}

/** @param {Page} page */
export async function share(page) {
  if (document.getElementById("share-dialog")) return;
  let from = await provenance(page);
  /** @type {Choices} */
  let choices = { here: false, paused: false, ui: "min", theme: "auto", scale: 1, predict: false, click: false, picture: false, hide: [], lock: [] };
  const link = () => page.address(choices.here ? from.link_here : from.link);
  const onSite = shell === "site";
  const full = () => address(base(), link(), queryOf(choices, "page"));
  const embedded = () => address(onSite ? pinned() : base(), link(), onSite ? "embed=1" : "", queryOf(choices, "embed"));
  const name = () => fileName(from.title);
  /** The stage as it is, once it was asked for. */
  let drawn = "";
  const drawPoster = async () => (drawn ||= await posterOfStage(page));
  /** A preset's picture is on the site; that of any other demo goes along. */
  const picture = async () => {
    if (!choices.picture) return "";
    const preset = onSite && !choices.here ? await posterOf(from.link, choices.theme === "auto" ? undefined : choices.theme) : null;
    return preset?.isThis ? new URL(preset.path, pinned()).href : drawPoster();
  };
  let poster = "";

  const linkTab = () => [
    copyable("Link", full(), 3),
    h("p", { class: "fine" }, from.own_file ? "Points from a file are not part of a link: send the file as well, or a copy of this page." : `${full().length} characters: the system, every setting that is not a default, and the seed.`),
    receipt(page, from),
  ];
  const slideTab = () => {
    const script = onSite ? new URL("pushforward-demo.js", pinned()).href : null;
    const demo = { script, address: embedded(), link: link(), title: from.title, options: queryOf(choices, "embed"), picture: poster };
    return [
      copyable("HTML", iframe(embedded(), full(), from.title, poster), 5),
      copyable("reveal.js", reveal(demo), 6),
      copyable("Quarto", quarto(demo), 6),
      ...(script === null ? [] : [copyable("Custom element", element(script, link(), from.title, demo.options, poster), 4)]),
      h("p", { class: "fine" }, "In a deck the demo starts and stops with its slide, and Page Up and Page Down stay the deck’s."),
    ];
  };
  const qrTab = () => {
    const holder = h("div", { class: "qr" });
    const text = full();
    const long = text.length > READABLE ? ` A shorter link reads better from afar: this one has ${text.length} characters.` : "";
    void page.host.call("qr", text).then((code) => {
      if (!code.size) return holder.replaceChildren(h("p", { class: "problem" }, "The link is too long for a QR code."));
      const svg = qrPicture(code, "QR code of the link");
      holder.replaceChildren(h("img", { alt: "QR code of the link", src: `data:image/svg+xml,${encodeURIComponent(svg)}` }),
        h("div", { class: "across" }, h("button", { type: "button", onclick: () => download(svg, `${name()}-qr.svg`, "image/svg+xml") }, "Save as SVG")));
    });
    return [holder, h("p", { class: "fine" }, `Scan it to open this demo.${long}`)];
  };
  const figureTab = () => {
    const preview = h("img", { alt: `Preview: ${from.title} at step ${from.step}`, class: "preview" });
    const charts = h("input", { type: "checkbox", id: "figure-charts", checked: true });
    const scale = h("select", { id: "figure-scale" }, ...[1, 2, 3, 4].map((by) => h("option", { value: by, selected: by === 2 }, `${by}×`)));
    const wish = () => ({ charts: charts.checked, scale: Number(scale.value) });
    const look = async () => {
      const url = URL.createObjectURL(await pictureOf(page, { charts: charts.checked, scale: 1 }));
      preview.onload = () => URL.revokeObjectURL(url);
      preview.src = url;
    };
    charts.addEventListener("change", () => void look().catch(() => {}));
    void look().catch(() => {});
    return [preview,
      h("div", { class: "across" }, h("label", { class: "check" }, charts, "with the curves"), h("label", { for: scale.id }, "Pixels"), scale),
      h("div", { class: "across" },
        worker("Save as PNG", async () => download(await pictureOf(page, wish()), `${name()}.png`)),
        worker("Save as SVG", async () => download(await vectorsOf(page, wish()), `${name()}.svg`, "image/svg+xml"))),
      h("p", { class: "fine" }, "Axes, contours, curves and up to 4096 particles are vectors in the SVG. Both files hold the link, the seed and the version.")];
  };
  const dataTab = () => [
    worker("Particles as CSV", async () => download(await page.host.call("export_csv", "particles"), "particles.csv", "text/csv")),
    worker("Metrics as CSV", async () => download(await page.host.call("export_csv", "metrics"), "metrics.csv", "text/csv")),
    worker("Everything as JSON", async () => download(JSON.stringify(await page.host.call("export_json"), null, 1), `${name()}.json`, "application/json")),
    h("p", { class: "fine" }, "Numbers are written so that they read back bit for bit: drop particles.csv on the page, and a run starts from these very particles."),
    copyable("Cite this view", `${from.citations.join("\n")}\nComputed with Pushforward ${from.version}, ${full()}`, 4),
  ];
  const fileTab = () => [
    h("p", {}, "This very demo as one HTML file: it runs from a disk, without a network and without a server."),
    worker("Save as HTML", async () => download(carrying(await standalone(), link(), queryOf(choices, "embed"), await drawPoster(), from.title), `${name()}.html`, "text/html")),
    h("p", { class: "fine" }, "The choices for slides apply to it too, and it has a picture of the stage in it. It contains no explanation and computes with plain SIMD."),
  ];
  const filmTab = () => {
    const type = filmType();
    if (!type) return [h("p", {}, "This browser cannot record a film.")];
    /** @type {ReturnType<typeof record> | null} */
    let running = null;
    const said = h("span", { class: "fine", role: "status" });
    const button = h("button", {
      type: "button", class: "primary", onclick: () => {
        if (running) return running.stop();
        running = record(page.host, type);
        page.setPlaying(true);
        button.textContent = "Stop and save";
        said.textContent = "recording";
        void running.stopped.then((film) => {
          running = null;
          button.textContent = "Record";
          said.textContent = `${(film.size / 1e6).toFixed(1)} MB`;
          download(film, `${name()}.${type.includes("mp4") ? "mp4" : "webm"}`);
        });
      },
    }, "Record");
    element_.addEventListener("close", () => void running?.stop(), { once: true });
    return [h("p", {}, "A film of the stage, as it runs, of at most two minutes."), h("div", { class: "across" }, button, said)];
  };

  const tabs = tabbed("share", [
    { id: "link", title: "Link", fill: linkTab }, { id: "slide", title: "Slide", fill: slideTab }, { id: "qr", title: "QR code", fill: qrTab },
    { id: "figure", title: "Figure", fill: figureTab }, { id: "data", title: "Data", fill: dataTab }, { id: "file", title: "File", fill: fileTab }, { id: "film", title: "Film", fill: filmTab },
  ]);
  const options = optionFields(page, () => {
    choices = options.read();
    void picture().then((drawn) => {
      poster = drawn;
      tabs.show();
    }, () => tabs.show());
  });
  const element_ = dialog("share-dialog", "Share this demo", tabs.bar,
    h("div", { class: "sharing" }, tabs.panel, h("section", { "aria-label": "Options" }, h("h3", {}, "Options"), options.fields)));
}

/**
 * The self-contained file with a scene of its own.
 * @param {string} html
 * @param {string} scene
 * @param {string} options a query
 * @param {string} picture of it
 * @param {string} title
 */
function carrying(html, scene, options, picture, title) {
  const before = /(<script type="application\/json" id="pushforward-scene">)[^<]*(<\/script>)/;
  if (!before.test(html)) throw new Error("embed.html has no place for a scene");
  const data = JSON.stringify({ scene, query: options }).replaceAll("<", "\\u003c");
  const curtain = /(<p id="curtain"[^>]*>)(?:<img[^>]*>)?/;
  const image = `<img alt="${escaped(title)}, a picture" src="${picture}">`;
  return html.replace(curtain, (_, open) => open + image).replace(before, (_, open, close) => `${open}${data}${close}`);
}
