/*
 * What a course page does without a document: finding the platform's API (SCORM 1.2 or 2004),
 * talking to it, grading answers, and the session that ties them together. course.js shows it.
 */
"use strict";

/* ---- Names and formats of the two editions ------------------------------------------------ */

const EDITIONS = {
  "1.2": {
    object: "API",
    prefix: "LMS",
    terminate: "Finish",
    core: "cmi.core.",
    location: "cmi.core.lesson_location",
    status: "cmi.core.lesson_status",
    success: "cmi.core.lesson_status",
    best: "cmi.core.score.raw",
    response: "student_response",
    time: "time",
    wrong: "wrong",
  },
  2004: {
    object: "API_1484_11",
    prefix: "",
    terminate: "Terminate",
    core: "cmi.",
    location: "cmi.location",
    status: "cmi.completion_status",
    success: "cmi.success_status",
    best: "cmi.score.scaled",
    response: "learner_response",
    time: "timestamp",
    wrong: "incorrect",
  },
};

const two = (number) => String(number).padStart(2, "0");

/** At most `digits` decimals, no exponent, no trailing zeros. */
function decimal(number, digits) {
  return number.toFixed(digits).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}

/** A duration: CMITimespan HHHH:MM:SS.SS in 1.2, ISO 8601 in 2004. */
function duration(milliseconds, edition) {
  const hundredths = Math.max(0, Math.round(milliseconds / 10));
  const seconds = Math.floor(hundredths / 100);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = seconds % 60;
  const part = two(hundredths % 100);
  if (edition === "1.2") {
    return String(Math.min(hours, 9999)).padStart(4, "0") + ":" + two(minutes) + ":" + two(rest) + "." + part;
  }
  return "PT" + hours + "H" + minutes + "M" + rest + (part === "00" ? "" : "." + part) + "S";
}

/** A moment: local time of day in 1.2, ISO 8601 in UTC in 2004. */
function moment(milliseconds, edition) {
  const date = new Date(milliseconds);
  if (edition === "1.2") {
    return two(date.getHours()) + ":" + two(date.getMinutes()) + ":" + two(date.getSeconds());
  }
  return date.toISOString().slice(0, 22) + "Z";
}

/* ---- Finding the API ----------------------------------------------------------------------- */

/** Asks a window, then its parents, until `pick` answers; another origin ends the chain. */
function climb(start, pick) {
  try {
    for (let current = start, level = 0; current && level < 500; level += 1) {
      const found = pick(current);
      if (found) return found;
      if (current.parent === current) return null;
      current = current.parent;
    }
  } catch {
    // Nothing of another origin can be read.
  }
  return null;
}

/** The window and its parents, then the nearest opener and its parents, and so on up. */
function findApi(start, edition) {
  const order = edition === "1.2" ? ["1.2", "2004"] : ["2004", "1.2"];
  const holds = (window) => {
    const found = order.find((name) => window[EDITIONS[name].object]);
    return found && { edition: found, api: window[EDITIONS[found].object] };
  };
  for (let current = start, level = 0; current && level < 20; level += 1) {
    const found = climb(current, holds);
    if (found) return found;
    current = climb(current, (window) => (window.opener === window ? null : window.opener));
  }
  return null;
}

/* ---- Talking to it ------------------------------------------------------------------------- */

class Connection {
  /** `found` is what findApi answered (null: preview); `onSaved(ok)` hears of every commit. */
  constructor(found, onSaved) {
    this.edition = found ? found.edition : null;
    this.api = found ? found.api : null;
    this.words = found ? EDITIONS[found.edition] : null;
    this.onSaved = onSaved;
    this.open = false;
    this.failed = new Map();
    this.lastCode = "0";
  }

  /** Calls the API; an exception counts as a failure. */
  call(method, ...values) {
    try {
      return this.api[this.words.prefix + method](...values);
    } catch {
      return null;
    }
  }

  succeeded(answer) {
    if (String(answer) === "true") return true;
    this.lastCode = String(this.call("GetLastError"));
    return false;
  }

  initialize() {
    if (!this.api) return false;
    // 103 (2004): somebody has initialised already, which is as good.
    this.open =
      this.succeeded(this.call("Initialize", "")) || this.lastCode === "103";
    if (!this.open) this.onSaved(false);
    return this.open;
  }

  get(name) {
    if (!this.open) return "";
    const value = this.call("GetValue", name);
    return value === null || value === undefined ? "" : String(value);
  }

