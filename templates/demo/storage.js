// What Campus keeps for the tools it frames (LTI Client Side postMessages 1.0), for each tool's
// origin apart, as long as the page is open. Kept in the page itself ("parent"), or in a hidden
// frame of it ("frame"), where this script runs as the "keeper".
const FRAME = "campus_storage";
const mode = document.body.dataset.storage;
const keeps = mode === "parent" || mode === "keeper";
const kept = new Map();

function answerTo({ data, origin, source }) {
  const { subject, key, value } = data;
  switch (subject) {
    case "lti.capabilities": {
      const stored = mode === "parent" ? {} : { frame: FRAME };
      return {
        supported_messages: [
          { subject: "lti.put_data", ...stored },
          { subject: "lti.get_data", ...stored },
          { subject: "lti.frameResize" },
        ],
      };
    }
    case "lti.put_data": {
      if (!keeps) return null;
      if (typeof key !== "string") return { error: { code: "bad_request", message: "no key" } };
      const own = kept.get(origin) ?? new Map();
      kept.set(origin, own);
      if (value === null || value === undefined) own.delete(key);
      else own.set(key, value);
      return { key, value };
    }
    case "lti.get_data":
      return keeps ? { key, value: kept.get(origin)?.get(key) ?? null } : null;
    case "lti.frameResize": {
      const frames = [...document.querySelectorAll("iframe.tool")];
      const frame = frames.find((frame) => frame.contentWindow === source);
      if (!frame || !Number.isFinite(data.height)) return null;
      frame.style.height = `${Math.min(5000, Math.max(200, data.height))}px`;
      return { height: data.height };
    }
    default:
      return null;
  }
}

if (mode && mode !== "none") {
  addEventListener("message", (event) => {
    if (typeof event.data?.subject !== "string") return;
    const answer = answerTo(event);
    if (!answer) return;
    const { subject, message_id } = event.data;
    event.source.postMessage({ subject: `${subject}.response`, message_id, ...answer }, event.origin);
  });
}

if (mode === "frame" && document.querySelector("iframe.tool")) {
  const frame = Object.assign(document.createElement("iframe"), { name: FRAME, hidden: true, title: "" });
  frame.src = "/storage";
  document.body.append(frame);
}
