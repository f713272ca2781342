import { createSchedule } from "alga:extension/scheduler";
import { logInfo } from "alga:extension/logging";

// QuickJS has no TextEncoder: with escapes, the text is ASCII.
function encode(value) {
  const escape = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const text = JSON.stringify(value).replace(/[\u007f-\uffff]/g, escape);
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function setUp() {
  return createSchedule({
    endpoint: "POST /api/count",
    cron: "0 * * * *",
    name: "hourly-count",
    payload: JSON.stringify({ what: "tickets" }),
  });
}

function count(request) {
  const header = request.http.headers.find(({ name }) => name === "x-alga-scheduled-for");
  logInfo(`counting, scheduled for ${header ? header.value : "now"}`);
  return { counted: "tickets" };
}

const routes = { "/api/setup": setUp, "/api/count": count };

export function handler(request) {
  const route = routes[request.http.url];
  const [status, content] = route ? [200, route(request)] : [404, { error: "Not found" }];
  const headers = [{ name: "content-type", value: "application/json" }];
  return { status, headers, body: encode(content) };
}
