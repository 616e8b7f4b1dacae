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
