// The second view: score against cost, a point for each model, and the same as a table.

import { draw, make, table, width } from "./dom.js";
import { language, megabytes, metric, millions, number, say, score } from "./language.js";

// How each cost is read off a point, shown, and where its ticks may stand. Less is better in all.
const AXES = {
  relative: {
    of: (p) => p.relative,
    tick: (v) => (v > 1 ? `1/${number(v, 0)}×` : `${number(1 / v, 0)}×`),
    show: (v) => `${number(1 / v, v > 1 ? 2 : 1)}×`,
  },
  ms: { of: (p) => p.ms, tick: (v) => number(v, v < 1 ? 2 : 0), show: (v) => `${number(v, 2)} ms` },
  bytes: { of: (p) => p.bytes, tick: (v) => number(v / 1e6, 0), show: megabytes },
  parameters: { of: (p) => p.parameters, tick: (v) => number(v / 1e6, 0), show: millions },
};

// Where a point comes from: in the order of the legend.
const KINDS = ["own", "published", "served"];

// The tasks of a report, or of the cards of what is served: {key, name, title, metric, warnings, points}.
export function tasksOf(report, models) {
  if (report.tasks.length) return report.tasks.map((task) => reported(task, models));
  const tasks = new Map();
  for (const model of models.filter((one) => one.score && one.task)) {
    const { name, split, metric: by } = model.task;
    const key = called(name, split);
    if (!tasks.has(key)) tasks.set(key, { key, name, title: key, metric: by, warnings: [], points: [] });
    const { exported, interval } = model.score;
    tasks.get(key).points.push({ ...model, where: "served", score: exported, interval });
  }
  return [...tasks.values()];
}

function reported(task, models) {
  const served = new Set(models.filter((one) => one.task?.name === task.task).map((one) => one.name));
  const own = task.points.map((p) => ({ ...p, where: served.has(p.name) ? "served" : "own" }));
  const papers = task.published.map((p) => ({ ...p, where: "published" }));
  return {
    key: called(task.task, task.split),
    name: task.task,
    title: called(task.title, task.split),
    metric: task.beside,
    warnings: task.warnings,
    points: [...own, ...papers],
  };
}

function called(name, split) {
  return split === "test" ? name : `${name}, ${split}`;
}

export function axesOf(task) {
  return Object.keys(AXES).filter((name) => task.points.some((p) => AXES[name].of(p)));
}

// The points that no other beats: of a higher score than all that cost as little.
export function front(points, axis) {
  const { of } = AXES[axis];
  const priced = points.filter((p) => of(p)).sort((a, b) => of(a) - of(b) || b.score - a.score);
  let best = -Infinity;
  return priced.filter((p) => p.score > best && ((best = p.score), true));
}

// Elements for one task. here: name -> median of the server's milliseconds on this page.
export function view(task, axis, space, here) {
  const nodes = task.warnings.map((said) => make("p", { class: "hint", lang: "en" }, said));
  const priced = axis ? task.points.filter((p) => AXES[axis].of(p)) : [];
  const best = new Set(priced.length > 1 ? front(priced, axis) : []);
  if (priced.length > 1) nodes.push(legend(task.points), plot(task, axis, priced, best, space));
  else nodes.push(make("p", { class: "hint" }, say("frontier.few")));
  const lacking = task.points.filter((p) => !priced.includes(p)).map((p) => p.name);
  // A report says itself whose speed is not known.
  if (lacking.length && priced.length > 1 && axis !== "relative")
    nodes.push(
      make("p", { class: "hint" }, say("frontier.lacking", { names: [...new Set(lacking)].join(", ") })),
    );
  nodes.push(listed(task, best, here));
  return nodes;
}

function legend(points) {
  const present = KINDS.filter((kind) => points.some((p) => p.where === kind));
  const items = present.map((kind) =>
    make(
      "li",
      {},
      draw(
        "svg",
        { class: `plot key ${kind}`, width: 16, height: 16, "aria-hidden": "true" },
        marker(kind, 8, 8),
      ),
      ` ${say(`key.${kind}`)}`,
    ),
  );
  const line = draw(
    "svg",
    { class: "plot key", width: 28, height: 16, "aria-hidden": "true" },
    draw("path", { class: "front", d: "M1,12 H14 V4 H27" }),
  );
  return make("ul", { class: "keys-of-plot" }, ...items, make("li", {}, line, ` ${say("key.front")}`));
}

// A shape for each kind, so that colour is never alone.
function marker(kind, x, y) {
  if (kind === "published")
    return draw("rect", { class: `dot ${kind}`, x: x - 4.5, y: y - 4.5, width: 9, height: 9 });
  if (kind === "served")
    return draw("path", { class: `dot ${kind}`, d: `M${x},${y - 7} l7,7 l-7,7 l-7,-7 z` });
  return draw("circle", { class: `dot ${kind}`, cx: x, cy: y, r: 5 });
}

