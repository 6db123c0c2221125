// Inside the frame of the pay host: mounts Stripe's form, confirms, and tells the page around what came of it.
const main = document.getElementById("main");
const { parent: around, page, key, account, secret, brand, outcome } = main.dataset;
const tell = (message) => {
  if (around && window.parent !== window) window.parent.postMessage({ proe: "pay", ...message }, around);
};

new ResizeObserver(() => tell({ height: Math.ceil(main.getBoundingClientRect().bottom + 4) })).observe(main);
if (outcome) tell({ outcome });
if (secret) load();

// Stripe's script comes only once there is something to enter a card for; its host is all that the policy lets in.
function load() {
  const script = document.createElement("script");
  script.src = main.dataset.stripe;
  script.onload = script.onerror = begin;
  document.head.append(script);
}

function begin() {
  const problem = document.getElementById("problem");
  const said = document.getElementById("said");
  const button = document.getElementById("submit");
  const keep = document.getElementById("keep");
  const isSetup = secret.startsWith("seti_");

  const complain = (error) => {
    problem.textContent = error ? wordsFor(error) : "";
    problem.hidden = !error;
  };
  if (typeof window.Stripe !== "function") {
    complain({ message: "The card form could not be loaded. Check your connection, and whether something blocks it, then load the page again." });
    return;
  }
  const stripe = window.Stripe(key, account ? { stripeAccount: account } : {});
  const theme = matchMedia("(prefers-color-scheme: dark)").matches ? "night" : "stripe";
  const elements = stripe.elements({ clientSecret: secret, appearance: { theme, variables: { colorPrimary: brand } } });
  const card = elements.create("payment", { layout: "tabs" });
  card.on("ready", () => {
    document.getElementById("loading")?.remove();
    document.getElementById("card").removeAttribute("aria-busy");
    button.disabled = false;
    tell({ outcome: "ready" });
  });
  card.on("loaderror", (event) => complain(event.error));
  card.mount("#card");

  const busy = (is) => {
    button.disabled = is;
    main.classList.toggle("challenged", is);
    said.textContent = is ? "One moment. Your bank may ask you to confirm." : "";
  };

  document.getElementById("card-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    complain(null);
    busy(true);
    const { error: incomplete } = await elements.submit();
    if (incomplete) { busy(false); complain(incomplete); return; }
    tell({ outcome: "sent" });
    const confirmParams = { return_url: page };
    if (keep?.checked) confirmParams.setup_future_usage = "off_session";
    const options = { elements, confirmParams, redirect: "if_required" };
    const { error } = isSetup ? await stripe.confirmSetup(options) : await stripe.confirmPayment(options);
    busy(false);
    // Paid meanwhile in another tab: no refusal, and above all no advice to use another card.
    const before = (error?.payment_intent || error?.setup_intent)?.status === "succeeded";
    if (error && !before) {
      complain(error);
      tell({ outcome: "declined" });
      problem.focus?.();
      return;
    }
    button.disabled = true;
    const thanks = before ? "This was paid already. This card was not charged." : "Thank you. The payment is being confirmed.";
    said.textContent = isSetup ? "Your card is saved." : thanks;
    tell({ outcome: "confirmed" });
  });
}

// Why it failed comes from the bank; what to do comes from us.
function wordsFor(error) {
  const said = error.message || "The card was not charged.";
  const reason = error.decline_code || error.code || "";
  const advice = {
    insufficient_funds: "Use another card, or try again when there is money on this one.",
    expired_card: "Use another card.",
    incorrect_cvc: "Check the three or four digits on the back and try again.",
    incorrect_number: "Check the number and try again.",
    card_velocity_exceeded: "Use another card, or try again tomorrow.",
    lost_card: "Use another card.",
    stolen_card: "Use another card.",
    processing_error: "Nothing was charged. Try again in a minute.",
    payment_intent_authentication_failure: "Try again and confirm with your bank, or use another card.",
    generic_decline: "Ask your bank why, or use another card.",
    fraudulent: "Ask your bank, or use another card.",
    do_not_honor: "Ask your bank why, or use another card.",
  }[reason];
  if (error.type === "validation_error" || error.type === "api_connection_error") return said;
  return `${said} ${advice || "Try again, or use another card."}`;
}
