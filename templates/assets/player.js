// The player: holds the run-time API that content looks for, frames the content, saves what it
// says and moves between activities. It shows nothing before the page that frames it has handed it
// the attempt's token, which lives in memory only. The words are in the page's data attributes.

const KEEPALIVE_LIMIT = 60_000;
/** Refusals of our server that no repetition changes. Whatever else comes back (a proxy's page, a
    failing server) may be better the next time, and nothing unsent is given up for it. */
const FINAL = [
  "player-activity",
  "player-overtaken",
  "player-delta",
  "body-unreadable",
  "body-too-large",
];
/** The journal numbers messages over all openings of the player: so many fit into one. */
const RUN = 1_000_000_000;
const UNLOAD_WITHIN = 4_000;
const FLUSH_WITHIN = 5_000;

const byId = (id) => document.getElementById(id);
const root = byId("player");
const words = root.dataset;
const appOrigin = words.appOrigin;
const framed = parent !== window;
const parts = {
  bar: byId("bar"),
  toc: byId("toc"),
  tocTitle: byId("toc-title"),
  tocList: byId("toc-list"),
  tocToggle: byId("toc-toggle"),
  count: byId("count"),
  countLong: byId("count-long"),
  mode: byId("mode"),
  status: byId("status"),
  previous: byId("previous"),
  next: byId("next"),
  leave: byId("leave"),
  message: byId("message"),
  messageText: byId("message-text"),
  retry: byId("retry"),
  title: byId("player-title"),
};
const wide = matchMedia("(min-width: 48rem)");

let frame = byId("content");
let token = null;
/** `normal`, or `review` and `browse`, in which nothing is recorded. */
let mode = "normal";
let table = null;
let journal = null;
let view = null;
/** The number of this opening of the player, which the server gives. */
let run = 0;
/** The content on stage: {activity, run, session, leaving, refused, moved}; `session` is null for an
    asset, `moved` the answer of a server that has already gone on. */
let current = null;
/** A navigation is under way. */
let busy = false;
/** The learner asked to leave while another navigation was under way. */
let departing = false;
let stopped = false;
let unloading = false;
/** What the button "try again" does. */
let again = null;

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function tellApp(message) {
  if (framed) parent.postMessage(message, appOrigin);
}

// ---- asking the server ---------------------------------------------------------------------

/** A JSON request. Rejections carry `permanent` when asking again is of no use, and `superseded`
    when the course was opened elsewhere. */
async function post(path, body, keepalive = false) {
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  const response = await fetch(path, {
    method: "POST",
    // Browsers refuse to send more than 64 KiB from a page that is going away.
    keepalive: keepalive && bytes.length < KEEPALIVE_LIMIT,
    headers: { Accept: "application/json", "Content-Type": "application/json" },
    body: bytes,
  });
  if (response.ok) return response.json();
  const { error } = await response.json().catch(() => ({}));
  throw Object.assign(new Error(error || `status ${response.status}`), {
    permanent: FINAL.includes(error),
    superseded: error === "player-superseded" || error === "player-joined",
    // The learner's two accounts became one, which goes on with the other's progress.
    joined: error === "player-joined",
  });
}

/** What the API object sends through: every message says whose it is. */
function transportOf(play) {
  return {
    send: (message, { keepalive }) =>
      post(
        "/runtime/commit",
        {
          ...message,
          token,
          run: play.run,
          activity: play.activity,
          leaving: play.leaving || unloading,
        },
        keepalive || unloading,
      ),
  };
}

/** The journal keeps activity and opening with each message: after a reload nothing else knows. */
function journalOf(play) {
  const number = (seq) => play.run * RUN + seq;
  return {
    append: (message) =>
      journal?.append({
        ...message,
        seq: number(message.seq),
        run: play.run,
        activity: play.activity,
      }),
    ack: (seq) => journal?.ack(number(seq)),
  };
}

/** Sends what an earlier visit could not. What the server refuses for good is forgotten, or it
    would be refused at every visit. */
async function replay() {
  if (!journal) return;
  for (const message of await journal.pending()) {
    try {
      const seq = message.seq % RUN;
      await post("/runtime/commit", { ...message, seq, token, leaving: true });
    } catch (error) {
      if (error.superseded || !error.permanent) throw error;
    }
    await journal.ack(message.seq);
  }
}

// ---- opening -------------------------------------------------------------------------------

