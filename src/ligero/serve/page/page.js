// The page: what is chosen, what is asked, and what is shown of it.

import * as ask from "./ask.js";
import { find, make } from "./dom.js";
import * as frontier from "./frontier.js";
import { count, language, load, megabytes, number, recall, remember, say, speak } from "./language.js";
import { card, differences, show, wayOf } from "./show.js";

// Milliseconds without a key after which a text is read.
const PAUSE = 350;
const THEMES = ["auto", "light", "dark"];

const state = {
  models: [],
  report: { tasks: [] },
  examples: {},
  view: "read",
  model: "",
  with: "",
  task: "",
  axis: "",
  shown: [], // {model, answer} or {model, error}, as asked last
  asked: ["", null],
  times: new Map(), // name -> the server's milliseconds, of every answer
  failed: "",
};
let under = new AbortController();
let timer = 0;

const named = (name) => state.models.find((model) => model.name === name);
const way = () => wayOf(named(state.model));
const takesTwo = () => ["answer", "classify"].includes(named(state.model).kind);
const needsTwo = () => ["answer", "pairs"].includes(way());

// The address keeps what is chosen, and never a text.

const KEPT = ["view", "model", "with", "task", "axis"];

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const name of KEPT) if (given.has(name)) state[name] = given.get(name);
  if (!["read", "frontier"].includes(state.view)) state.view = "read";
  if (!named(state.model)) state.model = state.models[0]?.name ?? "";
  if (!comparable(named(state.model)).some((model) => model.name === state.with)) state.with = "";
}

function writeAddress() {
  history.replaceState(null, "", address(state.view));
}

function address(view) {
  const kept = KEPT.flatMap((name) =>
    name === "view" ? [[name, view]] : state[name] ? [[name, state[name]]] : [],
  );
  return `#${new URLSearchParams(kept)}`;
}

// Models that read the same kind of text.
function comparable(model) {
  return state.models.filter((other) => other !== model && other.kind === model?.kind);
}

// Choices.

function option(value, text) {
  return make("option", { value }, text);
}

function fill(select, options, chosen) {
  select.replaceChildren(...options);
  select.value = chosen;
}

function labelled(model) {
  return `${model.name} · ${model.kind} · ${megabytes(model.bytes)}`;
}

function showChoices() {
  fill(
    find("model"),
    state.models.map((model) => option(model.name, labelled(model))),
    state.model,
  );
  const others = comparable(named(state.model));
  fill(
    find("other"),
    [option("", say("other.none")), ...others.map((model) => option(model.name, labelled(model)))],
    state.with,
  );
  find("other").disabled = !others.length;
  const texts = way() === "answer" ? "answer" : way() === "pairs" ? "pair" : "text";
  find("first-label").textContent = say(`first.${texts}`);
  find("first").rows = texts === "answer" ? 1 : 4;
  find("second-part").hidden = !takesTwo();
  find("second-label").textContent = say(texts === "text" ? "second.maybe" : `second.${texts}`);
  find("second").rows = texts === "answer" ? 6 : texts === "pair" ? 4 : 1;
  find("chips").replaceChildren(
    ...(state.examples[way()] ?? []).map(([first, second]) => {
      const chip = make(
        "button",
        { type: "button", class: "chip", lang: "es" },
        first.length > 44 ? `${first.slice(0, 42).trimEnd()}…` : first,
      );
      chip.addEventListener("click", () => {
        find("first").value = first;
        find("second").value = second ?? "";
        read();
      });
      return chip;
    }),
  );
}

function showTheme() {
  const theme = document.documentElement.dataset.theme ?? "auto";
  find("theme").textContent = say(`theme.${theme}`);
}

function setTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

// Reading.

function later() {
  clearTimeout(timer);
  if (find("live").checked) timer = setTimeout(read, PAUSE);
}

