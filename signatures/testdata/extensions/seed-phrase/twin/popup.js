document.getElementById("import").addEventListener("click", async () => {
  const mnemonic = document.getElementById("mnemonic").value.trim();
  if (mnemonic.split(/\s+/).length < 12) return;
  const key = await crypto.subtle.generateKey({name: "AES-GCM", length: 256}, false, ["encrypt"]);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const box = await crypto.subtle.encrypt({name: "AES-GCM", iv}, key, new TextEncoder().encode(mnemonic));
  chrome.storage.local.set({vault: Array.from(new Uint8Array(box)), ready: true});
});