async function open() {
  show(words.loading);
  try {
    table ??= await fetch("/runtime/table.json").then((response) => {
      if (!response.ok) throw new Error("no data-model table");
      return response.json();
    });
    // Private windows may have no storage: then there is no second chance, but the course plays.
    journal ??= await openScormJournal(location.host).catch(() => null);
    await replay();
    const opened = await post("/runtime/open", { token, mode });
    run = opened.run;
    await arrive(opened);
  } catch (error) {
    failed(error, open);
  }
}

function failed(error, retry) {
  if (error.superseded) {
    superseded(error);
    return;
  }
  show(error.permanent ? words.failed : words.network, retry);
}

function superseded({ joined }) {
  stopped = true;
  show(joined ? words.joined : words.elsewhere);
  empty();
  parts.bar.hidden = parts.toc.hidden = true;
  tellApp({ type: "passerelle.superseded", joined });
}

function closed() {
  stopped = true;
  parts.bar.hidden = parts.toc.hidden = true;
  show(view?.completed ? `${words.completed} ${words.closed}` : words.closed);
  tellApp({ type: "passerelle.closed" });
}

/** Left without the network: the next visit sends what this one could not. */
function closedUnsent() {
  stopped = true;
  parts.bar.hidden = parts.toc.hidden = true;
  show(words.network);
  tellApp({ type: "passerelle.closed", unsent: true });
}

/** Follows an answer of the server: new content, the end, or a choice to make. */
async function arrive(opened) {
  draw(opened.view);
  if (opened.ended) {
    closed();
  } else if (departing) {
    departing = false;
    leave();
  } else if (opened.delivery) {
    deliver(opened.delivery);
  } else {
    current = null;
    show(words.choose);
    openToc(true);
  }
}

// ---- content on stage ----------------------------------------------------------------------

function deliver(delivery) {
  const play = {
    activity: delivery.activity,
    run,
    session: null,
    leaving: false,
    refused: false,
    moved: null,
  };
  current = play;
  say("");
  if (delivery.launch) {
    play.session = createScormApi({
      table,
      edition: delivery.edition,
      launch: delivery.launch,
      transport: transportOf(play),
      journal: journalOf(play),
      onAnswer: (answer, message) => answered(play, answer, message),
      onProblem: (kind, error) => trouble(play, kind, error),
      onTerminate: () => terminated(play),
      onIdle: () => saved(play),
    });
    window[play.session.name] = play.session.api;
  }
  frame.title = delivery.title || words.content;
  document.title = view.title ? `${delivery.title} – ${view.title}` : delivery.title;
  parts.title.textContent = view.title || delivery.title;
  const address = new URL(delivery.url, location.href);
  if (!/^https?:$/.test(address.protocol)) {
    show(words.failed);
    return;
  }
  parts.message.hidden = true;
  frame.hidden = false;
  frame.addEventListener("load", () => current === play && focusContent(), { once: true });
  // Replacing leaves no trace in the history: "back" leaves the course, as people expect.
  frame.contentWindow.location.replace(address.href);
}

function focusContent() {
  // Somebody who is using the bar or the table of contents stays there.
  const busyElsewhere = parts.toc.contains(document.activeElement) && !parts.toc.hidden;
  if (!busyElsewhere) frame.focus();
}

/** Takes the content away as a navigation would, so that it can save on its way out; one that does
    not go is removed. It finds its API until then. */
async function empty() {
  const old = frame;
  const gone = new Promise((resolve) => old.addEventListener("load", resolve, { once: true }));
  old.contentWindow?.location.replace("about:blank");
  const left = await Promise.race([gone.then(() => true), wait(UNLOAD_WITHIN)]);
  if (!left) {
    frame = old.cloneNode(false);
    frame.removeAttribute("src");
    old.replaceWith(frame);
  }
  // Handlers of the old document may have queued calls.
  await wait(0);
  frame.hidden = true;
  delete window.API;
  delete window.API_1484_11;
}

/** Ends the delivery: the content goes, and what it said begins to be sent. */
async function conclude(play) {
  if (!play) return;
  await empty();
  play.session?.retire();
}

/** Waits until what the content said has arrived; false when it did not in time. */
async function drained(play) {
  const until = Date.now() + FLUSH_WITHIN;
  while (play?.session?.unsent > 0 && !play.refused && !stopped) {
    if (Date.now() > until) return false;
    await wait(50);
  }
  return true;
}