  /** Sets a value that matters: what fails is tried again before the next commit. */
  set(name, value) {
    if (!this.open) return false;
    const done = this.succeeded(this.call("SetValue", name, String(value)));
    if (done) this.failed.delete(name);
    else this.failed.set(name, String(value));
    return done;
  }

  /** Sets a value that is only of interest to reports. */
  note(name, value) {
    return this.open && this.succeeded(this.call("SetValue", name, String(value)));
  }

  commit() {
    if (!this.open) return false;
    for (const [name, value] of [...this.failed]) this.set(name, value);
    const done = this.succeeded(this.call("Commit", "")) && this.failed.size === 0;
    this.onSaved(done);
    return done;
  }

  terminate() {
    if (!this.open) return false;
    const done = this.succeeded(this.call(this.words.terminate, ""));
    this.open = false;
    return done;
  }
}

/* ---- Grading ------------------------------------------------------------------------------- */

/** Letters as the compiler gives them to answers. */
const letter = (index) => "abcdefghijklmnopqrstuvwxyz0123456789"[index] || "x" + index;

const normal = (text) =>
  String(text).normalize("NFC").replace(/[\u2019\u02bc]/g, "'").replace(/\s+/g, " ").trim().toLowerCase();

/** `*` in an accepted answer stands for anything. */
function wordMatches(accepted, given) {
  const pattern = normal(accepted).split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp("^" + pattern.join(".*") + "$", "u").test(normal(given));
}

/** Reads "12,5", "12.5" or "1 250"; null if it is no number. */
function readNumber(text) {
  const plain = String(text).replace(/[\s\u00a0\u202f]/g, "").replace(",", ".");
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : null;
}

function isAnswered(question, response) {
  if (Array.isArray(response)) return response.some((part) => part !== "");
  if (question.type === "numeric") return readNumber(response || "") !== null;
  return Boolean(response) && String(response).trim() !== "";
}

/** Share of the point (0 to 1) and which feedbacks apply. */
function grade(question, response) {
  const answered = isAnswered(question, response);
  const result = { answered, fraction: 0, keys: [] };
  if (!answered) return result;
  if (question.type === "choice") {
    const chosen = Array.isArray(response) ? response : [response];
    const weights = question.options.filter((option) => chosen.includes(option.id));
    result.fraction = weights.reduce((sum, option) => sum + option.weight, 0);
    result.keys = weights.map((option) => option.id);
  } else if (question.type === "true-false") {
    result.fraction = response === String(question.answer) ? 1 : 0;
    result.keys = [response];
  } else if (question.type === "matching") {
    const right = question.pairs.filter((pair, index) => response[index] === pair[1]).length;
    result.fraction = right / question.pairs.length;
  } else {
    const holds =
      question.type === "numeric"
        ? (answer) => readNumber(response) >= answer.min - 1e-9 && readNumber(response) <= answer.max + 1e-9
        : (answer) => wordMatches(answer.text, response);
    const index = question.answers.findIndex(holds);
    if (index >= 0) result.fraction = question.answers[index].weight;
    result.keys = [index >= 0 ? letter(index) : "wrong"];
  }
  // Thirds and tenths must not miss a whole by a rounding error.
  result.fraction = Math.min(1, Math.max(0, Math.round(result.fraction * 1e6) / 1e6));
  return result;
}

/** Type, response and right patterns as the edition writes them. */
function interaction(question, response, edition) {
  const old = edition === "1.2";
  const list = (parts) => parts.join(old ? "," : "[,]");
  const pair = (left, right) => left + (old ? "." : "[.]") + right;
  if (question.type === "choice") {
    const best = question.single
      ? question.options.filter((option) => option.weight >= 1).map((option) => option.id)
      : [list(question.options.filter((option) => option.weight > 0).map((option) => option.id))];
    return { type: "choice", response: list([].concat(response)), patterns: best };
  }
  if (question.type === "true-false") {
    const word = (value) => (old ? value[0] : value);
    return { type: "true-false", response: word(response || " "), patterns: [word(String(question.answer))] };
  }
  if (question.type === "matching") {
    const given = question.pairs.map((entry, index) => [entry[0], (response || [])[index]]);
    return {
      type: "matching",
      response: list(given.filter((entry) => entry[1]).map((entry) => pair(entry[0], entry[1]))),
      patterns: [list(question.pairs.map((entry) => pair(entry[0], entry[1])))],
    };
  }
  const right = question.answers.filter((answer) => answer.weight >= 1).slice(0, 5);
  if (question.type === "numeric") {
    const range = (answer) =>
      old ? decimal((answer.min + answer.max) / 2, 7) : decimal(answer.min, 7) + "[:]" + decimal(answer.max, 7);
    const number = readNumber(response || "");
    return { type: "numeric", response: number === null ? "" : decimal(number, 7), patterns: right.map(range) };
  }
  const accepted = (answer) => (old ? answer.text.slice(0, 255) : "{case_matters=false}" + answer.text.slice(0, 200));
  return { type: "fill-in", response: String(response || "").trim().slice(0, 250), patterns: right.map(accepted) };
}

