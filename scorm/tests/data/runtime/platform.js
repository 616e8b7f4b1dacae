// A platform that keeps what it is told, and a lesson and a test to play.

class Platform {
  constructor(edition) {
    this.edition = edition;
    this.old = edition === "1.2";
    this.data = this.old ? { "cmi.core.lesson_status": "not attempted" } : { "cmi.completion_status": "unknown", "cmi.success_status": "unknown" };
    this.open = false;
    this.broken = false;
    this.calls = [];
    const prefix = this.old ? "LMS" : "";
    this.api = {
      [prefix + "Initialize"]: (empty) => this.log("Initialize()", (this.open = !this.open && empty === "")),
      [this.old ? "LMSFinish" : "Terminate"]: () => this.log("Terminate()", this.open && !(this.open = false)),
      [prefix + "GetValue"]: (name) => this.read(name),
      [prefix + "SetValue"]: (name, value) => this.write(name, value),
      [prefix + "Commit"]: () => this.log("Commit()", this.open && !this.broken),
      [prefix + "GetLastError"]: () => (this.open ? "0" : "123"),
    };
  }

  log(what, done) {
    this.calls.push(what + " " + done);
    return done ? "true" : "false";
  }

  read(name) {
    if (name.endsWith("._count")) {
      return Object.keys(this.data).filter((key) => /interactions\.\d+\.id$/.test(key)).length;
    }
    return this.data[name] || "";
  }

  write(name, value) {
    if (typeof value !== "string") throw new TypeError(name);
    const done = this.open && !this.broken;
    if (done) this.data[name] = value;
    return this.log(name + " = " + value, done);
  }

  reopen() {
    this.open = false;
  }

  verdict() {
    const { data } = this;
    if (this.old) return [data["cmi.core.lesson_status"], data["cmi.core.score.raw"]];
    return [data["cmi.completion_status"], data["cmi.success_status"], data["cmi.score.raw"]];
  }
}

let now = Date.UTC(2026, 0, 15, 9, 30, 0);
const tick = (milliseconds) => {
  now += milliseconds;
};

function open(definition, platform, onSaved) {
  const found = { edition: platform.edition, api: platform.api };
  const session = new PasserelleCourse.Session(definition, found, () => now, onSaved || (() => {}));
  if (!session.start()) throw new Error("not opened");
  return session;
}

const lesson = {
  kind: "lesson",
  id: "lesson-01",
  uri: "urn:passerelle:course:fixture:lesson-01",
  hash: "0badcafe",
  pages: ["introduction", "quiz"],
  questions: [
    { id: "q1", text: "One?", type: "choice", single: true, options: [{ id: "a", weight: 1 }, { id: "b", weight: 0 }] },
    { id: "q2", text: "Several?", type: "choice", single: false, options: [{ id: "a", weight: 0.5 }, { id: "b", weight: 0.5 }, { id: "c", weight: -1 }] },
    { id: "q3", text: "True?", type: "true-false", answer: true },
    { id: "q4", text: "Word?", type: "fill-in", answers: [{ text: "bois", weight: 1 }, { text: "bois*", weight: 0.5 }, { text: "l'acier", weight: 1 }] },
    { id: "q5", text: "Number?", type: "numeric", answers: [{ min: 12.4, max: 12.6, weight: 1 }, { min: 12.9, max: 13.1, weight: 0.5 }] },
    { id: "q6", text: "Pairs?", type: "matching", pairs: [["1", "b"], ["2", "a"]] },
  ],
};

const test = {
  kind: "test",
  id: "test",
  uri: "urn:passerelle:course:fixture:test",
  hash: "0badcafe",
  pages: ["quiz"],
  pass_mark: 0.5,
  questions: ["q1", "q2"].map((id) => ({ id, text: id, type: "choice", single: true, options: [{ id: "a", weight: 1 }, { id: "b", weight: 0 }] })),
};
