// The learner's page of a course: opens the player in a frame of its own origin, hands it its token,
// and renews the page when something was finished. The words are in the page's data attributes.

const POLL = 2_000;
const POLL_FOR = 30_000;
const SLOW = 20_000;
const LEAVE_WITHIN = 12_000;

const course = document.getElementById("course");
const words = course.dataset;
/** The play under way: {stage, frame, origin, token, leave, opened, completed}. */
let play = null;
let opening = false;
let polling = false;
/** The server's last answer about the page. */
let shown = "";

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

const say = (id, text) => {
  const place = document.getElementById(id);
  if (place) place.textContent = text;
};

/** The sentence for an error code of the service: `form-expired` is in `data-error-form-expired`. */
function sentence(code) {
  const key = `error-${code || "other"}`.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase());
  return words[key] || words.errorOther;
}

// ---- opening -------------------------------------------------------------------------------

/** `how` is `normal`, `again` (a new attempt), `review` or `browse` (nothing is recorded). */
async function open(button) {
  if (play || opening) return;
  opening = true;
  const how = button.dataset.play;
  button.setAttribute("aria-busy", "true");
  say("course-problem", "");
  say("course-status", words.opening);
  try {
    const admission = await admitted(how === "again");
    start(admission, how === "again" ? "normal" : how);
    say("course-status", "");
  } catch (error) {
    say("course-status", "");
    say("course-problem", sentence(error.code));
  }
  button.removeAttribute("aria-busy");
  opening = false;
}

async function admitted(again) {
  let response;
  try {
    response = await fetch(words.open, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams({ form_token: words.token, again }),
    });
  } catch {
    throw Object.assign(new Error("network"), { code: "network" });
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error("refused"), { code: body.error });
  return body;
}

function start({ player_url: address, origin, token }, mode) {
  const status = element("p");
  status.setAttribute("role", "status");
  const leave = element("button", { type: "button", className: "quiet", textContent: words.leave });
  leave.addEventListener("click", () => askToLeave());
  const mark = document.querySelector(".mark")?.cloneNode(true);
  const title = element("h1", { textContent: words.title, tabIndex: -1 });
  const bar = element("div", { className: "play-bar" }, ...(mark ? [mark] : []), title, status, leave);
  const frame = element("iframe", {
    title: words.title,
    allow: "autoplay; fullscreen; encrypted-media; clipboard-write",
    src: address,
  });
  const stage = element("div", { className: "play" }, bar, frame);
  stage.setAttribute("role", "main");
  play = { stage, frame, origin, token, mode, status, leave, ready: false, completed: false, leaving: null };
  document.body.append(stage);
  document.body.classList.add("playing");
  status.textContent = words.opening;
  title.focus();
  const current = play;
  setTimeout(() => {
    if (play === current && !current.ready) status.textContent = words.errorSlow;
  }, SLOW);
}

// ---- what the player says ------------------------------------------------------------------

addEventListener("message", (event) => {
  if (!play || event.origin !== play.origin || event.source !== play.frame.contentWindow) return;
  switch (event.data?.type) {
    case "passerelle.ready":
      play.ready = true;
      play.status.textContent = "";
      // The player may have been reloaded inside its frame: it is given its token again.
      tell({ type: "passerelle.open", token: play.token, mode: play.mode, leave: "outside" });
      break;
    case "passerelle.progress":
      play.status.textContent = "";
      if (event.data.completed) play.completed = true;
      break;
    case "passerelle.superseded":
      stop(event.data.joined ? words.joined : words.elsewhere, "");
      break;
    case "passerelle.closed":
      if (event.data.unsent) stop(words.leftUnsent, "");
      else stop("", words.left);
      break;
  }
});

function tell(message) {
  play.frame.contentWindow?.postMessage(message, play.origin);
}

/** The player saves first and says when it has; one that does not answer is not waited for. */
function askToLeave() {
  if (play.leaving) return;
  play.status.textContent = words.leaving;
  play.leave.setAttribute("aria-disabled", "true");
  const current = play;
  play.leaving = setTimeout(
    () => {
      if (play === current) stop("", current.ready ? words.leftUnsent : "");
    },
    play.ready ? LEAVE_WITHIN : 0,
  );
  tell({ type: "passerelle.leave" });
}

async function stop(problem, status) {
  clearTimeout(play.leaving);
  const { stage, completed } = play;
  play = null;
  stage.remove();
  document.body.classList.remove("playing");
  await renew().catch(() => {});
  say("course-problem", problem);
  say("course-status", status);
  const place =
    (completed && document.getElementById("outcome-title")) || document.getElementById("open");
  place?.focus();
  if (completed || waiting()) poll();
}

// ---- the page, renewed ---------------------------------------------------------------------

/** Puts the server's present answer in place of what is shown. */
async function renew() {
  const response = await fetch(words.status, { headers: { Accept: "text/html" } });
  if (!response.ok) throw new Error("the page cannot be renewed");
  const text = await response.text();
  if (text === shown) return;
  shown = text;
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const main = fresh.getElementById("main");
  if (!main?.querySelector("#course")) throw new Error("another page came back");
  Object.assign(words, main.querySelector("#course").dataset);
  for (const script of main.querySelectorAll("script")) script.remove();
  document.getElementById("main").replaceChildren(...main.childNodes);
  // The element that scripts read from stays the one they hold.
  document.getElementById("course").replaceWith(course);
}

const ready = () => Boolean(document.getElementById("certificate-pdf"));
const waiting = () => Boolean(document.getElementById("award")) && !ready();

/** Asks again until the certificate can be downloaded. */
async function poll() {
  if (polling || ready()) return;
  polling = true;
  const until = Date.now() + POLL_FOR;
  while (Date.now() < until && !ready() && !play) {
    await new Promise((resolve) => setTimeout(resolve, POLL));
    // What a person is reading with the keyboard is not taken from under them.
    const focused = document.activeElement?.id;
    await renew().catch(() => {});
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    if (ready()) say("course-status", words.certificateReady);
  }
  polling = false;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-play]");
  if (button) open(button);
});

if (waiting()) poll();
