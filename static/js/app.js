// Small helps on top of pages that work without them.
const listen = (type, handle) => document.addEventListener(type, handle);

// <button data-copy="#id"> copies the text or value of that element and says so.
listen("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.querySelector(button.dataset.copy);
  const words = button.querySelector("[data-said]") ?? button;
  const before = words.textContent;
  try {
    await navigator.clipboard.writeText((source.value ?? source.textContent).trim());
    words.textContent = "Copied";
  } catch {
    words.textContent = "Press Ctrl+C";
    getSelection().selectAllChildren(source);
  }
  setTimeout(() => { words.textContent = before; }, 1600);
});

// <dialog popover> opens by popovertarget alone; here it also keeps the focus inside while it is open.
listen("click", (event) => {
  const button = event.target.closest("button[popovertarget]");
  const dialog = button && document.getElementById(button.getAttribute("popovertarget"));
  if (!(dialog instanceof HTMLDialogElement)) return;
  event.preventDefault();
  if (dialog.open || dialog.contains(button)) dialog.close();
  else dialog.showModal();
});
listen("click", (event) => {
  if (event.target instanceof HTMLDialogElement && event.target.matches(":modal")) {
    const box = event.target.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside) event.target.close();
  }
});

// <form data-auto> asks again by itself when a choice changes; its button stays for everybody else.
listen("change", (event) => {
  if (event.target.matches("select, input[type=date], input[type=month], input[type=checkbox], input[type=radio]")) {
    event.target.closest("form[data-auto]")?.requestSubmit();
  }
});

// Empty filters stay out of the address.
listen("submit", (event) => {
  const form = event.target;
  if (form.method === "get") {
    const empty = [...form.elements].filter((field) => field.name && !field.value && !field.disabled);
    for (const field of empty) field.disabled = true;
    setTimeout(() => { for (const field of empty) field.disabled = false; });
  }
});

// A form that changes something is sent once, however often its button is pressed.
const sent = new WeakSet();
listen("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented || form.matches("[hx-post], [data-again]")) return;
  if (sent.has(form)) { event.preventDefault(); return; }
  sent.add(form);
  event.submitter?.setAttribute("aria-disabled", "true");
});
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

// "/" goes to the search field.
listen("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const search = document.querySelector("input[type=search]");
  if (search) { event.preventDefault(); search.focus(); }
});

// <button data-print> prints the page; shown only where there is a script.
for (const button of document.querySelectorAll("button[data-print]")) button.hidden = false;
listen("click", (event) => { if (event.target.closest("[data-print]")) print(); });