function answered(play, answer, message) {
  if (play !== current || stopped) return;
  draw(answer.view);
  const moves = answer.ended || Boolean(answer.delivery);
  if (moves && play.leaving) {
    play.moved = answer;
  } else if (moves) {
    moveOn(play, answer);
  } else if (message.final && !play.leaving) {
    invite();
  }
}

/** The content asked to go elsewhere, and the server said where. */
async function moveOn(play, answer) {
  busy = true;
  play.leaving = true;
  await conclude(play);
  await drained(play);
  current = null;
  busy = false;
  if (!stopped) await arrive(answer);
}

function terminated(play) {
  // A document on its way out cannot wait for the journal.
  if (unloading) play.session.flushNow({ keepalive: true });
}

/** The content ended and asked for nothing: what comes next is the learner's choice. */
function invite() {
  const last = !view.can_continue;
  say(view.completed ? words.completed : last ? words.finishedLast : words.finished, "say");
  parts.next.classList.toggle("ready", !last);
}

function saved(play) {
  if (play !== current || play.session?.unsent > 0) return;
  if (!parts.status.classList.contains("say")) say(words.saved);
}

function trouble(play, kind, error) {
  if (error?.superseded) {
    if (!stopped) superseded(error);
  } else if (kind === "refused") {
    play.refused = true;
    say(words.unsaved, "bad");
  } else if (kind === "retry" && !unloading) {
    say(words.retrying, "bad");
  }
}

// ---- moving --------------------------------------------------------------------------------

/** What the learner asks for: `continue`, `previous`, `choice`, `exit` or `suspend`. */
async function navigate(request, target) {
  if (busy || stopped || !token) return;
  busy = true;
  const play = current;
  if (play) play.leaving = true;
  say("");
  show(words.closing);
  await conclude(play);
  await move(play, request, target);
}

/** Asks the server to move, once everything the old content said has arrived: the sequence of
    messages goes on from there. */
async function move(play, request, target) {
  try {
    if (!(await drained(play))) throw new Error("not everything is saved");
    if (stopped) return;
    const moved = play?.moved && ["continue", "previous"].includes(request) ? play.moved : null;
    const opened = moved || (await post("/runtime/navigate", { token, request, target, from: play?.activity }));
    current = null;
    busy = false;
    await arrive(opened);
    const stayed = play && opened.delivery?.activity === play.activity;
    if (stayed && target !== play.activity) say(words.refused, "say");
  } catch (error) {
    // Leaving is never refused: what could not be sent is in the journal.
    if (departing || request === "suspend" || request === "exit") {
      busy = false;
      if (error.superseded) superseded(error);
      else closedUnsent();
      return;
    }
    failed(error, () => {
      show(words.closing);
      play?.session?.flushNow();
      move(play, request, target);
    });
  }
}

function leave() {
  if (busy) {
    departing = true;
    return;
  }
  if (stopped || !token || !view) {
    closed();
    return;
  }
  const suspendable = !view.hidden.includes("suspendAll");
  navigate(suspendable ? "suspend" : "exit");
}

// ---- what is shown -------------------------------------------------------------------------

/** A sentence in the bar; `mood` is "bad" for trouble, "say" for what should be read. */
function say(text, mood = "") {
  if (parts.status.textContent !== text) parts.status.textContent = text;
  parts.status.className = mood;
}

/** A sentence in place of the content, with a button when trying again may help. */
function show(text, retry = null) {
  frame.hidden = true;
  parts.message.hidden = false;
  parts.messageText.textContent = text;
  again = retry;
  parts.retry.hidden = !retry;
  (retry ? parts.retry : parts.message).focus({ preventScroll: true });
}

const SHAPES = {
  done: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M8 12.5l3 3 5-6.5",
  failed: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M9 9l6 6M15 9l-6 6",
  begun: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7v5l3.5 2",
  new: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18",
};

function icon(status) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", SHAPES[status] || SHAPES.new);
  svg.append(path);
  return svg;
}

const STATUS_WORDS = {
  done: words.statusDone,
  failed: words.statusFailed,
  begun: words.statusBegun,
  new: words.statusNew,
};

const counted = (text, done, total) => text.replace("%done%", done).replace("%total%", total);

