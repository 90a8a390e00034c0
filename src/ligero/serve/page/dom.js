// Elements. What is put into them is text and never read as HTML.

const SVG = "http://www.w3.org/2000/svg";

function filled(node, facts, inside) {
  for (const [name, value] of Object.entries(facts)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...inside.filter((one) => one !== null && one !== undefined));
  return node;
}

export function make(name, facts = {}, ...inside) {
  return filled(document.createElement(name), facts, inside);
}

export function draw(name, facts = {}, ...inside) {
  return filled(document.createElementNS(SVG, name), facts, inside);
}

export function find(id) {
  return document.getElementById(id);
}

// Only those who listen to the page hear this.
export function unseen(text) {
  return make("span", { class: "unseen" }, text);
}

// heading: texts. rows: lists of texts or nodes; numbers: which columns are.
export function table(caption, heading, rows, numbers = []) {
  const align = (n) => (numbers.includes(n) ? { class: "number" } : {});
  const head = heading.map((text, n) => make("th", { scope: "col", ...align(n) }, text));
  const body = rows.map(({ cells, ...facts }) =>
    make(
      "tr",
      facts,
      ...cells.map((cell, n) => make(n ? "td" : "th", { ...(n ? {} : { scope: "row" }), ...align(n) }, cell)),
    ),
  );
  return make(
    "div",
    { class: "wide", tabindex: "0", role: "region", "aria-label": caption },
    make(
      "table",
      {},
      make("caption", {}, caption),
      make("thead", {}, make("tr", {}, ...head)),
      make("tbody", {}, ...body),
    ),
  );
}

// Width of a text in pixels, as the browser would set it.
const canvas = document.createElement("canvas").getContext("2d");
export function width(text, size, weight = 400) {
  canvas.font = `${weight} ${size}px ${getComputedStyle(document.body).fontFamily}`;
  return canvas.measureText(text).width;
}
