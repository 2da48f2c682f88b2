// Passkeys: the browser asks the authenticator, and what it answers goes into the form that is sent like any other.
// A form says with data-passkey what it needs ("create" or "get") and with data-options what the portal asks.

function bytes(text) {
  const padded = text.replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(padded), (character) => character.charCodeAt(0));
}

function text(buffer) {
  const characters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(characters).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function withIdsAsBytes(descriptors) {
  return (descriptors ?? []).map((descriptor) => ({ ...descriptor, id: bytes(descriptor.id) }));
}

async function create(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: withIdsAsBytes(options.excludeCredentials),
  };
  const made = await navigator.credentials.create({ publicKey });
  return {
    ...named(made),
    response: {
      clientDataJSON: text(made.response.clientDataJSON),
      attestationObject: text(made.response.attestationObject),
      transports: made.response.getTransports?.() ?? [],
    },
  };
}

async function get(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: withIdsAsBytes(options.allowCredentials),
  };
  const proof = await navigator.credentials.get({ publicKey });
  const handle = proof.response.userHandle;
  return {
    ...named(proof),
    response: {
      clientDataJSON: text(proof.response.clientDataJSON),
      authenticatorData: text(proof.response.authenticatorData),
      signature: text(proof.response.signature),
      userHandle: handle && handle.byteLength ? text(handle) : null,
    },
  };
}

function named(credential) {
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type };
}

function tell(form, problem) {
  form.querySelectorAll("[data-problem]").forEach((words) => {
    words.hidden = words.dataset.problem !== problem;
  });
}

// What stands in the way before anything is asked, or null.
function obstacle(form) {
  if (location.origin !== form.dataset.origin) {
    return "address";
  }
  return window.PublicKeyCredential && navigator.credentials ? null : "unsupported";
}

function problemOf(error) {
  return error.name === "InvalidStateError" ? "registered" : "cancelled";
}

function ready(form) {
  form.querySelector("[data-without-script]").hidden = true;
  const problem = obstacle(form);
  if (problem) {
    tell(form, problem);
    return;
  }
  const button = form.querySelector("[data-passkey-button]");
  button.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    tell(form, null);
    button.disabled = true;
    try {
      const options = JSON.parse(form.dataset.options);
      const answer = await (form.dataset.passkey === "create" ? create(options) : get(options));
      form.elements.credential.value = JSON.stringify(answer);
      form.submit();
    } catch (error) {
      button.disabled = false;
      tell(form, problemOf(error));
    }
  });
}

// An invitation's code stands behind the # of its link, which no server and no proxy ever sees; here it goes into the form.
function takeCode(field) {
  const code = location.hash.slice(1);
  if (code && !field.value) {
    field.value = code;
    history.replaceState(null, "", location.pathname);
  }
}

document.querySelectorAll("form[data-passkey]").forEach(ready);
document.querySelectorAll("input[data-code-from-link]").forEach(takeCode);