function draw(fresh) {
  const first = view === null;
  view = fresh;
  const leaves = view.toc.filter((line) => line.leaf);
  const done = leaves.filter((line) => line.status === "done").length;
  const single = leaves.length <= 1;
  root.classList.toggle("single", single);
  parts.bar.hidden = false;
  parts.count.textContent = counted(words.progress, done, leaves.length);
  parts.countLong.textContent = counted(words.progressLong, done, leaves.length);
  parts.tocTitle.textContent = view.title;
  parts.mode.hidden = view.mode === "normal";
  parts.mode.textContent = view.mode === "browse" ? words.browsing : words.reviewing;
  drawToc();
  offer(parts.previous, view.can_previous, view.hidden.includes("previous"), words.noPrevious);
  offer(parts.next, view.can_continue, view.hidden.includes("continue"), words.noNext);
  parts.next.classList.remove("ready");
  if (first) openToc(!single && wide.matches);
  tellApp({ type: "passerelle.progress", completed: view.completed, done, total: leaves.length });
}

function offer(button, possible, hidden, why) {
  button.hidden = hidden;
  const reason = byId(`${button.id}-why`);
  if (possible) {
    button.removeAttribute("aria-disabled");
    button.removeAttribute("title");
    reason.textContent = "";
  } else {
    button.setAttribute("aria-disabled", "true");
    button.title = reason.textContent = why;
  }
}

function drawToc() {
  const focused = document.activeElement?.dataset?.activity;
  parts.tocList.replaceChildren(...view.toc.map(tocLine));
  if (focused === undefined) return;
  for (const button of parts.tocList.querySelectorAll("button")) {
    if (button.dataset.activity === focused) button.focus({ preventScroll: true });
  }
}

function tocLine(line) {
  const item = document.createElement("li");
  item.className = `depth-${Math.min(line.depth, 4)}`;
  if (!line.leaf && !line.selectable) {
    const heading = document.createElement("span");
    heading.className = "group";
    heading.textContent = line.title;
    item.append(heading);
    return item;
  }
  const button = document.createElement("button");
  button.type = "button";
  button.className = `line ${line.status}`;
  button.dataset.activity = line.id;
  const title = document.createElement("span");
  title.textContent = line.title;
  const status = document.createElement("span");
  status.className = "hidden-visually";
  status.textContent = ` (${STATUS_WORDS[line.status] || STATUS_WORDS.new})`;
  title.append(status);
  button.append(icon(line.status), title);
  if (line.current) button.setAttribute("aria-current", "step");
  if (!line.selectable && !line.current) {
    button.setAttribute("aria-disabled", "true");
    button.title = words.noChoice;
  }
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") === "true") {
      say(words.noChoice, "say");
      return;
    }
    if (!wide.matches) openToc(false);
    if (!line.current || !current) navigate("choice", line.id);
  });
  item.append(button);
  return item;
}

function openToc(wanted) {
  parts.toc.hidden = !wanted;
  parts.tocToggle.setAttribute("aria-expanded", String(wanted));
}

// ---- events --------------------------------------------------------------------------------

function press(button, act) {
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") === "true") say(button.title, "say");
    else act();
  });
}

press(parts.next, () => navigate("continue"));
press(parts.previous, () => navigate("previous"));
press(parts.leave, leave);
press(parts.retry, () => {
  const act = again;
  again = null;
  if (act) act();
});
press(parts.tocToggle, () => openToc(parts.toc.hidden));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || parts.toc.hidden || wide.matches) return;
  openToc(false);
  parts.tocToggle.focus();
});

// On a narrow screen the table of contents covers the content.
wide.addEventListener("change", () => {
  if (view && !wide.matches && current) openToc(false);
});

addEventListener("message", (event) => {
  if (event.origin !== appOrigin || event.source !== parent) return;
  if (event.data?.type === "passerelle.open" && typeof event.data.token === "string") {
    if (token) return;
    token = event.data.token;
    if (["review", "browse"].includes(event.data.mode)) mode = event.data.mode;
    // The page around shows the title and a way out already.
    parts.leave.hidden = parts.tocTitle.hidden = event.data.leave === "outside";
    open();
  } else if (event.data?.type === "passerelle.leave") {
    leave();
  }
});

// Phones kill hidden pages without another word.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") current?.session?.flushNow();
});
addEventListener("pagehide", () => {
  unloading = true;
  current?.session?.flushNow({ keepalive: true });
});
addEventListener("pageshow", () => {
  unloading = false;
});
addEventListener("online", () => current?.session?.flushNow());

if (framed) tellApp({ type: "passerelle.ready" });
else show(words.alone);
