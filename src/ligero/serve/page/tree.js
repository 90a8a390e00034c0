// A dependency tree as arcs above its words.

import { draw, make, width } from "./dom.js";
import { meaning, say } from "./language.js";

const WORD = 16; // pixels: size of words, and of relations
const RELATION = 12;
const STEP = 26; // between arcs one above the other
const GAP = 22; // between words, at least
const BEND = 10; // radius of an arc's corners

// found: the words in order, as the server gives them. marked: places that differ in another model.
export function tree(found, marked) {
  const arcs = levelled(
    found.flatMap((one, n) => (one.head ? [{ from: one.head - 1, to: n, label: one.label }] : [])),
  );
  const centres = placed(found, arcs);
  const last = found.length - 1;
  const wide = Math.ceil(centres[last] + width(found[last].text, WORD) / 2 + GAP);
  const top = STEP * (1 + Math.max(1, ...arcs.map((arc) => arc.level))) + 8;
  const svg = draw("svg", {
    width: wide,
    height: top + 44,
    viewBox: `0 0 ${wide} ${top + 44}`,
    role: "img",
    "aria-label": say("tree.title", { n: found.length }),
  });
  const drawn = [
    ...arcs.map((arc) => arched(arc, arcs, centres, top, marked.has(arc.to))),
    ...found.flatMap((one, n) => (one.head ? [] : [rooted(one, n, centres[n], top, marked.has(n))])),
  ];
  // The longest first, so that labels of short arcs stay on top.
  svg.append(...drawn.sort((a, b) => b.dataset.length - a.dataset.length));
  found.forEach((one, n) => {
    svg.append(
      draw(
        "text",
        {
          class: marked.has(n) ? "word differs" : "word",
          x: centres[n],
          y: top + 22,
          "text-anchor": "middle",
          "font-size": WORD,
          lang: "es",
          "data-n": n,
        },
        one.text,
      ),
    );
  });
  lighten(svg);
  return make(
    "div",
    { class: "tree wide", tabindex: "0", role: "region", "aria-label": say("tree.region") },
    svg,
  );
}

// Each arc's height: one above all that lie under it.
function levelled(arcs) {
  const span = (arc) => [Math.min(arc.from, arc.to), Math.max(arc.from, arc.to)];
  const done = [];
  for (const arc of [...arcs].sort((a, b) => Math.abs(a.from - a.to) - Math.abs(b.from - b.to))) {
    const [left, right] = span(arc);
    const under = done.filter((other) => {
      const [l, r] = span(other);
      return l < right && left < r;
    });
    done.push({ ...arc, left, right, level: 1 + Math.max(0, ...under.map((other) => other.level)) });
  }
  return done;
}

// The words' centres: as near as words allow, and relations of arcs between neighbours and others.
function placed(found, arcs) {
  const centres = [];
  found.forEach((one, n) => {
    const half = width(one.text, WORD) / 2;
    let at = n ? centres[n - 1] + width(found[n - 1].text, WORD) / 2 + GAP + half : GAP + half;
    for (const arc of arcs) {
      if (arc.right === n) at = Math.max(at, centres[arc.left] + width(arc.label, RELATION) + 2 * BEND + 10);
    }
    centres.push(at);
  });
  return centres;
}

function arched(arc, arcs, centres, top, differs) {
  // Where several arcs meet at a word their feet stand beside each other, the higher one further in.
  const foot = (n, other) => {
    const side = Math.sign(other - n);
    const above = arcs.filter(
      (a) =>
        (a.from === n || a.to === n) &&
        Math.sign((a.from === n ? a.to : a.from) - n) === side &&
        a.level > arc.level,
    );
    return centres[n] + side * (3 + 4 * above.length);
  };
  const [x, y] = [foot(arc.left, arc.right), foot(arc.right, arc.left)];
  const high = top - STEP * arc.level;
  const bend = Math.min(BEND, (y - x) / 2);
  const up = `M${x},${top} V${high + bend} Q${x},${high} ${x + bend},${high}`;
  const down = `H${y - bend} Q${y},${high} ${y},${high + bend} V${top}`;
  return grouped(
    arc,
    `${up} ${down}`,
    arc.to > arc.from ? y : x,
    (x + y) / 2,
    high,
    top,
    differs,
    arc.to,
    arc.from,
  );
}

function rooted(one, n, centre, top, differs) {
  const high = STEP - 10;
  return grouped(one, `M${centre},${high + 6} V${top}`, centre, centre, high, top, differs, n, -1);
}

function grouped(one, path, point, middle, high, top, differs, to, from) {
  const text = `${one.label}${differs ? " ≠" : ""}`;
  const group = draw("g", {
    class: differs ? "arc differs" : "arc",
    "data-to": to,
    "data-from": from,
    "data-length": from < 0 ? 1e6 : Math.abs(from - to),
  });
  const what = meaning(one.label);
  group.append(
    draw("path", { class: "line", d: path }),
    draw("path", { class: "point", d: `M${point - 4},${top - 6} h8 l-4,7 z` }),
    draw("text", { x: middle, y: high + 4, "text-anchor": "middle", "font-size": RELATION }, text),
  );
  if (what) group.append(draw("title", {}, `${one.label}: ${what}`));
  return group;
}

// Under the pointer a word shows its own arcs, and an arc itself.
function lighten(svg) {
  const light = (target) => {
    const n = target?.closest?.("text.word")?.dataset.n;
    const arc = target?.closest?.(".arc");
    svg.classList.toggle("lit", n !== undefined || Boolean(arc));
    for (const one of svg.querySelectorAll(".arc")) {
      one.classList.toggle(
        "on",
        one === arc || (n !== undefined && (one.dataset.to === n || one.dataset.from === n)),
      );
    }
  };
  svg.addEventListener("pointerover", (event) => light(event.target));
  svg.addEventListener("pointerleave", () => light(null));
}
