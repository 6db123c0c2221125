// The stand-in's own script, offering what Stripe.js offers to a page with a Payment Element. It works under a strict
// policy of the embedding page: it adds no inline script and no style attribute, only properties of elements.
(function () {
  "use strict";

  if (window.Stripe) return;
  const ORIGIN = new URL(document.currentScript.src).origin;
  const YEAR = 365 * 24 * 3600;
  const HALF_HOUR = 1800;
  let frames = 0;

  function uuid() {
    const bytes = crypto.getRandomValues(new Uint8Array(20));
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 38)}`;
  }

  // Stripe's script marks the visitor on the embedding page's own host, against fraud.
  function setCookies() {
    const secure = window.location.protocol === "https:" ? "; Secure" : "";
    for (const [name, age] of [["__stripe_mid", YEAR], ["__stripe_sid", HALF_HOUR]]) {
      const known = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
      const value = known ? known.slice(name.length + 1) : uuid();
      document.cookie = `${name}=${value}; Max-Age=${age}; Path=/; SameSite=Strict${secure}`;
    }
  }

  function flatten(prefix, value, into) {
    if (value === null || value === undefined) return;
    if (typeof value === "object") {
      for (const [name, entry] of Object.entries(value)) flatten(`${prefix}[${name}]`, entry, into);
    } else {
      into.append(prefix, String(value));
    }
  }

  // A form without headers of its own needs no preflight.
  async function call(stripe, method, path, params) {
    const form = new URLSearchParams({ key: stripe.key });
    if (stripe.account) form.append("_stripe_account", stripe.account);
    for (const [name, value] of Object.entries(params)) flatten(name, value, form);
    try {
      const answer =
        method === "GET"
          ? await fetch(`${ORIGIN}${path}?${form}`)
          : await fetch(`${ORIGIN}${path}`, { method, body: form });
      const body = await answer.json();
      return answer.ok ? { body } : { error: body.error };
    } catch {
      const message = "An error occurred with our connection to Stripe. Please check your connection and try again.";
      return { error: { type: "api_connection_error", message } };
    }
  }

  const KINDS = {
    payment: { prefix: "pi_", path: "payment_intents", object: "payment_intent", result: "paymentIntent", error: "last_payment_error" },
    setup: { prefix: "seti_", path: "setup_intents", object: "setup_intent", result: "setupIntent", error: "last_setup_error" },
  };

  function kindOf(secret) {
    const kind = Object.values(KINDS).find((entry) => typeof secret === "string" && secret.startsWith(entry.prefix));
    if (!kind || !secret.includes("_secret_")) {
      throw new Error(`Invalid value for clientSecret: it should be of the form \${id}_secret_\${secret}.`);
    }
    return kind;
  }

  const idOf = (secret) => secret.split("_secret_")[0];

  async function retrieve(stripe, secret) {
    const kind = kindOf(secret);
    const { body, error } = await call(stripe, "GET", `/v1/${kind.path}/${idOf(secret)}`, { client_secret: secret });
    return error ? { error } : { [kind.result]: body };
  }

  function lay(element, styles) {
    for (const [name, value] of Object.entries(styles)) element.style.setProperty(name, value);
  }

  // The bank's page in a dialog over the embedding page; ends when the card holder has answered.
  function challenge(url) {
    return new Promise((resolve) => {
      const dialog = document.createElement("dialog");
      dialog.setAttribute("aria-label", "Confirm this payment with your bank");
      const whole = { position: "fixed", inset: "0", width: "100vw", height: "100vh", margin: "0", padding: "0" };
      lay(dialog, { ...whole, "max-width": "none", "max-height": "none", border: "0", background: "rgba(15, 20, 40, 0.55)" });
      const frame = document.createElement("iframe");
      frame.src = url;
      frame.title = "3-D Secure confirmation by your bank";
      frame.name = "__privateStripeFrameChallenge";
      const place = { position: "absolute", inset: "0", margin: "auto", width: "min(440px, 100%)", height: "min(500px, 100%)" };
      lay(frame, { ...place, border: "0", "border-radius": "16px", background: "Canvas", "box-shadow": "0 24px 64px rgba(0,0,0,.35)" });
      dialog.append(frame);
      dialog.addEventListener("cancel", (event) => event.preventDefault());
      function listen(event) {
        if (event.source !== frame.contentWindow || event.origin !== ORIGIN) return;
        if (!event.data || event.data.standIn !== "challenge") return;
        window.removeEventListener("message", listen);
        dialog.close();
        dialog.remove();
        resolve();
      }
      window.addEventListener("message", listen);
      document.body.append(dialog);
      dialog.showModal();
    });
  }

  async function handleAction(stripe, secret, intent) {
    const kind = kindOf(secret);
    const action = intent.status === "requires_action" ? intent.next_action : null;
    if (!action) return { [kind.result]: intent };
    if (action.type === "redirect_to_url") {
      window.location.assign(action.redirect_to_url.url);
      return new Promise(() => {});
    }
    await challenge(action.use_stripe_sdk.stripe_js);
    const after = await retrieve(stripe, secret);
    const result = after[kind.result];
    if (after.error || result.status !== "requires_payment_method") return after;
    return { error: { ...result[kind.error], [kind.object]: result } };
  }

  function redirect(kind, intent, returnUrl) {
    const url = new URL(returnUrl);
    url.searchParams.set(kind.object, intent.id);
    url.searchParams.set(`${kind.object}_client_secret`, intent.client_secret);
    url.searchParams.set("redirect_status", intent.status === "succeeded" || intent.status === "requires_capture" ? "succeeded" : "pending");
    window.location.assign(url.href);
    return new Promise(() => {});
  }

  // One confirmation: card data (or a known payment method) to the API, then the challenge, then back.
  async function confirm(stripe, wantedKind, options) {
    const { elements, confirmParams = {}, redirect: when = "always" } = options;
    const secret = options.clientSecret || (elements && elements._options.clientSecret);
    const kind = kindOf(secret);
    if (kind !== wantedKind) throw new Error(`This client secret is not one of a ${wantedKind.object}.`);
    if (when !== "if_required" && !confirmParams.return_url) {
      throw new Error("stripe.confirmPayment(): the confirmParams.return_url argument is required unless redirect is if_required.");
    }
    const params = { client_secret: secret, use_stripe_sdk: true };
    for (const name of ["return_url", "receipt_email", "shipping", "setup_future_usage"]) {
      if (confirmParams[name]) params[name] = confirmParams[name];
    }
    if (confirmParams.payment_method) {
      params.payment_method = confirmParams.payment_method;
    } else if (elements) {
      const data = confirmParams.payment_method_data || {};
      const made = await elements._createPaymentMethod(data.billing_details);
      if (made.error) return { error: made.error };
      params.payment_method = made.paymentMethod.id;
    }
    const { body, error } = await call(stripe, "POST", `/v1/${kind.path}/${idOf(secret)}/confirm`, params);
    if (error) return { error };
    const result = await handleAction(stripe, secret, body);
    if (result.error || when === "if_required") return result;
    return redirect(kind, result[kind.result], confirmParams.return_url);
  }

  class Emitter {
    constructor() { this._handlers = new Map(); }
    on(name, handler) {
      if (!this._handlers.has(name)) this._handlers.set(name, new Set());
      this._handlers.get(name).add(handler);
      return this;
    }
    once(name, handler) {
      const wrapped = (event) => { this.off(name, wrapped); handler(event); };
      return this.on(name, wrapped);
    }
    off(name, handler) {
      if (handler) this._handlers.get(name)?.delete(handler);
      else this._handlers.delete(name);
      return this;
    }
    _emit(name, event) { for (const handler of [...(this._handlers.get(name) || [])]) handler(event); }
  }

  class PaymentElement extends Emitter {
    constructor(elements, options) {
      super();
      this._elements = elements;
      this._options = options || {};
      this._waiting = new Map();
      this._count = 0;
      this._frame = null;
      this._listen = this._listen.bind(this);
    }

    mount(place) {
      const target = typeof place === "string" ? document.querySelector(place) : place;
      if (!target) throw new Error(`The selector you specified (${place}) applies to no DOM elements that are currently on the page.`);
      if (this._frame) this.unmount();
      frames += 1;
      this._id = `frame${frames}-${uuid()}`;
      const query = new URLSearchParams({ parent: window.location.origin, frame: this._id });
      const frame = document.createElement("iframe");
      frame.src = `${ORIGIN}/elements/payment?${query}`;
      frame.title = "Secure payment input frame";
      frame.name = `__privateStripeFrame${frames}`;
      frame.setAttribute("allow", "payment *");
      lay(frame, { display: "block", width: "100%", height: "240px", border: "0", "color-scheme": "normal" });
      window.addEventListener("message", this._listen);
      this._frame = frame;
      target.replaceChildren(frame);
      target.classList.add("StripeElement");
      return this;
    }

    unmount() {
      window.removeEventListener("message", this._listen);
      const target = this._frame && this._frame.parentElement;
      if (target) target.classList.remove("StripeElement");
      this._frame?.remove();
      this._frame = null;
      return this;
    }

    destroy() { this.unmount(); this._elements._element = null; return this; }
    update(options) { Object.assign(this._options, options); this._dress(); return this; }
    focus() { this._send("focus"); return this; }
    blur() { this._send("blur"); return this; }
    clear() { this._send("clear"); return this; }
    collapse() { return this; }

    _send(command, data) {
      if (!this._frame || !this._loaded) {
        return Promise.resolve({ error: { type: "validation_error", message: "The payment form is not ready yet." } });
      }
      this._count += 1;
      const id = this._count;
      return new Promise((resolve) => {
        this._waiting.set(id, resolve);
        this._frame.contentWindow.postMessage({ standIn: "command", frame: this._id, id, command, data }, ORIGIN);
      });
    }

    _dress() {
      const defaults = this._options.defaultValues?.billingDetails?.address?.country;
      const future = this._intent?.object === "setup_intent" || Boolean(this._intent?.setup_future_usage);
      const options = { fields: this._options.fields };
      const plain = JSON.parse(JSON.stringify({ appearance: this._elements._options.appearance, options, country: defaults, future }));
      return this._send("dress", plain);
    }

    async _ready() {
      this._loaded = true;
      const secret = this._elements._options.clientSecret;
      if (secret) {
        const found = await retrieve(this._elements._stripe, secret);
        if (found.error) {
          this._emit("loaderror", { elementType: "payment", error: found.error });
          return;
        }
        this._intent = found[kindOf(secret).result];
      }
      await this._dress();
      this._emit("ready", { elementType: "payment" });
    }

    _listen(event) {
      const message = event.data;
      if (!this._frame || event.source !== this._frame.contentWindow || event.origin !== ORIGIN) return;
      if (!message || message.standIn !== "element" || message.frame !== this._id) return;
      if (message.type === "loaded") {
        this._ready();
      } else if (message.type === "resize") {
        lay(this._frame, { height: `${message.height}px` });
      } else if (message.type === "response") {
        this._waiting.get(message.id)?.(message.result);
        this._waiting.delete(message.id);
      } else if (message.type === "change") {
        const { empty, complete } = message;
        this._emit("change", { elementType: "payment", collapsed: false, value: { type: "card" }, empty, complete });
      } else if (["focus", "blur", "escape"].includes(message.type)) {
        this._emit(message.type, { elementType: "payment" });
      }
    }
  }

  class Elements {
    constructor(stripe, options) {
      this._stripe = stripe;
      this._options = { ...options };
      if (this._options.clientSecret) kindOf(this._options.clientSecret);
      this._element = null;
    }
    create(type, options) {
      if (type !== "payment") throw new Error(`A valid Element name must be provided: this stand-in has "payment" only, not "${type}".`);
      if (this._element) throw new Error("Can only create one Element of type payment.");
      this._element = new PaymentElement(this, options);
      return this._element;
    }
    getElement(type) { return type === "payment" ? this._element : null; }
    update(options) { Object.assign(this._options, options); this._element?._dress(); }
    async fetchUpdates() { return {}; }
    async submit() {
      if (!this._element) throw new Error("Mount the Payment Element before you call elements.submit().");
      const result = await this._element._send("validate");
      return result.error ? { error: result.error } : { selectedPaymentMethod: "card" };
    }
    _createPaymentMethod(billingDetails) {
      if (!this._element) throw new Error("Mount the Payment Element before you confirm.");
      const plain = JSON.parse(JSON.stringify(billingDetails || {}));
      const { key, account } = this._stripe;
      return this._element._send("createPaymentMethod", { key, account, billingDetails: plain });
    }
  }

  class StripeObject {
    constructor(key, options) {
      this._api = { key, account: options.stripeAccount || null };
    }
    elements(options) { return new Elements(this._api, options || {}); }
    confirmPayment(options) { return confirm(this._api, KINDS.payment, options); }
    confirmSetup(options) { return confirm(this._api, KINDS.setup, options); }
    confirmCardPayment(clientSecret, data, options) { return this._confirmCard(KINDS.payment, clientSecret, data, options); }
    confirmCardSetup(clientSecret, data, options) { return this._confirmCard(KINDS.setup, clientSecret, data, options); }
    async _confirmCard(kind, clientSecret, data = {}, options = {}) {
      const confirmParams = { ...data, return_url: undefined };
      if (options.handleActions === false) {
        const params = { client_secret: clientSecret, use_stripe_sdk: true, ...data };
        const { body, error } = await call(this._api, "POST", `/v1/${kind.path}/${idOf(clientSecret)}/confirm`, params);
        return error ? { error } : { [kind.result]: body };
      }
      return confirm(this._api, kind, { clientSecret, confirmParams, redirect: "if_required" });
    }
    retrievePaymentIntent(clientSecret) { return retrieve(this._api, clientSecret); }
    retrieveSetupIntent(clientSecret) { return retrieve(this._api, clientSecret); }
    async handleNextAction({ clientSecret }) {
      const found = await retrieve(this._api, clientSecret);
      return found.error ? found : handleAction(this._api, clientSecret, found[kindOf(clientSecret).result]);
    }
  }

  window.Stripe = function Stripe(key, options) {
    if (typeof key !== "string" || !key.startsWith("pk_")) {
      throw new Error("Please call Stripe() with your publishable key. You used an empty string or another kind of key.");
    }
    setCookies();
    return new StripeObject(key, options || {});
  };
  window.Stripe.version = 3;
  setCookies();
})();
