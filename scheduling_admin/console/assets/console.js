// Makes pages live that work without it: a click on a mark opens a panel, arrow keys move between marks, lanes in view
// read themselves again.
"use strict";
(() => {
  const REFRESH_MILLISECONDS = 20000;
  const panel = document.getElementById("panel");
  let opener = null;

  const withPart = (href) => href + (href.includes("?") ? "&" : "?") + "part=1&live=1";

  function openPanel(link) {
    opener = link;
    document.querySelectorAll(".mark[aria-current]").forEach((each) => each.removeAttribute("aria-current"));
    link.setAttribute("aria-current", "true");
    window.htmx.ajax("GET", withPart(link.getAttribute("href")), { target: "#panel", swap: "innerHTML" });
  }

  function closePanel() {
    if (panel.hidden) return;
    panel.hidden = true;
    panel.replaceChildren();
    document.querySelectorAll(".mark[aria-current]").forEach((each) => each.removeAttribute("aria-current"));
    const time = opener && opener.dataset.time;
    const lane = opener && opener.closest(".lane");
    // The lane may have been read again meanwhile, so that its marks are new ones.
    const current = opener && opener.isConnected ? opener
      : lane && time && document.querySelector(`#${lane.id} .mark[data-time="${CSS.escape(time)}"]`);
    if (current) current.focus();
    opener = null;
  }

  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== panel) return;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "button close";
    close.textContent = "Close";
    close.addEventListener("click", closePanel);
    panel.append(close);
    panel.hidden = false;
    panel.focus();
  });

  document.addEventListener("click", (event) => {
    const mark = event.target.closest && event.target.closest("a.mark");
    if (!mark || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    openPanel(mark);
  });

  function moveFocus(mark, key) {
    const marks = [...mark.closest("svg").querySelectorAll("a.mark")];
    const index = marks.indexOf(mark);
    const next = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: marks.length - 1 }[key];
    const target = marks[next];
    if (!target) return;
    mark.setAttribute("tabindex", "-1");
    target.setAttribute("tabindex", "0");
    target.focus();
  }

  function moveLane(mark, step) {
    const lanes = [...document.querySelectorAll(".lane")].filter((each) => each.querySelector("a.mark"));
    const lane = lanes[lanes.indexOf(mark.closest(".lane")) + step];
    const target = lane && lane.querySelector('a.mark[tabindex="0"]');
    if (target) target.focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return closePanel();
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const active = document.activeElement;
    if (active && active.matches("a.mark")) {
      if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) {
        event.preventDefault();
        return moveFocus(active, event.key);
      }
      if (event.key === "ArrowUp" || event.key === "ArrowDown") {
        event.preventDefault();
        return moveLane(active, event.key === "ArrowUp" ? -1 : 1);
      }
    }
    if (active && active.matches("input, textarea, select")) return;
    if (event.key === "/") {
      const search = document.querySelector(".hero input[type=search], .search input");
      if (search) { event.preventDefault(); search.focus(); search.select(); }
    }
  });

  // On a narrow screen, the lanes begin with what is newest.
  document.querySelectorAll(".scroller").forEach((scroller) => {
    const now = scroller.querySelector(".axis .now");
    if (!now || scroller.scrollWidth <= scroller.clientWidth) return;
    const head = scroller.querySelector(".lane-head").offsetWidth;
    const offset = now.getBoundingClientRect().left - scroller.getBoundingClientRect().left;
    scroller.scrollLeft = offset - head - 0.7 * (scroller.clientWidth - head);
  });

  // The console itself may have ended; what it says of the stack it says by a page.
  document.body.addEventListener("htmx:sendError", () => {
    const notice = document.getElementById("offline");
    if (notice) notice.hidden = false;
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    const notice = document.getElementById("offline");
    if (notice && event.detail.successful) notice.hidden = true;
  });

  const visible = new Set();
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) visible[entry.isIntersecting ? "add" : "delete"](entry.target);
  });
  const observe = () => document.querySelectorAll('.lane[hx-get]').forEach((each) => observer.observe(each));
  document.body.addEventListener("htmx:afterSettle", observe);
  observe();
  setInterval(() => {
    const focused = document.activeElement && document.activeElement.closest(".lane");
    for (const lane of visible) {
      if (!lane.isConnected) visible.delete(lane);
      else if (!document.hidden && lane !== focused && window.htmx) window.htmx.trigger(lane, "refresh");
    }
  }, REFRESH_MILLISECONDS);
})();
