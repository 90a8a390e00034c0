// What the page says, in Spanish or English: words.json has both.

import { make } from "./dom.js";

let words = {};
export let language = "es";

export async function load(address) {
  words = await (await fetch(address)).json();
  const kept = recall("language");
  const wanted = kept ? [kept] : navigator.languages;
  const known = wanted.map((one) => one.slice(0, 2)).find((one) => Object.hasOwn(words.page, one));
  speak(known ?? "en");
}

export function speak(chosen) {
  language = chosen;
  document.documentElement.lang = chosen;
  for (const node of document.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
  for (const node of document.querySelectorAll("[data-name]"))
    node.setAttribute("aria-label", say(node.dataset.name));
}

// The words under a key, with {name} replaced by values.
export function say(key, values = {}) {
  const text = words.page[language]?.[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export function count(number, key) {
  return say(number === 1 ? `${key}.one` : `${key}.many`, { n: number });
}

// What a label means, or "" where nobody has said so. task: its name, since "1" means little alone.
export function meaning(label, task = "") {
  const keys = [`${task.split("-")[0]}:${label}`, label, label.split(":")[0]];
  // Every object has a `constructor`, and a label may be called so.
  const known = keys.find((key) => Object.hasOwn(words.labels, key));
  const [spanish, english] = known === undefined ? ["", ""] : words.labels[known];
  return language === "es" ? spanish : english;
}

export function metric(name) {
  const [spanish, english] = Object.hasOwn(words.metrics, name) ? words.metrics[name] : [name, name];
  return language === "es" ? spanish : english;
}

export function number(value, digits = 1) {
  return value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function percent(value) {
  return `${number(100 * value, 1)} %`;
}

// A score, with its interval's ends where there is one.
export function score(value, interval) {
  const ends = interval ? ` [${number(interval[0])}–${number(interval[1])}]` : "";
  return number(value) + ends;
}

export function megabytes(bytes) {
  return `${number(bytes / 1e6, bytes < 1e6 ? 2 : 1)} MB`;
}

export function millions(parameters) {
  return `${number(parameters / 1e6)} M`;
}

// Storage may be forbidden; then nothing is kept.
export function recall(name) {
  try {
    return localStorage.getItem(`ligero.${name}`);
  } catch {
    return null;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(`ligero.${name}`, value);
  } catch {
    // as above
  }
}

// Spanish text within a page that may be in English.
export function spanish(name, facts, ...inside) {
  return make(name, { lang: "es", ...facts }, ...inside);
}
