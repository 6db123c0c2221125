// <form data-passkey="make|use" data-ask="…"> has the browser make or use a passkey, puts the answer into the
// form's field "answer" and sends it. Where a browser knows no passkeys, the form stays hidden.
const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
const toText = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const withBytes = (list) => (list ?? []).map((each) => ({ ...each, id: toBytes(each.id) }));

const ceremonies = {
  async make(asked) {
    const user = { ...asked.user, id: toBytes(asked.user.id) };
    const publicKey = { ...asked, user, challenge: toBytes(asked.challenge), excludeCredentials: withBytes(asked.excludeCredentials) };
    const made = await navigator.credentials.create({ publicKey });
    return { made, response: { attestationObject: toText(made.response.attestationObject), transports: made.response.getTransports?.() ?? [] } };
  },
  async use(asked) {
    const publicKey = { ...asked, challenge: toBytes(asked.challenge), allowCredentials: withBytes(asked.allowCredentials) };
    const made = await navigator.credentials.get({ publicKey });
    const { authenticatorData, signature, userHandle } = made.response;
    return { made, response: { authenticatorData: toText(authenticatorData), signature: toText(signature), userHandle: userHandle?.byteLength ? toText(userHandle) : null } };
  },
};

async function run(form) {
  const token = form.elements.csrfmiddlewaretoken.value;
  const asked = await fetch(form.dataset.ask, { method: "POST", headers: { "X-CSRFToken": token } });
  if (!asked.ok) throw new Error(`asked: ${asked.status}`);
  const { made, response } = await ceremonies[form.dataset.passkey](await asked.json());
  const id = toText(made.rawId);
  response.clientDataJSON = toText(made.response.clientDataJSON);
  form.elements.answer.value = JSON.stringify({ id, rawId: id, type: made.type, response });
  form.submit();
}

const reasons = {
  InvalidStateError: "This device has a passkey for this log-in already.",
  NotSupportedError: "This device cannot keep a passkey.",
  SecurityError: "Passkeys do not work at this address.",
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  document.getElementById(form.dataset.without)?.remove();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    const said = form.querySelector("[data-said]");
    button.disabled = true;
    said.textContent = "";
    try {
      await run(form);
    } catch (error) {
      said.textContent = reasons[error.name] ?? "No passkey was used. Try again.";
      button.disabled = false;
    }
  });
}
