// Tells the platform that frames the page how high the page is: when it is loaded, and when that
// changes. Only the platform's origins are told; one that does not listen keeps its frame as it is,
// and the page scrolls inside it.

const DEBOUNCE = 120;
/** Heights are rounded up to these steps: a line more or less is no reason to move everything. */
const STEP = 8;
/** A course has its player in this frame later: less is too little to read in. */
const COURSE = 600;
const PLAYER_MAXIMUM = 900;

const origins = document.querySelector("meta[name=platform-origins]").content.split(" ");
let told = 0;
let waiting = null;

/** The height that the page wants, whatever height it has now. */
function wanted() {
  // The player takes the height it is given; most of the screen is what a lesson needs.
  if (document.body.classList.contains("playing")) {
    return Math.min(PLAYER_MAXIMUM, Math.max(COURSE, Math.round(screen.availHeight * 0.8)));
  }
  const { height } = document.body.getBoundingClientRect();
  return document.getElementById("course") ? Math.max(COURSE, height) : height;
}

function tell() {
  waiting = null;
  const height = Math.ceil(wanted() / STEP) * STEP;
  if (height === told) return;
  told = height;
  for (const origin of origins) parent.postMessage({ subject: "lti.frameResize", height }, origin);
}

function changed() {
  waiting ??= setTimeout(tell, DEBOUNCE);
}

if (parent !== window && origins[0]) {
  tell();
  addEventListener("load", changed);
  new ResizeObserver(changed).observe(document.body);
  const classes = { attributes: true, attributeFilter: ["class"] };
  new MutationObserver(changed).observe(document.body, classes);
}
