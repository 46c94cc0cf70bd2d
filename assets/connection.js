// Says on every page when its live connection to the console is refused or lost, and why; see ui/frame/connection.py.
// A script of its own, so that it also speaks when the page itself could not start.
"use strict";

(() => {
  const LOOK_MS = 500;
  const GRACE_MS = 1000; // A connection that comes back by itself, as after a restart, is not worth a word.
  const LATE_MS = 2800; // A page that had no answer for so long says so.
  const ASK_MS = 1500; // How long the console may take to say what it is set up for.
  const AGAIN_MS = 3000; // How often the reason is looked for anew.

  let lost; // when the page's socket was closed, until one is answered again
  let since; // when it was first seen that something is wrong
  let refused; // and when that the connection is
  let asks = false;
  let asked = 0;

  // Reflex hears of a connection that could not be made, but for 20 seconds not of one that was made and closed before
  // it was answered, as by a proxy. So the page's sockets are looked at themselves.
  class Watched extends WebSocket {
    constructor(address, ...more) {
      super(address, ...more);
      if (!new URL(address, location.href).pathname.startsWith("/_event")) return;
      this.addEventListener("message", () => (lost = undefined));
      this.addEventListener("close", () => (lost ??= performance.now()));
    }
  }
  window.WebSocket = Watched;
  window.addEventListener("pageshow", () => (lost = undefined));

  async function reason() {
    let answer;
    try {
      const signal = AbortSignal.timeout(ASK_MS);
      answer = await fetch("/api/v1/connection", { cache: "no-store", credentials: "omit", signal });
    } catch {
      return navigator.onLine
        ? ["The connection to the console is lost. Trying again."]
        : ["This device is offline: the connection to the console is lost. Trying again."];
    }
    const found = answer.ok ? await answer.json().catch(() => null) : null;
    if (!Array.isArray(found?.origins)) {
      return [`The connection to the console is lost: error ${answer.status} is answered in its place. Trying again.`];
    }
    if (!found.origins.includes(location.origin)) {
      const text = `This page was opened at ${location.origin}, but the console is set up for ${found.origins[0]}`;
      const href = found.origins[0] + location.pathname + location.search;
      return [`${text} (BILLING_PUBLIC_URL). `, { text: "Open it there.", href }];
    }
    // The console's own reason is a sentence; those of Socket.IO are not.
    const said = document.getElementById("connection")?.dataset.reason ?? "";
    if (refused !== undefined && said.endsWith(".")) return [said];
    return refused === undefined
      ? ["The console takes long to answer this page. Still waiting."]
      : ["The console refuses this page's live connection, or a proxy does not pass websockets. Trying again."];
  }

  function show(place, parts) {
    if (place.textContent === parts.map((part) => part.text ?? part).join("")) return; // said once to those who listen
    place.replaceChildren(
      ...parts.map((part) => (part.href ? Object.assign(document.createElement("a"), { href: part.href, textContent: part.text }) : part)),
    );
  }

  async function look() {
    const place = document.getElementById("connection");
    if (!place) return;
    const now = performance.now();
    const wrong = Number(place.dataset.errors) > 0 || lost !== undefined;
    if (!wrong && place.dataset.answered === "true") {
      since = refused = undefined;
      asked = 0;
      if (place.hasChildNodes()) place.replaceChildren();
      return;
    }
    since ??= now;
    refused = wrong ? (refused ?? now) : undefined;
    const due = wrong ? refused + GRACE_MS : since + LATE_MS;
    if (asks || now < due || (asked && now < asked + AGAIN_MS)) return;
    asks = true;
    const parts = await reason();
    asks = false;
    asked = performance.now();
    if (since !== undefined) show(document.getElementById("connection") ?? place, parts);
  }

  setInterval(look, LOOK_MS);
})();
