// What a model found in a text, as elements: one function for each way of showing.

import { make, table, unseen } from "./dom.js";
import {
  count,
  meaning,
  megabytes,
  metric,
  millions,
  number,
  percent,
  say,
  score,
  spanish,
} from "./language.js";
import { tree } from "./tree.js";

// Of parts of speech those alike share a colour; 0 is grey.
const PARTS = {
  NOUN: 1,
  PROPN: 7,
  VERB: 3,
  AUX: 3,
  ADJ: 4,
  ADV: 5,
  PRON: 2,
  DET: 2,
  ADP: 6,
  CCONJ: 6,
  SCONJ: 6,
  NUM: 8,
};
const COLOURS = 8;

// A model's way of showing. A card does not say whether texts come in pairs: their labels do.
export function wayOf(model) {
  if (model.kind === "tag") return isChunks(model.labels) ? "entities" : "tags";
  if (model.kind === "classify") return isOfPairs(model) ? "pairs" : "topics";
  return model.kind;
}

function isChunks(labels) {
  const chunks = labels.filter((label) => label !== "O");
  return chunks.length > 0 && chunks.every((label) => /^[BIES]-./.test(label));
}

function isOfPairs(model) {
  return model.labels.includes("entailment") || (model.task?.name ?? "").startsWith("pawsx");
}

function typesOf(model) {
  return [
    ...new Set(model.labels.filter((label) => label !== "O").map((label) => label.replace(/^[BIES]-/, ""))),
  ].sort();
}

function colourOf(model, label) {
  if (model.kind === "tag" && !isChunks(model.labels) && model.labels.includes("NOUN"))
    return Object.hasOwn(PARTS, label) ? PARTS[label] : 0;
  const types = typesOf(model);
  // The four of CoNLL, in their order, get the first four.
  return 1 + (Math.max(0, types.indexOf(label)) % COLOURS);
}

// The parts of two answers that differ: of each a set of places, and how many differences they make.
export function differences(way, found, other) {
  if (way === "topics" || way === "pairs") {
    const unlike = found[0]?.label !== other[0]?.label;
    return { mine: new Set(unlike ? [0] : []), theirs: new Set(unlike ? [0] : []), count: Number(unlike) };
  }
  if (way === "answer") [found, other] = [found.slice(0, 1), other.slice(0, 1)];
  const key = (one) => [one.start, one.end, one.label, one.head].join(" ");
  const without = (some, others) => {
    const known = new Set(others.map(key));
    return new Set(some.flatMap((one, n) => (known.has(key(one)) ? [] : [n])));
  };
  const mine = without(found, other);
  const theirs = without(other, found);
  // Places that overlap are one difference: two names for the same words, say.
  const spans = [...[...mine].map((n) => found[n]), ...[...theirs].map((n) => other[n])];
  spans.sort((a, b) => a.start - b.start || a.end - b.end);
  let places = 0;
  let end = -1;
  for (const span of spans) {
    if (places === 0 || span.start >= end) places += 1;
    end = Math.max(end, span.end);
  }
  return { mine, theirs, count: places };
}

// {nodes, told}: elements, and the same in one line for those who listen.
export function show(model, answer, text, second, marked) {
  return SHOWN[wayOf(model)](model, answer.found, wayOf(model) === "answer" ? second : text, marked);
}

const SHOWN = { entities, tags, topics: classes, pairs: classes, answer: answers, parse };

// The server counts characters as Python does: those beyond the first plane are one, here two.
function cut(text, found) {
  const letters = Array.from(text);
  const pieces = [];
  let at = 0;
  for (const one of found) {
    pieces.push(letters.slice(at, one.start).join(""), letters.slice(one.start, one.end).join(""));
    at = one.end;
  }
  return [...pieces, letters.slice(at).join("")];
}

function sign(differs) {
  return differs
    ? make("span", { class: "sign" }, make("span", { "aria-hidden": "true" }, "≠"), unseen(say("differs")))
    : null;
}

function about(one, model) {
  const what = meaning(one.label, model.task?.name);
  return `${one.label}${what ? ` (${what})` : ""}, ${percent(one.probability)}`;
}

function entities(model, found, text, marked) {
  const pieces = cut(text, found);
  const running = spanish("p", { class: "running" }, pieces[0]);
  found.forEach((one, n) => {
    const facts = {
      class: `entity c${colourOf(model, one.label)}${marked.has(n) ? " differs" : ""}`,
      title: about(one, model),
    };
    const label = make("span", { class: "label" }, one.label, sign(marked.has(n)));
    running.append(make("mark", facts, pieces[2 * n + 1], unseen(" "), label), pieces[2 * n + 2]);
  });
  const told = found.map((one) => `${one.text} (${one.label})`).join(", ");
  if (!found.length)
    return {
      nodes: [running, make("p", { class: "hint" }, say("nothing.entities"))],
      told: say("nothing.entities"),
    };
  return { nodes: [running, legend(model, found)], told: `${count(found.length, "entities")}: ${told}` };
}