/* ---- The session --------------------------------------------------------------------------- */

class Session {
  constructor(definition, found, clock, onSaved) {
    this.definition = definition;
    this.clock = clock;
    this.connection = new Connection(found, onSaved);
    this.isTest = definition.kind === "test";
    this.seen = new Set();
    this.page = definition.pages[0];
    this.answers = {};
    this.latencies = {};
    this.submitted = false;
    this.everSubmitted = false;
    this.done = false;
    this.passed = false;
    this.best = null;
    this.ended = false;
    this.interactions = 0;
  }

  get old() {
    return this.connection.edition === "1.2";
  }

  /** Opens the session and picks up what is stored; false means nothing will be stored. */
  start() {
    this.started = this.clock();
    this.lastAnswer = this.started;
    if (!this.connection.initialize()) return false;
    this.restoreStatus();
    this.restoreState();
    this.interactions = parseInt(this.connection.get("cmi.interactions._count"), 10) || 0;
    if (!this.done) this.connection.set(this.connection.words.status, "incomplete");
    // Should the page vanish without a word, what is stored stays resumable.
    this.connection.set(this.connection.words.core + "exit", this.exit());
    return true;
  }

  restoreStatus() {
    const { connection } = this;
    const { words } = connection;
    this.done = ["completed", "passed", "failed"].includes(connection.get(words.status));
    this.passed = connection.get(words.success) === "passed";
    if (this.isTest) {
      const score = parseFloat(connection.get(words.best)) / (this.old ? 100 : 1);
      if (Number.isFinite(score)) this.best = score;
      this.everSubmitted = this.done;
    }
  }

  restoreState() {
    const { definition } = this;
    const place = this.connection.get(this.connection.words.location);
    let state = null;
    try {
      state = JSON.parse(this.connection.get("cmi.suspend_data"));
    } catch {
      // Nothing stored yet, or by something else: start afresh.
    }
    // Answers to other questions, and marks on other pages, would only mislead.
    if (state && state.v === 1 && state.h === definition.hash) {
      definition.pages.forEach((page, index) => {
        if (String(state.s || "")[index] === "1") this.seen.add(page);
      });
      if (state.a && typeof state.a === "object") this.answers = state.a;
      this.submitted = state.d === 1;
      this.everSubmitted = this.everSubmitted || state.e === 1 || this.submitted;
      if (typeof state.b === "number") this.best = Math.max(this.best === null ? -1 : this.best, state.b);
    }
    if (definition.pages.includes(place)) this.page = place;
  }

  state() {
    return JSON.stringify({
      v: 1,
      h: this.definition.hash,
      s: this.definition.pages.map((page) => (this.seen.has(page) ? "1" : "0")).join(""),
      a: this.answers,
      d: this.submitted ? 1 : 0,
      e: this.everSubmitted ? 1 : 0,
      b: this.best === null ? undefined : this.best,
    });
  }

  /**
   * In 2004 leaving with "normal" ends the attempt on the activity, and opening the page again
   * would start from nothing: what was completed would no longer be. In 1.2 the data stay.
   */
  exit() {
    return this.old && this.done ? "" : "suspend";
  }

  save() {
    const { connection } = this;
    if (!connection.open) return false;
    connection.set(connection.words.location, this.page);
    connection.set("cmi.suspend_data", this.state());
    connection.set(connection.words.core + "session_time", duration(this.clock() - this.started, connection.edition));
    if (!this.old) connection.set("cmi.progress_measure", this.done ? "1" : decimal(this.progress(), 4));
    return connection.commit();
  }

  /** Share of the steps done: every page, and the questions. */
  progress() {
    const { pages, questions } = this.definition;
    const steps = pages.length + (questions.length > 0 ? 1 : 0);
    return (this.seen.size + (this.everSubmitted ? 1 : 0)) / steps;
  }

