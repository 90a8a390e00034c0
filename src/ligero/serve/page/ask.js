// Requests to the server that the page came from, and to no other.

import { say } from "./language.js";

// Kept here, and gone with the page.
let token = "";

export function bring(given) {
  token = given.trim();
}

// What went wrong: a status (0 where no answer came) and one line.
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function request(address, options = {}) {
  const headers = { ...options.headers, ...(token ? { authorization: `Bearer ${token}` } : {}) };
  const began = performance.now();
  let reply, body;
  try {
    reply = await fetch(address, { ...options, headers, credentials: "omit", cache: "no-store" });
    body = await reply.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, say("error.0"));
  }
  if (!reply.ok) throw new Refused(reply.status, told(reply, body));
  return { body, milliseconds: performance.now() - began };
}

function told(reply, body) {
  const known = say(`error.${reply.status}`, { seconds: reply.headers.get("retry-after") ?? "1" });
  const begun = known.startsWith("error.") ? say("error.other", { status: reply.status }) : known;
  return body?.error ? `${begun} ${say("server.said", { said: body.error })}` : begun;
}

export async function models() {
  return (await request("models")).body.models;
}

export async function report() {
  return (await request("report.json")).body;
}

// {found, milliseconds: of the server, round: there and back}; second is null for one text.
export async function predict(name, text, second, signal) {
  const { body, milliseconds } = await request(`predict/${name}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(second === null ? { text } : { text, second }),
    signal,
  });
  return { found: body.found, milliseconds: body.milliseconds, round: milliseconds };
}