function tags(model, found, text, marked) {
  if (!found.length)
    return { nodes: [make("p", { class: "hint" }, say("nothing.words"))], told: say("nothing.words") };
  const pieces = cut(text, found);
  const running = spanish("p", { class: "running tagged" }, pieces[0]);
  found.forEach((one, n) => {
    const facts = {
      class: `word c${colourOf(model, one.label)}${marked.has(n) ? " differs" : ""}`,
      title: about(one, model),
    };
    const label = make("span", { class: "label" }, one.label, sign(marked.has(n)));
    running.append(
      make("span", facts, make("span", { class: "form" }, one.text), unseen(" "), label),
      pieces[2 * n + 2],
    );
  });
  return { nodes: [running, legend(model, found)], told: count(found.length, "words") };
}

function legend(model, found) {
  const often = new Map();
  for (const { label } of found) often.set(label, (often.get(label) ?? 0) + 1);
  const items = [...often]
    .sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))
    .map(([label, times]) => {
      const what = meaning(label, model.task?.name);
      return make(
        "li",
        {},
        make("span", { class: `swatch c${colourOf(model, label)}` }, label),
        what ? ` ${what}` : "",
        make("span", { class: "times" }, ` × ${times}`),
      );
    });
  return make("section", { class: "legend" }, make("h4", {}, say("legend")), make("ul", {}, ...items));
}

function classes(model, found, text, marked) {
  const items = found.map((one, n) => {
    const bar = make("span", { class: "bar", "aria-hidden": "true" }, make("span", {}));
    bar.firstChild.style.width = `${(100 * one.probability).toFixed(2)}%`;
    const what = meaning(one.label, model.task?.name);
    const same = what.toLowerCase() === one.label.toLowerCase();
    const name = make(
      "span",
      { class: "name" },
      one.label,
      sign(n === 0 && marked.has(0)),
      what && !same ? make("span", { class: "hint" }, ` ${what}`) : null,
    );
    return make(
      "li",
      n === 0 ? { class: `best${marked.has(0) ? " differs" : ""}` } : {},
      name,
      make("span", { class: "value" }, percent(one.probability)),
      bar,
    );
  });
  const best = found[0];
  return {
    nodes: [make("ol", { class: "bars" }, ...items)],
    told: best ? say("class.told", { label: best.label, p: percent(best.probability) }) : "",
  };
}

// The label of an answer that there is none.
const NONE = "no answer";

function answers(model, found, context, marked) {
  const [best] = found;
  const differs = marked.has(0);
  if (!best)
    return { nodes: [make("p", { class: "verdict" }, say("answer.none"))], told: say("answer.none") };
  const isNone = best.label === NONE;
  const verdict = isNone ? say("answer.none") : say("answer.is", { text: best.text });
  const pieces = cut(context, isNone ? [] : [best]);
  const running = spanish("p", { class: "running" }, pieces[0]);
  if (!isNone) {
    const label = make("span", { class: "label" }, percent(best.probability), sign(differs));
    running.append(
      make("mark", { class: `entity c1${differs ? " differs" : ""}` }, pieces[1], unseen(" "), label),
      pieces[2],
    );
  }
  const nodes = [make("p", { class: "verdict" }, verdict, isNone ? sign(differs) : null), running];
  const rows = found.slice(1).map((one) => ({
    cells: [one.label === NONE ? say("answer.none") : one.text, percent(one.probability)],
  }));
  if (isNone)
    nodes.splice(
      1,
      0,
      make("p", { class: "hint" }, say("answer.none.chance", { p: percent(best.probability) })),
    );
  if (rows.length) nodes.push(table(say("answer.others"), [say("answer"), say("chance")], rows, [1]));
  return { nodes, told: verdict };
}

function parse(model, found, text, marked) {
  if (!found.length)
    return { nodes: [make("p", { class: "hint" }, say("nothing.words"))], told: say("nothing.words") };
  const rows = found.map((one, n) => ({
    class: marked.has(n) ? "differs" : null,
    cells: [
      make("span", {}, make("span", { class: "place" }, `${n + 1} `), spanish("span", {}, one.text)),
      one.head
        ? make(
            "span",
            {},
            make("span", { class: "place" }, `${one.head} `),
            spanish("span", {}, one.head_text),
          )
        : say("root"),
      make("span", {}, one.label, sign(marked.has(n))),
      meaning(one.label),
      number(one.probability, 2),
    ],
  }));
  const heading = [say("word"), say("head"), say("relation"), say("meaning"), say("chance")];
  const details = make(
    "details",
    {},
    make("summary", {}, say("words.table")),
    table(say("words.table"), heading, rows, [4]),
  );
  return { nodes: [tree(found, marked), details], told: count(found.length, "words") };
}

// A model, what its card says of it, and what is shown of it.
export function card(model, ...inside) {
  const id = `result-${model.name}`;
  const facts = [
    [say("task"), model.task?.name],
    [
      model.task ? say("figure", { metric: metric(model.task.metric), split: model.task.split }) : "",
      model.score && model.task ? score(model.score.exported, model.score.interval) : null,
    ],
    [say("size"), megabytes(model.bytes)],
    [say("parameters"), model.parameters ? millions(model.parameters) : null],
    [say("precision"), model.precision],
  ].filter(([, value]) => value);
  const list = make(
    "dl",
    { class: "facts" },
    ...facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))),
  );
  return make(
    "article",
    { class: "card", "aria-labelledby": id, "data-model": model.name },
    make("h3", { id }, model.name),
    list,
    ...inside,
  );
}
