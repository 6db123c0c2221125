// Around the card frame: gives it its height, hears what came of it, and turns the page when the invoice is paid.
const place = document.getElementById("paying");
if (place) watch(place);

function watch(section) {
  const { state, statusUrl, payOrigin } = section.dataset;
  const frame = section.querySelector("iframe");
  const said = section.querySelector("[data-said-by-script]");
  const token = section.querySelector("input[name=csrfmiddlewaretoken]")?.value;
  let pace = frame ? 8000 : 1500;
  let since = 0;
  let asked = false;

  if (state === "begin") {
    // By itself only when somebody has just come here: a page that is loaded again leaves the button to the payer.
    const form = section.querySelector("form");
    if (form && performance.getEntriesByType("navigation")[0]?.type === "navigate") start(form);
    return;
  }

  addEventListener("message", (event) => {
    if (!frame || event.origin !== payOrigin || event.source !== frame.contentWindow || event.data?.proe !== "pay") return;
    const { height, outcome } = event.data;
    if (Number.isFinite(height)) frame.style.setProperty("block-size", `${Math.min(Math.max(height, 120), 1600)}px`);
    if (outcome === "confirmed" || outcome === "done") {
      said.textContent = section.dataset.confirmed || "Thank you. This page turns to paid in a moment.";
      pace = 700;
      since = Date.now();
      look();
    } else if (outcome === "sent" || outcome === "declined") {
      said.textContent = "";
    }
  });

  let timer = setTimeout(look, pace);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });

  async function look() {
    clearTimeout(timer);
    try {
      // When the event takes long, we ask Stripe ourselves, once in a while.
      const insist = since && Date.now() - since > 5000 && token;
      const request = insist && !asked ? { method: "POST", headers: { "X-CSRFToken": token } } : {};
      asked = Boolean(insist) && !asked;
      const answer = await fetch(statusUrl, { ...request, cache: "no-store" });
      if (answer.ok) {
        const told = await answer.json();
        if (told.state !== state) { again(told.url); return; }
      }
    } catch { /* no connection: the next look tells */ }
    pace = Math.min(pace * 1.15, frame && !since ? 15000 : 6000);
    timer = setTimeout(look, document.hidden ? 15000 : pace);
  }

  function again(url) {
    if (url) location.replace(url);
    else location.reload();
  }

  async function start(form) {
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual" });
      if (answer.type === "opaqueredirect" || answer.ok) again();
    } catch { /* the button stays */ }
  }
}
