// Copying a value with one press. Without this, the fields can be selected and copied as usual.

const status = document.getElementById("copied");

for (const button of document.querySelectorAll("button[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      // No right to the clipboard: selected, it is one keystroke away.
      field.focus();
      field.select();
      return;
    }
    button.textContent = button.dataset.copied;
    if (status) status.textContent = button.dataset.copied;
    setTimeout(() => {
      button.textContent = label;
      if (status) status.textContent = "";
    }, 2000);
  });
  field.addEventListener("focus", () => field.select());
}