function plot(task, axis, priced, best, space) {
  const wide = Math.max(300, Math.min(space, 1100));
  const high = Math.round(Math.max(300, Math.min(460, wide * 0.55)));
  const box = { left: 46, right: wide - 16, top: 26, bottom: high - 48 };
  const { of, tick } = AXES[axis];
  const costs = priced.map(of);
  const [cheap, dear] = [Math.min(...costs), Math.max(...costs)];
  const room = Math.max(0.08 * Math.log(dear / cheap), 0.25);
  const ends = [Math.log(dear) + room, Math.log(cheap) - room]; // the cheapest to the right
  const x = (cost) => box.left + ((Math.log(cost) - ends[0]) / (ends[1] - ends[0])) * (box.right - box.left);
  const levels = priced.flatMap((p) => [
    p.score,
    ...(p.interval && p.where !== "published" ? p.interval : []),
  ]);
  const [low, top] = stretched(Math.min(...levels), Math.max(...levels));
  const y = (value) => box.bottom - ((value - low) / (top - low)) * (box.bottom - box.top);
  const svg = draw("svg", {
    class: "plot",
    width: wide,
    height: high,
    viewBox: `0 0 ${wide} ${high}`,
    role: "group",
    "aria-label": say("frontier.plot", {
      metric: metric(task.metric),
      axis: say(`axis.${axis}`),
      n: priced.length,
    }),
  });
  for (const value of round(low, top)) {
    svg.append(
      draw("path", { class: "grid", d: `M${box.left},${y(value)} H${box.right}` }),
      draw("text", { x: box.left - 8, y: y(value) + 4, "text-anchor": "end" }, number(value, 0)),
    );
  }
  for (const value of powers(cheap * Math.exp(-room), dear * Math.exp(room), axis, wide)) {
    svg.append(
      draw("path", { class: "grid", d: `M${x(value)},${box.top} V${box.bottom}` }),
      draw("text", { x: x(value), y: box.bottom + 18, "text-anchor": "middle" }, tick(value)),
    );
  }
  const named = wide < 520 ? say(`axis.${axis}`) : say(`axis.${axis}.long`);
  svg.append(
    draw(
      "text",
      { class: "axis", x: (box.left + box.right) / 2, y: high - 8, "text-anchor": "middle" },
      named,
    ),
  );
  svg.append(draw("text", { class: "axis", x: box.left, y: 14 }, `${metric(task.metric)}, %`));
  svg.append(steps([...best], of, x, y, box));
  const inOrder = [...priced].sort(
    (a, b) =>
      KINDS.indexOf(b.where === "own" ? "published" : b.where) -
      KINDS.indexOf(a.where === "own" ? "published" : a.where),
  );
  const dots = inOrder.map((p) => dot(p, axis, best.has(p), x(of(p)), y));
  svg.append(...dots.reverse());
  svg.append(...names(dots, wide, box));
  const tip = make("p", { class: "tip", hidden: true, "aria-hidden": "true" });
  const frame = make("div", { class: "plane" }, svg, tip);
  pointing(svg, tip, wide);
  return frame;
}

// The front as steps: what the best score is for each cost.
function steps(best, of, x, y, box) {
  const path = best
    .map((p, n) => (n ? `H${x(of(p))} V${y(p.score)}` : `M${box.right},${y(p.score)} H${x(of(p))}`))
    .join(" ");
  return draw("path", { class: "front", d: `${path} H${box.left}` });
}

function told(p, axis) {
  return `${p.name}: ${score(p.score, p.interval)}, ${AXES[axis].show(AXES[axis].of(p))}`;
}

function dot(p, axis, isBest, x, y) {
  const at = y(p.score);
  const where = say(`where.${p.where}`);
  const name = `${told(p, axis)} (${where}${isBest ? `, ${say("front")}` : ""})`;
  const group = draw("g", {
    class: `point ${p.where}${isBest ? " best" : ""}`,
    tabindex: "0",
    role: "img",
    "aria-label": name,
    "data-x": x,
    "data-y": at,
    "data-name": p.name,
  });
  if (p.interval && p.where !== "published")
    group.append(draw("path", { class: "interval", d: `M${x},${y(p.interval[0])} V${y(p.interval[1])}` }));
  group.append(marker(p.where, x, at));
  return group;
}

