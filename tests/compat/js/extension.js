// An extension in JavaScript, built from sdk/wit alone.
import { getContext } from "alga:extension/context";
import { logInfo } from "alga:extension/logging";
import { createSchedule, listSchedules } from "alga:extension/scheduler";
import { getClient } from "alga:extension/clients";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

const routes = {
  "/api/setup": () =>
    createSchedule({
      endpoint: "POST /api/heartbeat",
      cron: "*/5 * * * *",
      timezone: "Europe/Berlin",
      name: "heartbeat",
      payload: JSON.stringify({ source: "schedule" }),
    }),
  "/api/schedules": () => listSchedules(),
  "/api/heartbeat": (request) => {
    const headers = Object.fromEntries(request.http.headers.map(({ name, value }) => [name, value]));
    logInfo(`heartbeat of ${headers["x-alga-schedule-id"]} at ${headers["x-alga-scheduled-for"]}`);
    return { install: getContext().installId, received: JSON.parse(decoder.decode(request.http.body)) };
  },
  "/api/client": () => getClient("client-1"),
};

export function handler(request) {
  const route = routes[request.http.url];
  const [status, body] = route ? [200, route(request)] : [404, { error: "Not found" }];
  return {
    status,
    headers: [{ name: "content-type", value: "application/json" }],
    body: encoder.encode(JSON.stringify(body)),
  };
}