  showPage(page) {
    this.page = page;
    this.seen.add(page);
    this.lastAnswer = this.clock();
    this.complete();
    this.save();
  }

  answer(id, response) {
    const now = this.clock();
    this.latencies[id] = (this.latencies[id] || 0) + (now - this.lastAnswer);
    this.lastAnswer = now;
    this.answers[id] = response;
    this.save();
  }

  /** A lesson is done when all pages were seen and its questions, if any, answered once. */
  complete() {
    const { pages, questions } = this.definition;
    const read = pages.every((page) => this.seen.has(page));
    if (this.done || !read || (questions.length > 0 && !this.everSubmitted)) return;
    this.done = true;
    const { connection } = this;
    if (!connection.open) return;
    if (!this.isTest) connection.set(connection.words.status, "completed");
    connection.set(connection.words.core + "exit", this.exit());
  }

  /** Grades what is answered, without reporting it. */
  result() {
    const questions = this.definition.questions.map((question) => ({
      question,
      ...grade(question, this.answers[question.id]),
    }));
    const points = questions.reduce((sum, entry) => sum + entry.fraction, 0);
    const total = questions.length;
    const scaled = total > 0 ? Math.round((points / total) * 1e6) / 1e6 : 0;
    const passed = this.isTest && scaled + 1e-9 >= this.definition.pass_mark;
    return { questions, points, total, scaled, passed };
  }

  /** Grades and reports. */
  submit() {
    const result = this.result();
    this.submitted = true;
    this.everSubmitted = true;
    result.questions.forEach((entry) => this.reportInteraction(entry));
    if (this.isTest) this.reportTest(result);
    this.complete();
    this.save();
    return result;
  }

  /** A better result replaces; a passed test stays passed. */
  reportTest(result) {
    const { connection, old } = this;
    const better = this.best === null || result.scaled > this.best;
    if (better) this.best = result.scaled;
    this.passed = this.passed || result.passed;
    if (!connection.open) return;
    if (better) {
      const score = connection.words.core + "score.";
      if (!old) connection.set(score + "scaled", decimal(result.scaled, 7));
      connection.set(score + "min", "0");
      connection.set(score + "max", "100");
      connection.set(score + "raw", decimal(result.scaled * 100, 2));
    }
    if (!old) connection.set(connection.words.status, "completed");
    connection.set(connection.words.success, this.passed ? "passed" : "failed");
  }

  reportInteraction(entry) {
    const { connection, definition, old } = this;
    if (!connection.open) return;
    const { question, fraction, answered } = entry;
    const { words, edition } = connection;
    const path = "cmi.interactions." + this.interactions + ".";
    const shape = interaction(question, this.answers[question.id], edition);
    const id = old ? definition.id + "-" + question.id : definition.uri + ":" + question.id;
    // Without an identifier nothing else of the record may be written (RTE 4.2.9).
    if (!connection.note(path + "id", id)) return;
    this.interactions += 1;
    connection.note(path + "type", shape.type);
    connection.note(path + words.time, moment(this.clock(), edition));
    shape.patterns.forEach((pattern, index) => {
      connection.note(path + "correct_responses." + index + ".pattern", pattern);
    });
    connection.note(path + "weighting", "1");
    if (answered) connection.note(path + words.response, shape.response);
    const partial = decimal(fraction, 4);
    connection.note(path + "result", fraction >= 1 ? "correct" : fraction > 0 ? partial : words.wrong);
    connection.note(path + "latency", duration(this.latencies[question.id] || 0, edition));
    if (!old && question.text) connection.note(path + "description", question.text.slice(0, 250));
  }

  retry() {
    this.submitted = false;
    this.answers = {};
    this.latencies = {};
    this.lastAnswer = this.clock();
    this.save();
  }

  /** Whether the platform would deliver a next activity (2004 only; in 1.2 the player shows it). */
  canContinue() {
    return (
      this.done && this.connection.open && !this.old &&
      this.connection.get("adl.nav.request_valid.continue") === "true"
    );
  }

  continueToNext() {
    if (this.ended || !this.connection.set("adl.nav.request", "continue")) return false;
    this.end();
    return true;
  }

  /** Stores and closes, once. */
  end() {
    if (this.ended) return;
    this.ended = true;
    this.save();
    this.connection.terminate();
  }
}

globalThis.PasserelleCourse = { findApi, Connection, Session, grade, interaction, duration, moment, readNumber, isAnswered };
