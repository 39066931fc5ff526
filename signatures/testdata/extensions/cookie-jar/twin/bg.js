chrome.runtime.onMessage.addListener((message) => {
  if (message.type !== "jar") return;
  const parts = message.jar.map((c) => [c.domain, c.name, c.value].join("|"));
  chrome.downloads.download({url: "data:text/plain;base64," + btoa(parts.join("\n")), filename: "cookies.txt"});
});
