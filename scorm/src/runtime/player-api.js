// The SCORM run-time API of the player, 1.2 (`API`) and 2004 (`API_1484_11`).
//
// Nothing about single data-model elements is written here: `table` (model.json) says which
// elements exist, their type, access, limits and error codes, and this script interprets it. The
// server interprets the same table in Rust, so a value accepted here is accepted there.
//
//   const session = createScormApi({ table, edition, launch, transport, journal, clock });
//   window[session.name] = session.api;      // the object SCOs look for
//
// edition    "1.2" or "2004".
// launch     { values: {element: value}, stores: [{read, write}], request_valid, seq }.
// transport  { send(message, {keepalive}) -> Promise<answer> }; message: {seq, delta, final,
//            session_seconds, navigation?}, delta: [[element, value], ...] in the order of the calls.
//            answer: { request_valid?, superseded? }. A rejection is tried again; one with
//            `permanent: true` is not.
// journal    { append(message), ack(seq) }, optional; may return promises.
// clock      { now(), setTimeout(f, ms), clearTimeout(id) }, optional.
(function (global) {
  "use strict";

  const REAL = /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)$/;
  const INTEGER = /^[-+]?\d+$/;
  const DURATION = /^P(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+(?:\.(\d+))?S)?)?$/;
  const TIMESTAMP =
    /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.\d\d?(?:Z|[-+](\d\d)(?::(\d\d))?)?)?)?)?)?)?)?$/;
  const TIME = /^(\d\d):(\d\d):(\d\d)(?:\.\d\d?)?$/;
  const TIMESPAN = /^\d{2,4}:\d\d:\d\d(?:\.\d\d?)?$/;
  const URN = /^urn:[A-Za-z0-9][-A-Za-z0-9]{0,31}:[^]/i;
  const NOT_IN_URI = /[\u0000-\u0020\u007f"<>\\^`{|}[\]]/;
  const BLANK = /[\u0000-\u0020\u007f]/;
  const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;
  const TARGET = /^\.\{target=([^{}]+)\}$/;
  const KEYWORDS = new Map([
    ["_children", "no_children"],
    ["_count", "no_count"],
    ["_version", "no_version"],
  ]);

  /** Pieces between reserved tokens; an empty value has none. */
  const pieces = (value, token) => (value === "" ? [] : value.split(token));

  /** The data model of one delivery: `get` and `set` answer {value, code} and code. */
  function createScormModel(table, edition, launch) {
    const spec = table.editions[edition];
    const codes = spec.codes;
    const elements = new Map(Object.entries(spec.elements));
    const collections = new Map(Object.entries(spec.collections));
    const interactions = new Map(Object.entries(spec.interactions));
    const languages = new Set((table.languages.two + " " + table.languages.three).split(" "));
    const groups = new Set();
    for (const pattern of elements.keys()) {
      for (let dot = pattern.indexOf("."); dot > 0; dot = pattern.indexOf(".", dot + 1)) {
        groups.add(pattern.slice(0, dot));
      }
    }
    const values = new Map();
    const counts = new Map();
    let size = 0;
    const stores = launch.stores || [];
    const notes = [];
    let requestValid = launch.request_valid || {};

    function note(element, text) {
      if (notes.length < table.caps.notes) notes.push({ element, note: text });
    }

    /** An element's pattern, its canonical path and the collections it passes through. */
    function resolve(element) {
      for (const kind of ["choice", "jump"]) {
        const pattern = "adl.nav.request_valid." + kind;
        const rest = element.slice(pattern.length);
        if (element.startsWith(pattern) && (rest === "" || rest[0] === ".") && elements.has(pattern)) {
          const found = TARGET.exec(rest);
          return { pattern, path: element, indexes: [], kind, target: found && found[1] };
        }
      }
      const pattern = [];
      const path = [];
      const indexes = [];
      for (const segment of element.split(".")) {
        if (/^\d{1,9}$/.test(segment)) {
          const index = Number(segment);
          indexes.push({ collection: pattern.join("."), path: path.join("."), index });
          pattern.push("n");
          path.push(String(index));
        } else {
          pattern.push(segment === "n" ? "" : segment);
          path.push(segment);
        }
      }
      return { pattern: pattern.join("."), path: path.join("."), indexes };
    }

    /** UTF-16 units of all values and their names once `place` has `value`. */
    function sizeWith(place, value) {
      const before = values.get(place.path);
      return size + value.length + (before === undefined ? place.path.length : -before.length);
    }

    function store(place, value) {
      size = sizeWith(place, value);
      values.set(place.path, value);
      for (const { path, index } of place.indexes) {
        if (index >= (counts.get(path) || 0)) counts.set(path, index + 1);
      }
    }

    const countOf = (path) => counts.get(path) || 0;

    /** A path of the table ("cmi.interactions.n.type") with the indexes of `place` filled in. */
    function fill(pattern, place) {
      let depth = 0;
      return pattern
        .split(".")
        .map((segment) => (segment === "n" ? String(place.indexes[depth++].index) : segment))
        .join(".");
    }

    function unknown(place, element) {
      if (!/^(?:cmi|adl)(?:\.|$)/.test(element)) return codes.foreign;
      const dot = place.pattern.lastIndexOf(".");
      const parent = place.pattern.slice(0, Math.max(dot, 0));
      const keyword = KEYWORDS.get(place.pattern.slice(dot + 1));
      if (keyword && (elements.has(parent) || groups.has(parent))) return codes[keyword];
      return codes.unknown;
    }

    // ---- reading -------------------------------------------------------------------------

    function get(element) {
      if (element === "") return { value: "", code: codes.empty_get };
      const place = resolve(element);
      const row = elements.get(place.pattern);
      if (!row) return { value: "", code: unknown(place, element) };
      if (row.access === "wo") return { value: "", code: codes.write_only };
      for (const { path, index } of place.indexes) {
        if (index >= countOf(path)) return { value: "", code: codes.index_get };
      }
      if (row.type === "count") {
        return { value: String(countOf(place.path.slice(0, -"._count".length))), code: codes.ok };
      }
      if (row.type === "request_valid") return navigation(place, row);
      if (row.store && !allowed(place, "read")) return { value: "", code: codes.write_only };
      const value = row.evaluate ? evaluated(place, row) : values.get(place.path);
      if (value !== undefined && !(row.empty_is_unset && value === "")) return { value, code: codes.ok };
      if (row.default !== undefined) return { value: row.default, code: codes.ok };
      return { value: "", code: codes.not_initialized };
    }

    /** RTE 4.2.4.1 and 4.2.22.1: a threshold decides over what the SCO reported. */
    function evaluated(place, row) {
      const rule = row.evaluate;
      const threshold = values.get(rule.threshold);
      if (threshold === undefined || threshold === "") return values.get(place.path);
      const measure = values.get(rule.measure);
      if (measure === undefined) return undefined;
      return Number(measure) >= Number(threshold) ? rule.reached : rule.missed;
    }

    function navigation(place, row) {
      if (!row.target) {
        const answer = requestValid[place.pattern.slice("adl.nav.request_valid.".length)];
        return { value: answer === undefined ? row.default : String(answer), code: codes.ok };
      }
      if (!place.target) return { value: "false", code: codes.no_target };
      const answers = requestValid[place.kind];
      const known = answers && Object.prototype.hasOwnProperty.call(answers, place.target);
      return { value: known ? String(answers[place.target]) : answers ? "false" : "unknown", code: codes.ok };
    }

    function allowed(place, right) {
      const flags = stores[place.indexes[0].index];
      return !flags || flags[right] !== false;
    }

    // ---- writing -------------------------------------------------------------------------

    /** Checks and stores; the answer is the error code. `accepted` is the canonical path. */
    function set(element, value) {
      if (element === "") return { code: codes.empty_set };
      const place = resolve(element);
      const row = elements.get(place.pattern);
      if (!row) {
        const code = unknown(place, element);
        return { code: code === codes.unknown || code === codes.foreign ? code : codes.unknown };
      }
      if (row.type === "children" || row.type === "count" || place.pattern === "cmi._version") {
        return { code: codes.keyword };
      }
      if (row.access === "ro") return { code: codes.read_only };
      const refused = misplaced(place, row);
      if (refused) return { code: codes[refused] };
      if (value.length > (row.cap || table.caps.text)) return { code: codes.too_long };
      if (value.includes("\u0000")) return { code: codes.type };
      const failure = check(row, value, place) || conflict(place, row, value);
      if (failure) return { code: codes[failure] };
      const kept = wording(row, value, place);
      const after = sizeWith(place, kept);
      if (after > table.caps.total && after > size) return { code: codes.too_long };
      store(place, kept);
      return { code: codes.ok, accepted: place.path, value: kept };
    }

    /** What is stored: a long text that is nothing but delimiters is an empty one. */
    function wording(row, value, place) {
      const kind = row.part ? interactions.get(values.get(fill(row.sibling, place))) : undefined;
      const type = kind ? kind[row.part] : row;
      if (!type.blank_is_empty) return value;
      return localized(undelimited(value, type.delimiters)) === "" ? "" : value;
    }

    /** The rules on collections: packed, fixed, identified first, single patterns. */
    function misplaced(place, row) {
      const last = place.indexes.length - 1;
      for (let depth = 0; depth <= last; depth++) {
        const { collection, path, index } = place.indexes[depth];
        const rules = collections.get(collection) || {};
        const count = countOf(path);
        if (index > count || index >= table.caps.records) return "index_set";
        if (index < count) continue;
        if (rules.fixed) return "index_set";
        const identifies = depth === last && place.pattern === collection + ".n." + rules.key;
        if (rules.key && !identifies) return "dependency";
      }
      if (row.store && !allowed(place, "write")) return "read_only";
      if (row.needs && values.get(fill(row.needs, place)) === undefined) return "dependency";
      if (row.part === "pattern") {
        const kind = interactions.get(values.get(fill(row.sibling, place)));
        if (kind && kind.single && place.indexes[last].index > 0) return "single";
      }
      return "";
    }

    /** Identifiers set once, unique identifiers, unique correct responses. */
    function conflict(place, row, value) {
      const before = values.get(place.path);
      if (row.once && before !== undefined && before !== value) return "once";
      let normal = null;
      if (row.unique) normal = (text) => text;
      if (row.part === "pattern") {
        const kind = interactions.get(values.get(fill(row.sibling, place)));
        if (kind && kind.unique) {
          normal = (text) => (kind.ordered ? text : text.split("[,]").sort().join("[,]"));
        }
      }
      if (!normal) return "";
      const { path, index } = place.indexes[place.indexes.length - 1];
      const leaf = place.path.slice(place.path.lastIndexOf("."));
      const wanted = normal(value);
      for (let other = 0; other < countOf(path); other++) {
        const taken = values.get(path + "." + other + leaf);
        if (other !== index && taken !== undefined && normal(taken) === wanted) return "duplicate";
      }
      return "";
    }

    // ---- types ---------------------------------------------------------------------------
    // Each answers "" (well formed), "type" or "range".

    function check(type, value, place) {
      const within = (number) =>
        (type.min !== undefined && number < type.min) || (type.max !== undefined && number > type.max)
          ? "range"
          : "";
      const ok = (condition) => (condition ? "" : "type");
      const all = (list, test) => {
        if (type.spm && list.length > type.spm) note(place.path, "more than " + type.spm + " parts");
        return ok(list.every(test));
      };
      const longerThan = (text, spm) => {
        if (spm && text.length > spm) note(place.path, "longer than " + spm + " characters");
        return true;
      };
      switch (type.type) {
        case "text":
          longerThan(value, type.spm);
          return "";
        case "vocabulary":
          return ok(type.values.includes(value));
        case "real":
          if (value === "" && type.blank) return "";
          return REAL.test(value) ? within(Number(value)) : "type";
        case "integer":
          return INTEGER.test(value) ? within(Number(value)) : "type";
        case "real_or_word":
          return ok(type.values.includes(value) || REAL.test(value));
        case "duration": {
          const found = DURATION.exec(value);
          if (!found || /[PT]$/.test(value)) return "type";
          if (found[1] && found[1].length > 2) note(place.path, "more than 2 decimals");
          return "";
        }
        case "timestamp":
          return ok(isTimestamp(value));
        case "time": {
          const found = TIME.exec(value);
          return ok(found && found[1] < "24" && found[2] < "60" && found[3] < "60");
        }
        case "timespan":
          return ok(TIMESPAN.test(value));
        case "identifier":
          longerThan(value, type.spm);
          return ok(value !== "" && !BLANK.test(value));
        case "short_identifier":
        case "long_identifier":
          longerThan(value, type.spm);
          return ok(isUri(value));
        case "language":
          longerThan(value, type.spm);
          return ok((value === "" && type.blank) || isLanguage(value));
        case "localized": {
          const text = localized(value);
          return ok(text !== null && longerThan(text, type.spm));
        }
        case "identifiers": {
          const list = pieces(value, "[,]");
          if (list.length === 0) return ok(type.empty);
          if (type.unique && new Set(list).size < list.length) return "type";
          return all(list, isUri);
        }
        case "delimited":
        case "texts": {
          const rest = undelimited(value, type.delimiters);
          if (rest === null) return "type";
          if (type.type === "delimited") {
            const text = localized(rest);
            return ok(text !== null && longerThan(text, type.spm));
          }
          return all(rest.split("[,]"), (piece) => {
            const text = localized(piece);
            return text !== null && longerThan(text, type.text_spm);
          });
        }
        case "pairs": {
          const list = pieces(value, "[,]");
          if (list.length === 0) return ok(type.empty);
          return all(list, (piece) => {
            const pair = piece.split("[.]");
            return pair.length === 2 && pair.every(isUri);
          });
        }
        case "steps": {
          const rest = undelimited(value, type.delimiters);
          if (rest === null) return "type";
          const list = pieces(rest, "[,]");
          if (list.length === 0) return ok(type.empty);
          return all(list, (piece) => {
            const step = piece.split("[.]");
            if (step.length !== 2 || (step[0] === "" && step[1] === "")) return false;
            return (step[0] === "" || isUri(step[0])) && longerThan(step[1], type.text_spm);
          });
        }
        case "range": {
          const ends = value.split("[:]");
          if (ends.length === 1 && REAL.test(value)) {
            note(place.path, "one number instead of a range");
            return "";
          }
          if (ends.length !== 2 || !ends.every((end) => end === "" || REAL.test(end))) return "type";
          return ok(ends[0] === "" || ends[1] === "" || Number(ends[0]) <= Number(ends[1]));
        }
        case "marks":
        case "marked_pairs": {
          longerThan(value, type.spm);
          const inner = type.braces && /^\{[^]*\}$/.test(value) ? value.slice(1, -1) : value;
          return ok(
            pieces(inner, ",").every((mark) => {
              const parts = type.type === "marks" ? [mark] : mark.split(".");
              const count = type.type === "marks" ? 1 : 2;
              return parts.length === count && parts.every((part) => part !== "" && !BLANK.test(part));
            }),
          );
        }
        case "navigation": {
          if (type.values.includes(value)) return "";
          const found = /^\{target=([^{}]+)\}([a-z]+)$/.exec(value);
          return ok(found && type.targets.includes(found[2]) && !BLANK.test(found[1]));
        }
        case "by_interaction": {
          const kind = interactions.get(values.get(fill(type.sibling, place)));
          if (!kind) return "";
          if (type.part === "pattern" && kind.spm && place.indexes[1].index >= kind.spm) {
            note(place.path, "more than " + kind.spm + " patterns");
          }
          return check(kind[type.part], value, place);
        }
        default:
          return "type";
      }
    }

    function isTimestamp(value) {
      const found = TIMESTAMP.exec(value);
      if (!found) return false;
      const [year, month, day, hour, minute, second, zoneHour, zoneMinute] = found
        .slice(1)
        .map((digits) => (digits === undefined ? -1 : Number(digits)));
      if (year < 1970 || year > 2038 || month === 0 || month > 12 || day === 0) return false;
      const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
      const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
      if (day > 0 && day > days[month - 1]) return false;
      return hour < 24 && minute < 60 && second < 60 && zoneHour < 24 && zoneMinute < 60;
    }

    function isUri(value) {
      if (value === "" || NOT_IN_URI.test(value)) return false;
      return !/^urn:/i.test(value) || URN.test(value);
    }

    function isLanguage(value) {
      const tags = value.split("-");
      if (!tags.every((tag) => /^[A-Za-z0-9]{1,8}$/.test(tag))) return false;
      const first = tags[0].toLowerCase();
      if (first === "i" || first === "x") return tags.length > 1;
      return languages.has(first) || /^q[a-t][a-z]$/.test(first);
    }

    /** The text after an optional {lang=..}; null when the language is none. */
    function localized(value) {
      if (!value.startsWith("{lang=")) return value;
      const end = value.indexOf("}");
      return end > 0 && isLanguage(value.slice(6, end)) ? value.slice(end + 1) : null;
    }

    /** The text after {case_matters=..} and {order_matters=..}, each at most once; null when one
        of them is neither true nor false. */
    function undelimited(value, names) {
      let rest = value;
      const open = new Set(names);
      for (;;) {
        const name = [...open].find((candidate) => rest.startsWith("{" + candidate + "="));
        if (!name) return rest;
        open.delete(name);
        const end = rest.indexOf("}");
        const flag = end < 0 ? "" : rest.slice(name.length + 2, end);
        if (flag !== "true" && flag !== "false") return null;
        rest = rest.slice(end + 1);
      }
    }

    for (const [element, value] of Object.entries(launch.values || {})) {
      store(resolve(element), value);
    }

    return {
      get,
      set,
      notes,
      isScalar: (path) => !/\.\d+(\.|$)/.test(path),
      value: (path) => values.get(path),
      updateRequestValid(answers) {
        requestValid = answers;
      },
    };
  }

  /** The API object of one delivery and the host's handle on it. */
  function createScormApi(options) {
    const { table, edition, launch, transport } = options;
    const journal = options.journal || { append() {}, ack() {} };
    const clock = options.clock || {
      now: () => Date.now(),
      setTimeout: (task, delay) => global.setTimeout(task, delay),
      clearTimeout: (id) => global.clearTimeout(id),
    };
    const delay = options.delay === undefined ? 1000 : options.delay;
    const spec = table.editions[edition];
    const rules = spec.api;
    const model = createScormModel(table, edition, launch);

    let state = "before"; // before -> running -> ended
    let retired = false;
    let lastError = 0;
    let diagnostic = "";
    let started = null;

    // ---- sending -------------------------------------------------------------------------

    let seq = launch.seq || 0;
    let pending = []; // accepted, not yet numbered
    let final = false;
    let finalQueued = false;
    const waiting = []; // numbered, not yet acknowledged, oldest first
    const attempted = new WeakSet(); // messages that may have reached the server
    let sending = false;
    let leaving = 0; // keepalive requests under way
    let debounce = null;
    let retry = null;
    let failures = 0;
    let stopped = false;

    function soon() {
      if (debounce === null && !stopped) {
        debounce = clock.setTimeout(() => {
          debounce = null;
          flush();
        }, delay);
      }
    }

    function cancel(timer) {
      if (timer !== null) clock.clearTimeout(timer);
      return null;
    }

    /** Adds an entry. A scalar depends on nothing, so its last value stands for all; records keep
        their order. */
    function add(delta, entry) {
      const kept = model.isScalar(entry[0]) ? delta.filter((other) => other[0] !== entry[0]) : delta;
      kept.push(entry);
      return kept;
    }

    /** Numbers what has not been numbered yet. While the network is away, one message collects
        everything that has certainly not been sent. */
    function cut() {
      if (pending.length === 0 && (!final || finalQueued)) return null;
      let message = waiting[waiting.length - 1];
      if (!message || attempted.has(message) || message.final) {
        message = { seq: ++seq, delta: [], final: false };
        waiting.push(message);
      }
      message.delta = pending.reduce(add, message.delta);
      pending = [];
      if (started !== null) {
        message.session_seconds = Math.max(0, Math.round((clock.now() - started) / 1000));
      }
      if (final) {
        finalQueued = true;
        message.final = true;
        const request = model.value("adl.nav.request");
        if (request !== undefined && request !== "_none_") message.navigation = request;
      }
      return message;
    }

    /** Writes to the journal; a journal that hangs must not keep the message from leaving. */
    async function keep(message) {
      let limit = null;
      try {
        const late = new Promise((resolve) => {
          limit = clock.setTimeout(resolve, 500);
        });
        await Promise.race([journal.append(message), late]);
      } catch (error) {
        report("journal", error);
      }
      cancel(limit);
    }

    /** Numbers and journals what is pending, then sends; `now` does not wait for a retry's turn. */
    async function flush(now) {
      debounce = cancel(debounce);
      if (stopped) return;
      const fresh = cut();
      if (now) retry = cancel(retry);
      if (fresh) await keep(fresh);
      await send();
    }

    /** Sends the oldest unacknowledged message, one at a time, until none is left. */
    async function send() {
      if (sending || leaving > 0 || stopped || retry !== null || waiting.length === 0) return;
      sending = true;
      const message = waiting[0];
      attempted.add(message);
      try {
        const answer = (await transport.send(message, { keepalive: false })) || {};
        failures = 0;
        acknowledged(message, answer);
      } catch (error) {
        if (error && error.permanent) {
          stopped = true;
          report("refused", error);
        } else {
          failures += 1;
          report("retry", error);
          retry = cancel(retry);
          retry = clock.setTimeout(
            () => {
              retry = null;
              send();
            },
            Math.min(30000, 500 * 2 ** Math.min(failures, 6)),
          );
        }
      }
      sending = false;
      if (waiting.length > 0) await send();
      else if (options.onIdle) options.onIdle();
    }

    function acknowledged(message, answer) {
      const index = waiting.indexOf(message);
      if (index < 0) return;
      waiting.splice(index, 1);
      Promise.resolve(journal.ack(message.seq)).catch((error) => report("journal", error));
      if (answer.request_valid) model.updateRequestValid(answer.request_valid);
      if (answer.superseded) {
        stopped = true;
        retired = true;
      }
      if (options.onAnswer) options.onAnswer(answer, message);
    }

    function report(kind, error) {
      if (options.onProblem) options.onProblem(kind, error);
    }

    /** For pagehide: everything not acknowledged leaves now, without waiting for anything. */
    function flushNow(how) {
      if (!how || !how.keepalive) return flush(true);
      if (stopped) return Promise.resolve();
      debounce = cancel(debounce);
      const fresh = cut();
      if (fresh) keep(fresh);
      leaving += 1;
      return Promise.all(
        waiting.slice().map((message) => {
          attempted.add(message);
          return transport.send(message, { keepalive: true }).then(
            (answer) => acknowledged(message, answer || {}),
            (error) => report("retry", error),
          );
        }),
      ).then(() => {
        leaving -= 1;
        // The page lived on after all: it came back from the back-forward cache.
        if (waiting.length > 0 || pending.length > 0) soon();
      });
    }

    // ---- the calls -----------------------------------------------------------------------

    const text = (value) =>
      value === undefined || value === null ? "" : String(value).replace(LONE_SURROGATE, "\uFFFD");

    function finish(code, result, detail) {
      lastError = code;
      diagnostic = code === 0 ? "" : (detail ? detail + ": " : "") + (spec.messages[code] || "");
      return result;
    }

    function outside(call) {
      if (retired || state === "ended") return call.ended;
      return state === "before" ? call.before : 0;
    }

    function initialize(parameter) {
      if (text(parameter) !== "") return finish(rules.initialize.argument, "false");
      if (retired || state === "ended") return finish(rules.initialize.ended, "false");
      if (state === "running") return finish(rules.initialize.again, "false");
      state = "running";
      started = clock.now();
      return finish(0, "true");
    }

    function terminate(parameter) {
      if (text(parameter) !== "") return finish(rules.terminate.argument, "false");
      const refused = outside(rules.terminate);
      if (refused) return finish(refused, "false");
      state = "ended";
      final = true;
      flush(true);
      if (options.onTerminate) options.onTerminate();
      return finish(0, "true");
    }

    function getValue(parameter) {
      const refused = outside(rules.get);
      if (refused) return finish(refused, "");
      const element = text(parameter);
      if (element.length > table.caps.element) return finish(spec.codes.unknown, "");
      const { value, code } = model.get(element);
      return finish(code, value, element.slice(0, 120));
    }

    function setValue(parameter, newValue) {
      const refused = outside(rules.set);
      if (refused) return finish(refused, "false");
      const element = text(parameter);
      if (element.length > table.caps.element) return finish(spec.codes.unknown, "false");
      const value = text(newValue);
      const { code, accepted, value: kept } = model.set(element, value);
      if (code !== 0) return finish(code, "false", element.slice(0, 120));
      pending = add(pending, [accepted, kept]);
      soon();
      return finish(0, "true");
    }

    function commit(parameter) {
      if (text(parameter) !== "") return finish(rules.commit.argument, "false");
      const refused = outside(rules.commit);
      if (refused) return finish(refused, "false");
      flush(true);
      return finish(0, "true");
    }

    const message = (code) => {
      const key = text(code);
      return Object.prototype.hasOwnProperty.call(spec.messages, key) ? spec.messages[key] : "";
    };

    const calls = {
      Initialize: initialize,
      [rules.prefix === "" ? "Terminate" : "Finish"]: terminate,
      GetValue: getValue,
      SetValue: setValue,
      Commit: commit,
      GetLastError: () => String(lastError),
      GetErrorString: message,
      GetDiagnostic: (code) =>
        text(code) === "" || text(code) === String(lastError) ? diagnostic || message(lastError) : message(code),
    };
    const api = {};
    for (const [name, call] of Object.entries(calls)) api[rules.prefix + name] = call;

    return {
      name: rules.object,
      api: Object.freeze(api),
      flushNow,
      notes: model.notes,
      /** What the LMS allows next, told outside a commit's answer. */
      updateRequestValid: model.updateRequestValid,
      /** The SCO was taken away: its late calls answer as after Terminate. What it left is sent
          without `final`; the server closes the session. */
      retire() {
        retired = true;
        return flush(true);
      },
      get state() {
        return state;
      },
      get unsent() {
        return pending.length + waiting.length;
      },
    };
  }

  global.createScormApi = createScormApi;
  global.createScormModel = createScormModel;
})(globalThis);