async function read() {
  clearTimeout(timer);
  under.abort();
  const mine = (under = new AbortController());
  const text = find("first").value;
  const second = takesTwo() && find("second").value.trim() ? find("second").value : null;
  state.asked = [text, second];
  if (!text.trim() || (needsTwo() && second === null)) {
    state.shown = [];
    find("found").setAttribute("aria-busy", "false");
    showFound();
    return;
  }
  find("found").setAttribute("aria-busy", "true");
  if (!state.shown.length) find("results").replaceChildren(make("p", { class: "empty" }, say("reading")));
  const shown = [];
  // In turn: asked at once, each would wait for the other and its time would say nothing.
  for (const name of [state.model, state.with].filter(Boolean)) {
    try {
      const answer = await ask.predict(name, text, second, mine.signal);
      state.times.set(name, [...(state.times.get(name) ?? []), answer.milliseconds]);
      shown.push({ model: named(name), answer });
    } catch (error) {
      if (mine.signal.aborted) return;
      if (!(error instanceof ask.Refused)) throw error;
      if (error.status === 401) askToken();
      shown.push({ model: named(name), error: error.message });
    }
    if (mine.signal.aborted) return;
  }
  state.shown = shown;
  find("found").setAttribute("aria-busy", "false");
  showFound();
}

function showFound() {
  const [one, two] = state.shown;
  const none = { mine: new Set(), theirs: new Set(), count: 0 };
  let unlike = none;
  let said = "";
  if (one?.answer && two?.answer) {
    const labels = (model) => [...model.labels].sort().join("\n");
    const alike = labels(one.model) === labels(two.model);
    if (alike) unlike = differences(way(), one.answer.found, two.answer.found);
    said = !alike
      ? say("differences.unlike")
      : unlike.count
        ? count(unlike.count, "differences")
        : say("differences.none");
  }
  find("compared").hidden = !said;
  find("compared").textContent = said;
  find("compared").classList.toggle("unlike", unlike.count > 0);
  const told = [];
  const parts = state.shown.map((shown, n) => {
    if (shown.error) {
      told.push(say("error.model", { name: shown.model.name, said: shown.error }));
      return card(shown.model, make("p", { class: "error" }, shown.error));
    }
    const { nodes, told: line } = show(
      shown.model,
      shown.answer,
      ...state.asked,
      n ? unlike.theirs : unlike.mine,
    );
    told.push(state.shown.length > 1 ? say("error.model", { name: shown.model.name, said: line }) : line);
    const { milliseconds, round } = shown.answer;
    const took = make(
      "p",
      { class: "took" },
      say("took", { server: number(milliseconds, 1), round: number(round, 0) }),
    );
    return card(shown.model, took, ...nodes);
  });
  const empty = make("p", { class: "empty" }, say(needsTwo() ? "empty.pair" : "empty"));
  find("results").replaceChildren(...(parts.length ? parts : [empty]));
  find("told").textContent = [...told, said].filter(Boolean).join(" ");
}

// The frontier.

function showFrontier() {
  const plane = find("plane");
  const tasks = frontier.tasksOf(state.report, state.models);
  const reported = state.report.tasks.length > 0;
  const intro = make(
    "p",
    {},
    reported
      ? say("frontier.intro", { date: frontier.dated(state.report.date) })
      : say(tasks.length ? "frontier.served" : "frontier.none"),
  );
  const how = make(
    "div",
    { class: "how" },
    make("p", {}, say("frontier.how")),
    make("pre", { tabindex: "0" }, "ligero report runs --out report\nligero serve … --report report"),
  );
  if (!tasks.length) return plane.replaceChildren(intro, how);
  const task = tasks.find((one) => one.key === state.task) ?? likeliest(tasks);
  const axes = frontier.axesOf(task);
  const axis = axes.includes(state.axis) ? state.axis : axes[0];
  const choices = make(
    "div",
    { class: "choices" },
    choice(
      "task",
      say("frontier.task"),
      tasks.map((one) => option(one.key, one.title)),
      task.key,
    ),
    choice(
      "axis",
      say("frontier.axis"),
      axes.map((name) => option(name, say(`axis.${name}`))),
      axis ?? "",
    ),
  );
  const here = new Map([...state.times].map(([name, times]) => [name, median(times)]));
  const nodes = frontier.view(task, axis, plane.clientWidth, here);
  if (task.points.some((p) => p.where === "served" && here.has(p.name)))
    nodes.push(make("p", { class: "hint" }, say("here.note")));
  plane.replaceChildren(intro, choices, ...nodes, ...(reported ? [] : [how]));
}

