// Does a little work for a public form while it is filled in, so that robots have to as well (accounts/humans.py).
// <input type="hidden" name="work" data-stamp="…" data-bits="14"> gets the number that was found.
const SOONEST = 2100;
const ROUND = new Int32Array(64);
const START = new Int32Array(8);
const shown = performance.now();

for (let n = 2, found = 0; found < 64; n += 1) {
  let prime = true;
  for (let d = 2; d * d <= n; d += 1) if (n % d === 0) prime = false;
  if (!prime) continue;
  if (found < 8) START[found] = (Math.sqrt(n) % 1) * 2 ** 32;
  ROUND[found] = (Math.cbrt(n) % 1) * 2 ** 32;
  found += 1;
}

const words = new Int32Array(64);

function mix(state, view, at) {
  for (let i = 0; i < 16; i += 1) words[i] = view.getInt32(at + 4 * i);
  for (let i = 16; i < 64; i += 1) {
    const x = words[i - 15], y = words[i - 2];
    const one = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const two = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    words[i] = (words[i - 16] + one + words[i - 7] + two) | 0;
  }
  let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
  for (let i = 0; i < 64; i += 1) {
    const high = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const one = (h + high + ((e & f) ^ (~e & g)) + ROUND[i] + words[i]) | 0;
    const low = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const two = (low + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d;
  state[4] += e; state[5] += f; state[6] += g; state[7] += h;
}

// The first 32 bits of SHA-256 over ASCII text.
export function head(text) {
  const size = (text.length + 9 + 63) & ~63;
  const bytes = new Uint8Array(size);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  bytes[text.length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setUint32(size - 4, text.length * 8);
  const state = START.slice();
  for (let at = 0; at < size; at += 64) mix(state, view, at);
  return state[0];
}

const pause = (ms) => new Promise((go) => { setTimeout(go, ms); });

async function find(stamp, bits) {
  for (let n = 0; ; ) {
    const until = performance.now() + 12;
    while (performance.now() < until) {
      for (let k = 0; k < 50; k += 1, n += 1) if (head(`${stamp}:${n}`) >>> (32 - bits) === 0) return String(n);
    }
    await pause(0);
  }
}

for (const field of document.querySelectorAll("input[data-stamp]")) {
  const form = field.form;
  let waits = false;
  find(field.dataset.stamp, Number(field.dataset.bits)).then(async (number) => {
    await pause(Math.max(0, SOONEST - (performance.now() - shown)));
    field.value = number;
    if (waits) form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    if (field.value) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    waits = true;
    form.setAttribute("aria-busy", "true");
  }, { capture: true });
}
