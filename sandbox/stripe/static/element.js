// The Payment Element inside its own origin: card data is typed here and leaves only to the API of this origin.
// The embedding page sees whether the form is complete, and the id of a payment method, never a number.
(function () {
  "use strict";

  const query = new URLSearchParams(window.location.search);
  const parentOrigin = query.get("parent") || "";
  const frameId = query.get("frame") || "";
  const inputs = Object.fromEntries(
    ["number", "expiry", "cvc", "country"].map((name) => [name, document.getElementById(name)])
  );
  const cardFields = ["number", "expiry", "cvc"];
  const touched = new Set();
  const BRANDS = [
    ["amex", /^3[47]/, [4, 10], 15, 4],
    ["mastercard", /^(5[1-5]|2[2-7])/, [4, 8, 12], 16, 3],
    ["discover", /^6(011|4[4-9]|5)/, [4, 8, 12], 16, 3],
    ["diners", /^3(0[0-5]|[689])/, [4, 8, 12], 16, 3],
    ["jcb", /^35/, [4, 8, 12], 16, 3],
    ["unionpay", /^62/, [4, 8, 12], 16, 3],
    ["visa", /^4/, [4, 8, 12], 16, 3],
  ];
  const COUNTRIES = (
    "AE AR AT AU BE BG BR CA CH CL CN CO CY CZ DE DK EE EG ES FI FR GB GR HK HR HU ID IE IL IN IS IT JP KE KR LI LT " +
    "LU LV MA MT MX MY NG NL NO NZ PE PH PL PT RO RS RU SA SE SG SI SK TH TR TW UA US UY VN ZA"
  ).split(" ");

  const digits = (input) => input.value.replace(/\D/g, "");
  const brandOf = (number) => BRANDS.find((entry) => entry[1].test(number));

  function say(type, data) {
    if (parentOrigin) {
      window.parent.postMessage({ standIn: "element", frame: frameId, type, ...data }, parentOrigin);
    }
  }

  function passesLuhn(number) {
    let sum = 0;
    for (let place = 0; place < number.length; place += 1) {
      const digit = Number(number[number.length - 1 - place]) * (1 + (place % 2));
      sum += digit > 9 ? digit - 9 : digit;
    }
    return sum % 10 === 0;
  }

  function fullYear(year) {
    return year < 100 ? 2000 + year : year;
  }

  // What is wrong with a field, as [code, message], or null.
  const faults = {
    number() {
      const number = digits(inputs.number);
      const brand = brandOf(number);
      if (number.length < (brand ? brand[3] : 13)) return ["incomplete_number", "Your card number is incomplete."];
      return passesLuhn(number) ? null : ["invalid_number", "Your card number is invalid."];
    },
    expiry() {
      const typed = digits(inputs.expiry);
      if (typed.length !== 4 && typed.length !== 6) {
        return ["incomplete_expiry", "Your card's expiration date is incomplete."];
      }
      const month = Number(typed.slice(0, 2));
      const year = fullYear(Number(typed.slice(2)));
      if (month < 1 || month > 12) return ["invalid_expiry_month", "Your card's expiration date is invalid."];
      const now = new Date();
      if (year < now.getFullYear() || (year === now.getFullYear() && month < now.getMonth() + 1)) {
        return ["invalid_expiry_year_past", "Your card's expiration date is in the past."];
      }
      return year > now.getFullYear() + 50 ? ["invalid_expiry_year", "Your card's expiration year is invalid."] : null;
    },
    cvc() {
      const brand = brandOf(digits(inputs.number));
      const wanted = brand ? brand[4] : 3;
      return digits(inputs.cvc).length < wanted ? ["incomplete_cvc", "Your card's security code is incomplete."] : null;
    },
  };

  function show(name) {
    const fault = touched.has(name) ? faults[name]() : null;
    const error = document.getElementById(`${name}-error`);
    const text = fault ? fault[1] : "";
    if (error.textContent !== text) error.textContent = text;
    inputs[name].setAttribute("aria-invalid", fault ? "true" : "false");
  }

  function changed() {
    const empty = cardFields.every((name) => inputs[name].value === "");
    const complete = cardFields.every((name) => faults[name]() === null);
    say("change", { empty, complete });
  }

  function format(name) {
    const input = inputs[name];
    const typed = digits(input);
    const atEnd = input.selectionStart === input.value.length;
    let text = typed;
    if (name === "number") {
      const brand = brandOf(typed);
      const cuts = brand ? brand[2] : [4, 8, 12];
      const kept = typed.slice(0, brand ? brand[3] : 19);
      text = [...kept].map((digit, place) => (cuts.includes(place) ? ` ${digit}` : digit)).join("");
      document.getElementById("brand").textContent = brand ? brand[0] : "";
    } else if (name === "expiry") {
      const padded = /^[2-9]/.test(typed) ? `0${typed}` : typed;
      text = padded.length > 2 ? `${padded.slice(0, 2)} / ${padded.slice(2, 6)}` : padded;
    } else {
      text = typed.slice(0, 4);
    }
    if (input.value !== text) {
      input.value = text;
      if (atEnd) input.setSelectionRange(text.length, text.length);
    }
  }

  function checkAll() {
    let first = null;
    for (const name of cardFields) {
      touched.add(name);
      show(name);
      const fault = faults[name]();
      if (fault && !first) first = [name, fault];
    }
    if (!first) return null;
    inputs[first[0]].focus();
    return { type: "validation_error", code: first[1][0], message: first[1][1] };
  }

  function merged(details) {
    const given = details || {};
    const address = { country: inputs.country.value, ...(given.address || {}) };
    return { ...given, address };
  }

  function flatten(prefix, value, into) {
    if (value === null || value === undefined) return;
    if (typeof value === "object") {
      for (const [name, entry] of Object.entries(value)) flatten(`${prefix}[${name}]`, entry, into);
    } else {
      into.append(prefix, String(value));
    }
  }

  async function createPaymentMethod({ key, account, billingDetails }) {
    const error = checkAll();
    if (error) return { error };
    const expiry = digits(inputs.expiry);
    const form = new URLSearchParams({ key, type: "card" });
    if (account) form.append("_stripe_account", account);
    form.append("card[number]", digits(inputs.number));
    form.append("card[exp_month]", String(Number(expiry.slice(0, 2))));
    form.append("card[exp_year]", String(fullYear(Number(expiry.slice(2)))));
    form.append("card[cvc]", digits(inputs.cvc));
    flatten("billing_details", merged(billingDetails), form);
    try {
      const answer = await fetch("/v1/payment_methods", { method: "POST", body: form });
      const body = await answer.json();
      return answer.ok ? { paymentMethod: { id: body.id } } : { error: body.error };
    } catch {
      return { error: { type: "api_connection_error", message: "We could not reach the payment service. Try again." } };
    }
  }

  function dress({ appearance, options, country, future }) {
    const root = document.documentElement;
    const wish = appearance || {};
    if (wish.theme) root.dataset.theme = wish.theme;
    for (const [name, value] of Object.entries(wish.variables || {})) {
      if (/^[A-Za-z]+$/.test(name) && typeof value === "string") root.style.setProperty(`--${name}`, value);
    }
    const fields = options && options.fields && options.fields.billingDetails;
    const address = fields && fields.address;
    const never = fields === "never" || address === "never" || (address && address.country === "never");
    document.getElementById("country-field").hidden = Boolean(never);
    if (country && COUNTRIES.includes(country)) inputs.country.value = country;
    const terms = document.getElementById("terms");
    terms.hidden = !future;
    terms.textContent = future
      ? "By giving your card details, you allow this business to charge your card for future payments under its terms."
      : "";
  }

  const commands = {
    dress: async (data) => { dress(data); return {}; },
    validate: async () => { const error = checkAll(); return error ? { error } : {}; },
    createPaymentMethod,
    focus: async () => { inputs.number.focus(); return {}; },
    blur: async () => { if (document.activeElement) document.activeElement.blur(); return {}; },
    clear: async () => {
      for (const name of cardFields) { inputs[name].value = ""; touched.delete(name); format(name); show(name); }
      changed();
      return {};
    },
  };

  window.addEventListener("message", async (event) => {
    const message = event.data;
    if (event.source !== window.parent || event.origin !== parentOrigin || !message) return;
    if (message.standIn !== "command" || message.frame !== frameId || !commands[message.command]) return;
    const result = await commands[message.command](message.data || {});
    say("response", { id: message.id, result });
  });

  const names = new Intl.DisplayNames(["en"], { type: "region" });
  for (const [code, name] of COUNTRIES.map((code) => [code, names.of(code)]).sort((a, b) => a[1].localeCompare(b[1]))) {
    inputs.country.append(new Option(name, code, code === "US", code === "US"));
  }
  for (const name of cardFields) {
    inputs[name].addEventListener("input", () => { format(name); show(name); changed(); });
    inputs[name].addEventListener("blur", () => {
      if (inputs[name].value) touched.add(name);
      show(name);
    });
  }
  inputs.country.addEventListener("change", changed);
  document.addEventListener("focusin", () => say("focus", {}));
  document.addEventListener("focusout", (event) => { if (!event.relatedTarget) say("blur", {}); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") say("escape", {}); });
  document.getElementById("form").addEventListener("submit", (event) => event.preventDefault());
  new ResizeObserver(() => say("resize", { height: Math.ceil(document.body.getBoundingClientRect().height) })).observe(
    document.body
  );
  say("loaded", {});
})();
