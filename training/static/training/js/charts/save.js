// Save a chart as a picture or as a table.

import { button, h, listen, loadImage, svg } from "../../../recognition/js/dom.js";

const SCALE = 2;
const PADDING = 16;
const TITLE_HEIGHT = 28;
const KEY_HEIGHT = 20;
const SWATCH_WIDTH = 34;
const KEY_GAP = 18;
// What CSS says of a chart, as attributes: a saved picture has no style sheet.
const STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-family", "font-size"];

const quote = (cell) => (/[",\n]/.test(cell) ? `"${String(cell).replaceAll('"', '""')}"` : String(cell));

/** Return the values of a chart as CSV: a row for each epoch, and one for each batch that the page knows. */
export function toCsv({ series, batches }) {
  const known = series.filter(({ points }, index) => points.length || (!index && batches.length));
  const epochs = [...new Set(known.flatMap(({ points }) => points.map(([at]) => at)))];
  const blanks = known.slice(1).map(() => "");
  const rows = [
    ...batches.map(([at, value]) => ["batch", Number(at.toFixed(5)), value, ...blanks]),
    ...epochs.map((at) => ["epoch", at, ...known.map(({ points }) => points.find(([epoch]) => epoch === at)?.[1] ?? "")]),
  ].sort((one, other) => one[1] - other[1]);
  return [["kind", "epoch", ...known.map(({ name }) => name)], ...rows].map((cells) => `${cells.map(quote).join(",")}\r\n`).join("");
}

/** Return a copy of an element of a chart, with its styles and the attributes of `place`. */
function styledCopy(element, place = {}) {
  const style = getComputedStyle(element);
  const styles = Object.fromEntries(STYLES.map((name) => [name, style.getPropertyValue(name)]));
  const given = Object.fromEntries([...element.attributes].map(({ name, value }) => [name, value]));
  return svg(element.localName, { ...given, ...styles, ...place }, ...[...element.childNodes].map((child) => (child.localName ? styledCopy(child) : child.data)));
}

/** Return the chart with its title and its key as an SVG element that needs no style sheet, in the page's colours. */
function standalone(chart) {
  const { width, height } = chart.svg.getBoundingClientRect();
  const { fontFamily, color } = getComputedStyle(chart.element);
  const text = (content, x, y, more) => svg("text", { x, y, fill: color, "font-family": fontFamily, "font-size": 14, ...more }, content);
  const title = [chart.title, chart.group.name].filter(Boolean).join(" · ");
  const parts = [text(title, PADDING, PADDING + 16, { "font-size": 16, "font-weight": 600 })];
  let [x, y] = [PADDING, PADDING + TITLE_HEIGHT];
  for (const key of chart.legend.element.children) {
    const { width: needed } = key.getBoundingClientRect();
    if (x > PADDING && x + needed > width) [x, y] = [PADDING, y + KEY_HEIGHT];
    const swatch = key.querySelector("svg");
    if (swatch) parts.push(styledCopy(swatch, { x, y: y + 5 }));
    parts.push(text(key.textContent, x + (swatch ? SWATCH_WIDTH : 0), y + 15, { fill: getComputedStyle(key).color }));
    x += needed + KEY_GAP;
  }
  const top = y + KEY_HEIGHT + 8;
  const size = { width: width + 2 * PADDING, height: top + height + PADDING };
  return svg("svg", { ...size, viewBox: `0 0 ${size.width} ${size.height}` },
    svg("rect", { ...size, fill: getComputedStyle(document.body).backgroundColor }), ...parts, styledCopy(chart.svg, { x: PADDING, y: top, width, height }));
}

/** Return the chart as the data URL of a PNG of twice its size. Not by toBlob(), which waits until the page is idle. */
async function toPng(chart) {
  const picture = standalone(chart);
  const image = await loadImage(`data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(picture))}`);
  const canvas = h("canvas", { width: Math.round(image.width * SCALE), height: Math.round(image.height * SCALE) });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL();
}

function download(href, { title, group }, ending) {
  const name = ["digits", group.name, title].filter(Boolean).join(" ").toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  h("a", { href, download: `${name}.${ending}` }).click();
}

/** Return a menu that saves the chart. */
export function saveMenu(chart) {
  const kinds = {
    PNG: async () => download(await toPng(chart), chart, "png"),
    CSV: () => download(`data:text/csv;charset=utf-8,${encodeURIComponent(toCsv(chart.data))}`, chart, "csv"),
  };
  const menu = h("details", { class: "save" });
  const close = () => {
    menu.open = false;
    menu.firstElementChild.focus();
  };
  const buttons = Object.entries(kinds).map(([kind, save]) => {
    const click = () => {
      save();
      close();
    };
    return button(kind, click, { "aria-label": `Save ${chart.title.toLowerCase()} as ${kind}` });
  });
  menu.append(h("summary", { "aria-label": `Save ${chart.title.toLowerCase()}` }, "Save"), h("div", {}, ...buttons));
  listen(menu, {
    keydown: (event) => event.key === "Escape" && menu.open && close(),
    focusout: ({ relatedTarget }) => {
      if (relatedTarget && !menu.contains(relatedTarget)) menu.open = false;
    },
  });
  return menu;
}