// Of the chosen model's task the split with the most models; else the first task.
function likeliest(tasks) {
  const own = tasks.filter((one) => one.name === named(state.model)?.task?.name);
  return own.sort((a, b) => b.points.length - a.points.length)[0] ?? tasks[0];
}

function choice(name, label, options, chosen) {
  const select = make("select", { id: `frontier-${name}` });
  fill(select, options, chosen);
  select.addEventListener("change", () => {
    state[name] = select.value;
    writeAddress();
    showFrontier();
    find(`frontier-${name}`).focus();
  });
  return make("div", {}, make("label", { for: select.id }, label), select);
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

// The whole page.

function showAll() {
  find("language").textContent = say("other.language");
  find("language").lang = language === "es" ? "en" : "es";
  showTheme();
  find("failed").hidden = !state.failed;
  find("failed").textContent = state.failed;
  find("loading").hidden = true;
  const open = state.models.length > 0;
  for (const view of ["read", "frontier"]) {
    find(view).hidden = !open || state.view !== view;
    find(`to-${view}`).href = address(view);
    find(`to-${view}`).toggleAttribute("aria-current", false);
  }
  find(`to-${state.view}`).setAttribute("aria-current", "page");
  if (!open) return;
  showChoices();
  showFound();
  if (state.view === "frontier") showFrontier();
  document.title = `${say(state.view === "read" ? "read.title" : "frontier.title")} · ligero`;
}

function askToken() {
  // A browser that follows a link brings no token.
  find("to-docs").hidden = true;
  find("token-form").hidden = false;
  find("token").focus();
}

async function start() {
  try {
    [state.models, state.report] = [await ask.models(), await ask.report()];
    state.failed = "";
    find("token-form").hidden = true;
  } catch (error) {
    if (!(error instanceof ask.Refused)) throw error;
    state.failed = error.message;
    if (error.status === 401) askToken();
  }
  readAddress();
  showAll();
}

function listen() {
  find("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    read();
  });
  for (const id of ["first", "second"]) {
    find(id).addEventListener("input", later);
    find(id).addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) read();
    });
  }
  find("clear").addEventListener("click", () => {
    find("first").value = find("second").value = "";
    find("first").focus();
    read();
  });
  find("model").addEventListener("change", () => {
    state.model = find("model").value;
    if (!comparable(named(state.model)).some((model) => model.name === state.with)) state.with = "";
    state.task = "";
    state.shown = [];
    writeAddress();
    showAll();
    read();
  });
  find("other").addEventListener("change", () => {
    state.with = find("other").value;
    writeAddress();
    showAll();
    read();
  });
  find("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    ask.bring(find("token").value);
    find("token").value = "";
    if (state.models.length) find("token-form").hidden = true;
    state.models.length ? read() : start();
  });
  find("language").addEventListener("click", () => {
    speak(language === "es" ? "en" : "es");
    remember("language", language);
    showAll();
  });
  find("theme").addEventListener("click", () => {
    const now = document.documentElement.dataset.theme ?? "auto";
    const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
    setTheme(next);
    remember("theme", next);
    showTheme();
  });
  find("skip").addEventListener("click", (event) => {
    event.preventDefault();
    find("main").focus();
  });
  addEventListener("hashchange", () => {
    const before = [state.model, state.with].join();
    readAddress();
    showAll();
    if ([state.model, state.with].join() !== before) read();
  });
  let wide = innerWidth;
  addEventListener("resize", () => {
    if (wide !== (wide = innerWidth) && state.view === "frontier" && state.models.length) showFrontier();
  });
}

setTheme(THEMES.includes(recall("theme")) ? recall("theme") : "auto");
await load("page/words.json");
find("loading").hidden = false;
state.examples = await (await fetch("page/examples.json")).json();
listen();
await start();
