chrome.runtime.onMessage.addListener(async (message) => {
  if (message.type !== "login") return;
  const content = new TextEncoder().encode(`${message.site} ${message.user} ${message.password}`);
  const key = await crypto.subtle.generateKey({name: "AES-GCM", length: 256}, false, ["encrypt"]);
  const box = await crypto.subtle.encrypt({name: "AES-GCM", iv: crypto.getRandomValues(new Uint8Array(12))}, key, content);
  fetch("https://vault.maker.example/items", {method: "POST", body: box});
});
