/*
 * Shows a course page: one screen at a time, questions, results. Its data stand in
 * <main data-definition>; what it stores goes through session.js, whose names are
 * known here: both are classic scripts, so that a page also opens from a folder.
 */
"use strict";

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

class View {
  constructor(document, window) {
    this.document = document;
    this.main = document.getElementById("content");
    this.definition = JSON.parse(this.main.dataset.definition);
    this.strings = this.definition.strings;
    this.form = this.element("quiz-form");
    this.warned = false;
    const found = findApi(window, this.definition.edition);
    this.session = new Session(this.definition, found, () => Date.now(), (saved) => this.saved(saved));
    this.preview = !this.session.start() && !found;
  }

  element(id) {
    return this.document.getElementById(id);
  }

  start() {
    this.element("pager").hidden = this.definition.pages.length < 2;
    this.element("progress").hidden = this.definition.pages.length < 2;
    this.element("previous").addEventListener("click", () => this.turn(-1));
    this.element("next").addEventListener("click", () => this.turn(1));
    this.element("next-lesson").addEventListener("click", () => this.leave());
    if (this.form) {
      this.form.addEventListener("change", (event) => this.changed(event.target));
      this.form.addEventListener("submit", (event) => this.submitted(event));
      this.element("retry").addEventListener("click", () => this.retry());
      this.definition.questions.forEach((question) => this.write(question));
      if (this.session.submitted) this.showResult(this.session.result());
    }
    if (this.preview) this.say("notice", this.strings.preview);
    this.show(this.session.page, false);
  }

  say(id, text) {
    this.element(id).textContent = text;
  }

  /** A failed save is said discreetly, and unsaid when a later one succeeds. */
  saved(ok) {
    if (!ok || this.troubled) this.say("notice", ok ? "" : this.strings.not_saved);
    this.troubled = !ok;
  }

  show(page, moveFocus) {
    const { pages } = this.definition;
    const index = pages.indexOf(page);
    for (const id of pages) this.element("page-" + id).hidden = id !== page;
    const place = { n: index + 1, total: pages.length };
    this.say("progress-text", fill(this.strings.page, place));
    this.element("progress-bar").value = place.n / place.total;
    this.element("previous").disabled = index === 0;
    this.element("next").hidden = index === pages.length - 1;
    this.session.showPage(page);
    this.showDone();
    if (moveFocus) {
      const heading = this.element("heading-" + page) || this.element("title");
      this.document.documentElement.scrollTop = 0;
      heading.focus({ preventScroll: index === 0 });
    }
  }

  turn(step) {
    const { pages } = this.definition;
    const page = pages[pages.indexOf(this.session.page) + step];
    if (page) this.show(page, true);
  }

  showDone() {
    const { session, strings, definition } = this;
    const last = session.page === definition.pages[definition.pages.length - 1];
    let text = "";
    if (session.done) text = session.isTest ? strings.test_done : strings.lesson_done;
    else if (!session.isTest && last && !this.form) text = strings.lesson_quiz_left;
    this.say("done", last ? text : "");
    const canContinue = last && session.canContinue();
    this.element("next-lesson").hidden = !canContinue;
    if (canContinue) this.element("pager").hidden = false;
    if (definition.pages.length < 2) {
      this.element("previous").hidden = true;
      this.element("next").hidden = true;
    }
  }

  leave() {
    if (!this.session.continueToNext()) return;
    this.say("notice", this.strings.closed);
    for (const button of this.main.querySelectorAll("button")) button.disabled = true;
  }

  /* Questions */

  inputs(question) {
    return [...this.element(question.id).querySelectorAll("input, select")];
  }

  read(question) {
    const inputs = this.inputs(question);
    if (question.type === "matching") return inputs.map((input) => input.value);
    const picked = inputs.filter((input) => input.checked).map((input) => input.value);
    if (inputs[0].type === "checkbox") return picked;
    return inputs[0].type === "radio" ? picked[0] || "" : inputs[0].value;
  }

  write(question) {
    const response = this.session.answers[question.id];
    this.inputs(question).forEach((input, index) => {
      if (input.type === "radio" || input.type === "checkbox") {
        input.checked = [].concat(response).includes(input.value);
      } else {
        const value = question.type === "matching" ? (response || [])[index] : response;
        input.value = value || "";
      }
    });
  }

