// Choosing content for a platform, and handing the choice back to it.

const returning = document.getElementById("picker-return");
if (returning) returning.submit();

const picker = document.getElementById("picker");
if (picker) {
  const problem = document.getElementById("picker-problem");
  picker.addEventListener("submit", (event) => {
    if (event.submitter?.name === "cancel") return;
    if (picker.querySelector("input[name=item]:checked")) return;
    event.preventDefault();
    problem.textContent = picker.dataset.none;
  });
  picker.addEventListener("change", () => {
    problem.textContent = "";
  });
}

// ---- the search: as one types, without asking the server ------------------------------------

const search = document.getElementById("picker-search");
if (search && picker) {
  const found = document.getElementById("picker-found");
  const rows = [...picker.querySelectorAll(".choice-row")];
  const folded = (text) =>
    text
      .normalize("NFD")
      .replace(/\p{M}/gu, "")
      .toLowerCase()
      .replaceAll("œ", "oe")
      .replaceAll("æ", "ae")
      .replaceAll("’", "'");
  const texts = new Map(rows.map((row) => [row, folded(row.querySelector("label").textContent)]));
  const filter = () => {
    const words = folded(search.elements.q.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const matches = words.every((word) => texts.get(row).includes(word));
      // What is chosen stays in sight: it would be sent unseen.
      row.hidden = !matches && !row.querySelector("input").checked;
      if (matches) count += 1;
    }
    found.textContent = !words.length
      ? ""
      : count
        ? found.dataset.some.replace("%count%", count)
        : found.dataset.none;
  };
  // Filtered by the server already: it has to be asked for the rest.
  const whole = !new URLSearchParams(location.search).get("q");
  if (whole) {
    search.elements.q.addEventListener("input", filter);
    search.addEventListener("submit", (event) => {
      event.preventDefault();
      filter();
    });
    picker.addEventListener("change", filter);
  }
}
