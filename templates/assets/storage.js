// Where the browser refuses our cookie, the platform's page keeps a value for us from the login to
// the launch (LTI Client Side postMessages 1.0, lti.put_data and lti.get_data). Only the platform's
// origin is asked, and only its answers count. The page says what to do in its data attributes.

const LIMIT = 3_000;
/** The frame that keeps values may still be loading: it is asked again. */
const AGAIN = 300;

const page = document.getElementById("storage");
const { step, origin, target, key, value, next } = page.dataset;

/** The window to ask: the platform's page, which frames us or opened our window, or its frame of
    that name. */
function keeper() {
  const platform = parent !== window ? parent : opener;
  return target === "_parent" ? platform : platform.frames[target];
}

/** The platform's answer to one message. */
function ask(subject, details) {
  const random = crypto.getRandomValues(new Uint8Array(16));
  const id = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return new Promise((resolve, reject) => {
    if (parent === window && !opener) {
      reject(new Error("there is nobody to ask"));
      return;
    }
    const end = (settle, result) => {
      clearTimeout(limit);
      clearInterval(again);
      removeEventListener("message", hear);
      settle(result);
    };
    const hear = ({ origin: from, data }) => {
      if (from !== origin || data?.subject !== `${subject}.response`) return;
      if (data.message_id !== id) return;
      if (data.error) end(reject, new Error("the platform refuses"));
      else end(resolve, data);
    };
    const send = () => {
      try {
        keeper().postMessage({ subject, message_id: id, ...details }, origin);
      } catch {
        // No such window yet: the limit decides.
      }
    };
    addEventListener("message", hear);
    const again = setInterval(send, AGAIN);
    const limit = setTimeout(() => end(reject, new Error("no answer")), LIMIT);
    send();
  });
}

async function keep() {
  try {
    await ask("lti.put_data", { key, value });
    location.replace(next);
  } catch {
    page.hidden = true;
    document.getElementById("storage-window").hidden = false;
    document.getElementById("storage-window-title").focus();
  }
}

/** Without an answer the launch is handed on all the same: the server says what to do then. */
async function fetchBack() {
  const form = document.getElementById("storage-launch");
  try {
    const answer = await ask("lti.get_data", { key });
    if (typeof answer.value === "string") form.elements.storage_token.value = answer.value;
  } finally {
    form.submit();
  }
}

if (step === "keep") keep();
else fetchBack().catch(() => {});