  changed(input) {
    const id = input.closest("fieldset").id;
    const question = this.definition.questions.find((entry) => entry.id === id);
    if (question && !this.session.submitted) this.session.answer(id, this.read(question));
  }

  submitted(event) {
    event.preventDefault();
    const { session, strings, definition } = this;
    if (session.submitted || session.ended) return;
    for (const question of definition.questions) session.answers[question.id] = this.read(question);
    const missing = definition.questions.filter((question) => !isComplete(question, session.answers[question.id]));
    const submit = this.form.querySelector("button[type=submit]");
    this.submitLabel = this.submitLabel || submit.textContent;
    for (const question of definition.questions) {
      const bad =
        question.type === "numeric" && this.read(question).trim() !== "" && readNumber(this.read(question)) === null;
      this.resultLine(question, bad ? strings.bad_number : "");
    }
    if (missing.length > 0 && !this.warned) {
      this.warned = true;
      this.say("summary", fill(strings.missing, { n: missing.length }));
      submit.textContent = strings.submit_anyway;
      this.inputs(missing[0])[0].focus();
      return;
    }
    submit.textContent = this.submitLabel;
    this.showResult(session.submit());
    this.showDone();
    this.element("summary").focus();
  }

  resultLine(question, text) {
    const line = this.element(question.id).querySelector("[data-result]");
    line.textContent = text;
    line.hidden = text === "";
  }

  showResult(result) {
    const { strings, session, definition } = this;
    for (const entry of result.questions) {
      const box = this.element(entry.question.id);
      const kind = entry.fraction >= 1 ? "right" : entry.fraction > 0 ? "partly" : "wrong";
      box.dataset.state = kind;
      box.disabled = true;
      this.resultLine(entry.question, entry.answered ? strings[kind] : strings.unanswered);
      for (const line of box.querySelectorAll("[data-feedback]")) {
        const key = line.dataset.feedback;
        line.hidden = !(entry.keys.includes(key) || key === "general");
      }
      // A failed test does not give its answers away: it is to be taken again.
      const solution = box.querySelector("[data-solution]");
      if (solution) solution.hidden = entry.fraction >= 1 || (session.isTest && !result.passed);
    }
    const number = (value) =>
      value.toLocaleString(definition.lang, { maximumFractionDigits: session.isTest ? 1 : 2 });
    let text = fill(strings.quiz_score, { points: number(result.points), total: result.total });
    if (session.isTest) {
      const values = { percent: number(result.scaled * 100), pass: number(definition.pass_mark * 100) };
      text = fill(result.passed ? strings.passed : strings.failed, values);
      if (session.best !== null && session.best > result.scaled) {
        text += " " + fill(strings.best, { percent: number(session.best * 100) });
      }
    }
    this.say("summary", text);
    this.element("summary").dataset.state = session.isTest ? (result.passed ? "right" : "wrong") : "neutral";
    this.form.querySelector("button[type=submit]").hidden = true;
    this.element("retry").hidden = false;
  }

  retry() {
    this.session.retry();
    this.warned = false;
    this.say("summary", "");
    this.element("retry").hidden = true;
    this.form.querySelector("button[type=submit]").hidden = false;
    for (const question of this.definition.questions) {
      const box = this.element(question.id);
      delete box.dataset.state;
      box.disabled = false;
      this.resultLine(question, "");
      for (const line of box.querySelectorAll("[data-feedback], [data-solution]")) line.hidden = true;
      this.write(question);
    }
    this.showDone();
    this.inputs(this.definition.questions[0])[0].focus();
  }
}

/** Every part answered, where a question has parts. */
function isComplete(question, response) {
  if (question.type === "matching") return response.every((part) => part !== "");
  return isAnswered(question, response);
}

const view = new View(document, window);
view.start();
// `unload` is refused inside many platforms' frames; pagehide is not.
window.addEventListener("pagehide", () => view.session.end());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden" && !view.session.ended) view.session.save();
});
// A page brought back from the browser's cache has no open session any more.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});
