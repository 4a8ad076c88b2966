// What saves a reload. Every page works without it; nothing here decides anything.
"use strict";

document.documentElement.classList.add("scripts");

const token = document.querySelector("meta[name=csrf]").content;

/** Call `work` once typing has paused; of several answers only the last one asked for counts. */
function whenTypingPauses(work) {
  let timer, asked = 0;
  return () => {
    clearTimeout(timer);
    const mine = ++asked;
    timer = setTimeout(() => work(() => mine === asked), 200);
  };
}

/** Put a text somewhere; what stands there already is not read out again. */
function say(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

async function ask(url, options) {
  const answer = await fetch(url, { headers: { "X-CSRF-Token": token }, ...options });
  return answer.ok ? answer.json() : null;
}

// Numbers: said to be right or wrong as they are typed.
for (const input of document.querySelectorAll("[data-check]")) {
  const said = document.getElementById(input.getAttribute("aria-describedby"));
  input.addEventListener("input", whenTypingPauses(async (current) => {
    const url = input.dataset.check + "?numbers=" + encodeURIComponent(input.value);
    const found = input.value.trim() ? await ask(url) : { ok: true, text: "" };
    if (!found || !current()) return;
    said.textContent = found.text;
    said.classList.toggle("wrong", !found.ok);
    if (found.ok) input.removeAttribute("aria-invalid");
    else input.setAttribute("aria-invalid", "true");
  }));
}

// The configuration: a drawing that follows what is typed, and rows that move.
const form = document.getElementById("configuration");
if (form) {
  const drawing = document.getElementById("timeline");
  const rows = form.querySelector("[data-rows]");
  const blank = document.getElementById("blank");
  let fresh = 0;

  const draw = whenTypingPauses(async (current) => {
    const found = await ask(form.dataset.timeline, { method: "POST", body: new FormData(form) });
    if (!found || !current()) return;
    for (const place of form.querySelectorAll("span.error")) {
      const name = place.id.replace(/-error$/, ""), input = form.elements[name];
      say(place, found.errors[name] || "");
      if (!input || !input.setAttribute) continue;
      if (found.errors[name]) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
    for (const [key, state] of Object.entries(found.states)) {
      const place = document.getElementById("presence-" + key);
      if (!place) continue;
      say(place, state.text);
      place.className = "presence " + state.kind;
    }
    if (found.html !== null) drawing.innerHTML = found.html;
  });

  const add = () => {
    const html = blank.innerHTML.replaceAll("NEW", "new" + ++fresh);
    rows.insertAdjacentHTML("beforeend", html);
    rows.lastElementChild.querySelector("input:not([type=hidden])").focus();
  };

  const move = (row, how) => {
    if (how === "remove") {
      const next = row.nextElementSibling || row.previousElementSibling;
      row.remove();
      if (next) next.querySelector("input:not([type=hidden])").focus();
    } else if (how === "up" && row.previousElementSibling) {
      row.previousElementSibling.before(row);
    } else if (how === "down" && row.nextElementSibling) {
      row.nextElementSibling.after(row);
    }
  };

  const moved = document.getElementById("moved");
  const tell = (row) => {
    const all = [...rows.children], user = row.querySelector("[name^=user-]").value;
    const values = { user, place: all.indexOf(row) + 1, all: all.length };
    moved.textContent = moved.dataset.text.replace(/%\((\w+)\)s/g, (_, name) => values[name]);
  };

  form.addEventListener("input", draw);
  form.addEventListener("input", (event) => {
    if (!event.target.name.startsWith("user-")) return;
    // The inputs of a row are told apart by whose they are.
    for (const input of event.target.closest("[data-row]").querySelectorAll("[data-label]"))
      input.setAttribute("aria-label", `${input.dataset.label}, ${event.target.value}`);
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || !(button.dataset.move || "add" in button.dataset)) return;
    event.preventDefault();
    if ("add" in button.dataset) add();
    else {
      move(button.closest("[data-row]"), button.dataset.move);
      if (button.isConnected) {
        button.focus();
        tell(button.closest("[data-row]"));
      }
    }
    draw();
  });
  form.addEventListener("keydown", (event) => {
    const how = { ArrowUp: "up", ArrowDown: "down" }[event.key];
    const row = event.target.closest("[data-row]");
    if (!how || !event.altKey || !row) return;
    event.preventDefault();
    move(row, how);
    event.target.focus();
    tell(row);
    draw();
  });

  let dragged = null;
  form.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("[data-handle]") && event.target.closest("[data-row]");
    if (!dragged) return;
    dragged.classList.add("dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", "");
  });
  form.addEventListener("dragover", (event) => {
    const over = event.target.closest("[data-row]");
    if (!dragged || !over) return;
    event.preventDefault();
    const box = over.getBoundingClientRect();
    if (over !== dragged) over[event.clientY < box.top + box.height / 2 ? "before" : "after"](dragged);
  });
  form.addEventListener("dragend", () => {
    if (!dragged) return;
    dragged.classList.remove("dragged");
    dragged = null;
    draw();
  });
}

// Calls now: the server says what has changed; a stream that ends is asked for again.
const live = document.getElementById("live");
if (live) {
  const said = document.getElementById("live-said");
  const stream = new EventSource(live.dataset.events);
  stream.addEventListener("calls", (event) => {
    live.innerHTML = event.data;
    say(said, live.querySelector("[data-said]")?.textContent ?? live.textContent);
  });
  window.addEventListener("pagehide", () => stream.close());
}