// Names beside the served and the best, each where no other name or point is; others on focus.
function names(dots, wide, box) {
  const taken = dots.map((one) => ({
    left: one.dataset.x - 7,
    right: Number(one.dataset.x) + 7,
    top: one.dataset.y - 7,
    bottom: Number(one.dataset.y) + 7,
  }));
  const free = (area) =>
    area.left > box.left &&
    area.right < wide &&
    area.top > box.top + 12 &&
    !taken.some(
      (t) => t.left < area.right && area.left < t.right && t.top < area.bottom && area.top < t.bottom,
    );
  const worth = [...dots]
    .filter((one) => one.matches(".served, .best"))
    .sort((a, b) => b.matches(".served") - a.matches(".served"));
  const said = new Set();
  return worth.flatMap((one) => {
    const { name } = one.dataset;
    if (said.has(name)) return [];
    const [x, y, half] = [Number(one.dataset.x), Number(one.dataset.y), width(name, 12) + 4];
    const places = [
      [x + 10, y - 7],
      [x - 10 - half, y - 7],
      [x - half / 2, y - 24],
      [x - half / 2, y + 10],
    ];
    const place = places.find(([left, top]) => free({ left, right: left + half, top, bottom: top + 14 }));
    if (!place) return [];
    said.add(name);
    const [left, top] = place;
    taken.push({ left, right: left + half, top, bottom: top + 14 });
    return [draw("text", { class: "named", x: left, y: top + 11, "aria-hidden": "true" }, name)];
  });
}

// The name of the point under the pointer or in focus, beside it.
function pointing(svg, tip, wide) {
  const point = (event) => event.target.closest?.(".point");
  const open = (one) => {
    tip.hidden = !one;
    if (!one) return;
    tip.textContent = one.getAttribute("aria-label");
    const x = Number(one.dataset.x);
    tip.style.top = `${Number(one.dataset.y) + 12}px`;
    tip.style.left = x < wide / 2 ? `${x}px` : "auto";
    tip.style.right = x < wide / 2 ? "auto" : `calc(100% - ${x}px)`;
  };
  svg.addEventListener("pointerover", (event) => open(point(event)));
  svg.addEventListener("pointerleave", () => open(null));
  svg.addEventListener("focusin", (event) => open(point(event)));
  svg.addEventListener("focusout", () => open(null));
}

function stretched(low, high) {
  const room = Math.max(0.06 * (high - low), 0.5);
  return [Math.max(0, low - room), Math.min(100, high + room)];
}

// Round values between two ends: 1, 2 or 5 times a power of ten apart.
function round(low, high) {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].find((times) => times * power >= rough) * power);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) found.push(value);
  return found;
}

// Ticks of a logarithmic axis: powers of two, as few as there is room for.
function powers(low, high, axis, wide) {
  const unit = axis === "bytes" || axis === "parameters" ? 1e6 : 1;
  const from = Math.ceil(Math.log2(low / unit));
  const to = Math.floor(Math.log2(high / unit));
  const every = Math.max(1, Math.ceil((to - from + 1) / (wide / 70)));
  const found = [];
  for (let power = from; power <= to; power += every) found.push(2 ** power * unit);
  return found;
}

function listed(task, best, here) {
  const rows = [...task.points].sort((a, b) => b.score - a.score);
  const columns = [
    [say("column.model"), (p) => p.name, false],
    [metric(task.metric), (p) => score(p.score, p.interval), true],
    [say("axis.relative"), (p) => (p.relative ? AXES.relative.show(p.relative) : ""), true],
    [say("axis.ms"), (p) => (p.ms ? AXES.ms.show(p.ms) : ""), true],
    [
      say("column.here"),
      (p) => (p.where === "served" && here.get(p.name) ? number(here.get(p.name), 2) : ""),
      true,
    ],
    [say("axis.bytes"), (p) => (p.bytes ? megabytes(p.bytes) : ""), true],
    [say("axis.parameters"), (p) => (p.parameters ? millions(p.parameters) : ""), true],
    [say("precision"), (p) => p.precision ?? "", false],
    [say("key.front"), (p) => (best.has(p) ? say("yes") : ""), false],
    [say("column.where"), (p) => say(`where.${p.where}`), false],
  ].filter(([, of]) => rows.some((p) => of(p)));
  const numbers = columns.flatMap(([, , isNumber], n) => (isNumber ? [n] : []));
  const made = table(
    task.title,
    columns.map(([name]) => name),
    rows.map((p) => ({ class: p.where, cells: columns.map(([, of]) => of(p)) })),
    numbers,
  );
  made.classList.add("long");
  return made;
}

// The date of a report as a person writes it.
export function dated(date) {
  return date ? new Date(`${date}T12:00:00`).toLocaleDateString(language, { dateStyle: "long" }) : "?";
}
